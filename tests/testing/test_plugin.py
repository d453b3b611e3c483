"""The pytest plugin, as a suite uses it that knows nothing of this one."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["pytester"]

JOB = """
import exqueue as library, pytest, unittest
ran = []
class Mail:
    def perform(self, *, to): ran.append(to)
def sign_up(): library.ExqueueSystem.start().enqueue(Mail, to="ann")
"""


def run(pytester: pytest.Pytester, tests: str, *args: str) -> pytest.RunResult:
    """Run these tests in a process of their own, with the plugin."""
    pytester.makepyfile(JOB + tests)
    is_installed = any(one.value == "pytest_exqueue" for one in entry_points(group="pytest11"))
    plugin = () if is_installed else ("-p", "pytest_exqueue")
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "--strict-markers", *plugin, *args)


TESTS = """
def test_manual(exqueue, exqueue_clock):
    sign_up()
    exqueue.assert_enqueued(Mail, to="ann")
    assert ran == [] and exqueue.clock is exqueue_clock
    assert exqueue.drain().succeeded == 1

@pytest.mark.exqueue(mode="inline")
def test_marked():
    ran.clear()
    sign_up()
    assert ran == ["ann"]

@pytest.mark.exqueue("inline")
class TestInClass(unittest.TestCase):
    def test_it(self):
        ran.clear()
        sign_up()
        self.assertEqual(ran, ["ann"])
"""


def test_fixture_and_marker(pytester: pytest.Pytester) -> None:
    """The fixture collects; the marker works without it, and on a `unittest.TestCase`."""
    run(pytester, TESTS).assert_outcomes(passed=3)


def test_under_xdist(pytester: pytest.Pytester) -> None:
    """Each test has its own system, whichever process it runs in."""
    run(pytester, TESTS, "-n", "2").assert_outcomes(passed=3)


REAL = """
@pytest.mark.exqueue(mode="real")
def test_marked(exqueue):
    sign_up()
    assert ran == []
    assert exqueue.drain().succeeded == 1

@pytest.mark.parametrize("number", range(4))
def test_on_a_server(exqueue_redis, number):
    exqueue_redis.ask(library.Enqueue(Mail, {"to": str(number)}, id="same"))
    exqueue_redis.assert_enqueued(Mail, to=str(number))
    assert exqueue_redis.drain().succeeded == 1
"""


def test_real_systems(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """By the marker; and on a server that the environment or the configuration names, beside others that test there.

    Without a server that test is skipped, and says what to set.
    """
    monkeypatch.delenv("EXQUEUE_TEST_REDIS_URL", raising=False)
    skipped = run(pytester, REAL, "-rs")
    skipped.assert_outcomes(passed=1, skipped=4)
    skipped.stdout.fnmatch_lines(["SKIPPED*EXQUEUE_TEST_REDIS_URL*exqueue_redis_url*"])
    pytester.makeini(f"[pytest]\nexqueue_redis_url = {redis_url}\n")
    run(pytester, REAL, "-n", "2").assert_outcomes(passed=5)
    pytester.makeini("[pytest]\nexqueue_redis_url = redis://nowhere.invalid\n")
    monkeypatch.setenv("EXQUEUE_TEST_REDIS_URL", redis_url)
    run(pytester, REAL).assert_outcomes(passed=5)


ASYNC = """
@library.job
async def note(name): ran.append((name, library.current_job().attempt))

class TestAsync(unittest.IsolatedAsyncioTestCase):
    @pytest.mark.exqueue("inline")
    async def test_it(self):
        ran.clear()
        library.ExqueueSystem.start().enqueue(note, name="ann")
        sign_up()
        self.assertEqual(ran, [("ann", 1), "ann"])
"""


def test_in_async_tests(pytester: pytest.Pytester) -> None:
    """Of unittest; jobs of both kinds."""
    run(pytester, ASYNC).assert_outcomes(passed=1)


BUDGET_S = 0.005


def seconds_of_importing_the_plugin() -> float:
    """In an interpreter that has pytest."""
    command = [sys.executable, "-X", "importtime", "-c", "import pytest, pytest_exqueue"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stderr.splitlines()
    (line,) = (line for line in lines if line.endswith("| pytest_exqueue"))
    return int(line.split("|")[1]) / 1_000_000


def test_loading_the_plugin_takes_next_to_no_time() -> None:
    """Less than 5 ms, as every suite of an environment loads it."""
    assert min(seconds_of_importing_the_plugin() for _ in range(5)) < BUDGET_S


def test_a_suite_that_does_not_use_it_pays_nothing() -> None:
    """The plugin imports no module of Exqueue before a test asks for it."""
    program = "import sys, pytest, pytest_exqueue; print([m for m in sys.modules if m.partition('.')[0] == 'exqueue'])"
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert found.strip() == "[]"


def test_the_guide_is_right(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """The blocks of docs/testing.md, one after the other, are a suite that passes."""
    monkeypatch.setenv("EXQUEUE_TEST_REDIS_URL", redis_url)
    guide = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)

    run(pytester, "\n".join(blocks)).assert_outcomes(passed=9)
