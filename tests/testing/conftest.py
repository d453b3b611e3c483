"""Each test of this room begins with nothing done; some run suites as users write them."""

import os
import tomllib
from pathlib import Path

import pytest

from tests.testing.jobs import done

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    """Empty the list that the jobs write into."""
    done.clear()


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A suite whose environment has the library installed with its entry point, as pip leaves it."""
    entry_points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    site = pytester.mkdir("site")
    info = site / "exqueue_of_the_test-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: exqueue-of-the-test\nVersion: 0\n")
    lines = [f"{name} = {module}" for name, module in entry_points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines, ""]))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), str(ROOT)]))
    monkeypatch.delenv("EXQUEUE_TEST_REDIS_URL", raising=False)
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    return pytester
