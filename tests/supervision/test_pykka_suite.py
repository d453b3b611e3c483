"""Exqueue's base actor is one of pykka's: pykka's own tests say so, but for a list of differences."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[2]
VERSION = importlib.metadata.version("pykka")
DOWNLOAD_S = 60
RUN_S = 60

LOGS = "Exqueue logs the end of an actor as text, in one line of its own, so that no frame of the error is kept alive"

DIFFERENCES = {
    "tests/proxy/test_static_method_calls.py::test_exception_in_method_reraised_by_future[threading]": (
        "an error that is no refusal is a crash, under ask too: the asker gets it, and on_failure runs"
    ),
    "tests/test_actor.py::test_init_can_be_called_with_arbitrary_arguments[threading]": (
        "the constructor takes a context and nothing that it would pass over in silence"
    ),
    "tests/test_actor.py::test_all_actors_are_stopped_on_base_exception[threading]": (
        "SystemExit in one actor is a crash of that actor; it does not stop every actor of the program"
    ),
    "tests/test_logging.py::test_base_exception_is_logged[threading]": (
        "as above: nothing is stopped, so nothing is said of it"
    ),
    "tests/test_logging.py::test_exception_is_logged_when_returned_to_caller[threading]": (
        "as of reraised_by_future: it is logged as the crash that it is"
    ),
    "tests/test_logging.py::test_exception_is_logged_when_not_reply_requested[threading]": LOGS,
    "tests/test_logging.py::test_exception_in_on_start_is_logged[threading]": LOGS,
    "tests/test_logging.py::test_exception_in_on_stop_is_logged[threading]": LOGS,
    "tests/test_logging.py::test_exception_in_on_failure_is_logged[threading]": LOGS,
}
"""Test -> why it fails on purpose."""


@pytest.fixture(scope="session")
def suite() -> Path:
    """The unpacked sources of the installed version, kept beside the installed packages."""
    sources = Path(sys.prefix) / ".pykka-sources" / f"pykka-{VERSION}"
    if not sources.is_dir():
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps"]
            command += ["--no-binary", "pykka", "--dest", folder, f"pykka=={VERSION}"]
            try:
                subprocess.run(command, check=True, capture_output=True, text=True, timeout=DOWNLOAD_S)
            except (subprocess.SubprocessError, OSError) as error:
                _without_sources(error)
            with tarfile.open(Path(folder) / f"pykka-{VERSION}.tar.gz") as archive:
                archive.extractall(folder, filter="data")
            sources.parent.mkdir(exist_ok=True)
            _put(Path(folder) / sources.name, sources)
    return sources


def _without_sources(error: Exception) -> None:
    why = f"the sources of pykka {VERSION} can't be had: {error} {getattr(error, 'stderr', '') or ''}"
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def _put(found: Path, wanted: Path) -> None:
    """In one step, since another process of this run may do the same."""
    beside = Path(tempfile.mkdtemp(dir=wanted.parent))
    shutil.move(found, beside / wanted.name)
    try:
        (beside / wanted.name).rename(wanted)
    except OSError:
        assert wanted.is_dir()
    shutil.rmtree(beside)


def outcomes(suite: Path, folder: Path, *arguments: str) -> dict[str, str]:
    """Run pykka's tests on Exqueue's actor; returns of each ``passed``, ``failure``, ``error`` or ``skipped``."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests_of_exqueue_plugin", "-p", "no:cacheprovider"]
    # Their sources may lie below this project, in .venv: its settings are none of theirs.
    command += [
        "-c",
        str(suite / "pyproject.toml"),
        f"--rootdir={suite}",
        "-p",
        "no:valkey",
        "-o",
        "junit_family=xunit1",
        f"--junit-xml={report}",
        *arguments,
    ]
    shutil.copy(ROOT / "tests/supervision/pykka_plugin.py", folder / "tests_of_exqueue_plugin.py")
    path = os.pathsep.join((str(folder), str(ROOT)))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        command, cwd=suite, env=environment, check=False, capture_output=True, text=True, timeout=RUN_S
    )
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    found = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - written by the line above
        bad = [part.tag for part in case if part.tag in ("failure", "error", "skipped")]
        found[f"{case.get('file')}::{case.get('name')}"] = bad[0] if bad else "passed"
    return found


def test_the_base_actor_passes_the_tests_of_pykka(suite: Path, tmp_path: Path) -> None:
    """All but those of the list."""
    found = outcomes(suite, tmp_path, "tests", *(f"--deselect={test}" for test in DIFFERENCES))
    assert {test: outcome for test, outcome in found.items() if outcome != "passed"} == {}
    assert len(found) > 100
    assert not DIFFERENCES.keys() & found.keys()


def test_each_difference_still_is_one(suite: Path, tmp_path: Path) -> None:
    """A test of the list that is gone or passes has no place there."""
    assert outcomes(suite, tmp_path, *DIFFERENCES) == dict.fromkeys(DIFFERENCES, "failure")
    assert all(DIFFERENCES.values())
