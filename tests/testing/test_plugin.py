"""The fixtures and the marker, in suites as users write them, run by pytest itself."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
HEAVY = ("exqueue", "pykka", "msgpack", "redis", "sqlite3", "asyncio")

JOBS = """
import pytest
from exqueue import Enqueue, ExqueueSystem, current_job
from exqueue.testing import JobsFailed


class SendEmail:
    sent = []

    def perform(self, *, to):
        if to == "nobody":
            raise ValueError("no such address")
        self.sent.append(to)
"""


OPTIONS = ("-p", "no:valkey", "-W", "error", "--strict-markers")

BUDGET_S = 0.005
RUNS = 5


def run(suite: pytest.Pytester, program: str, *args: str) -> pytest.RunResult:
    """Run a file of tests in an interpreter of its own, which finds the plugin by its entry point."""
    suite.makepyfile(program)
    return suite.runpytest_subprocess(*OPTIONS, *args)


def run_with_jobs(suite: pytest.Pytester, program: str, *args: str) -> pytest.RunResult:
    """The same, with the class above."""
    return run(suite, JOBS + program, *args)


def test_the_fixture_is_there_by_itself(suite: pytest.Pytester) -> None:
    """Without any import or configuration; each test has a stand-in of its own, in mode manual."""
    ended = run_with_jobs(
        suite,
        """
@pytest.mark.parametrize("name", ["ann", "bob"])
def test_kept(exqueue, name):
    assert ExqueueSystem.start() is exqueue
    exqueue.enqueue(SendEmail, to=name)
    assert name not in SendEmail.sent
    assert [one.kwargs for one in exqueue.enqueued()] == [{"to": name}]
    assert exqueue.drain().succeeded == 1
    assert name in SendEmail.sent


def test_after(exqueue):
    exqueue.refute_enqueued(SendEmail)
""",
    )
    ended.assert_outcomes(passed=3)


def test_the_marker_says_how(suite: pytest.Pytester) -> None:
    """On a function before its class, and that before its module; with `mode` and `check`."""
    ended = run_with_jobs(
        suite,
        """
pytestmark = pytest.mark.exqueue(mode="inline")


def test_of_the_module(exqueue):
    exqueue.enqueue(SendEmail, to="module")
    assert "module" in SendEmail.sent
    with pytest.raises(JobsFailed):
        exqueue.enqueue(SendEmail, to="nobody")


@pytest.mark.exqueue(check=False)
class TestClass:
    def test_of_the_class(self, exqueue):
        exqueue.enqueue(SendEmail, to="nobody")
        exqueue.enqueue(SendEmail, to="class")
        assert "class" in SendEmail.sent

    @pytest.mark.exqueue(mode="real")
    def test_of_its_own(self, exqueue):
        exqueue.enqueue(SendEmail, to="nobody")
        exqueue.enqueue(SendEmail, to="function")
        assert "function" not in SendEmail.sent
        counts = exqueue.drain()
        assert (counts.succeeded, counts.failed) == (1, 1)
""",
    )
    ended.assert_outcomes(passed=3)


def test_a_wrong_marker_is_refused(suite: pytest.Pytester) -> None:
    """With what is allowed."""
    ended = run_with_jobs(
        suite,
        """
@pytest.mark.exqueue("inline")
def test_position(exqueue): ...

@pytest.mark.exqueue(moed="inline")
def test_name(exqueue): ...

@pytest.mark.exqueue(mode="eager")
def test_value(exqueue): ...
""",
    )
    ended.assert_outcomes(errors=3)
    ended.stdout.fnmatch_lines_random(
        ["*takes mode= and check= by name only*", "*mode is one of manual, inline, real, not 'eager'*"]
    )


def test_the_configuration_names_the_mode(suite: pytest.Pytester) -> None:
    """For a whole suite; a marker goes before it."""
    suite.makeini("[pytest]\nexqueue_mode = inline\n")
    ended = run_with_jobs(
        suite,
        """
def test_configured(exqueue):
    exqueue.enqueue(SendEmail, to="ann")
    assert SendEmail.sent == ["ann"]


@pytest.mark.exqueue(mode="manual")
def test_marked(exqueue):
    exqueue.enqueue(SendEmail, to="bob")
    assert SendEmail.sent == ["ann"]
""",
    )
    ended.assert_outcomes(passed=2)


def test_the_clock_is_the_one_of_the_jobs(suite: pytest.Pytester) -> None:
    """To be asked and moved beside the fixture."""
    ended = run_with_jobs(
        suite,
        """
def test_clock(exqueue, exqueue_clock):
    at = exqueue_clock.now()
    exqueue.ask(Enqueue(SendEmail, {"to": "ann"}, delay=3600))
    exqueue_clock.advance(3601)
    assert exqueue.drain().succeeded == 1
    assert 3601 <= (exqueue_clock.now() - at).total_seconds() < 3660
""",
    )
    ended.assert_outcomes(passed=1)


def test_a_failure_shows_the_error_of_the_job(suite: pytest.Pytester) -> None:
    """In the report, with what was different for an assertion."""
    ended = run_with_jobs(
        suite,
        """
def test_fails(exqueue):
    exqueue.enqueue(SendEmail, to="nobody")
    exqueue.drain()


def test_differs(exqueue):
    exqueue.enqueue(SendEmail, to="ann")
    exqueue.assert_enqueued(SendEmail, to="bob")
""",
    )
    ended.assert_outcomes(failed=2)
    ended.stdout.fnmatch_lines(["E*JobsFailed: a run of a job failed*", "E*ValueError: no such address"])
    ended.stdout.fnmatch_lines(["E*to: expected 'bob', was 'ann'"])


def test_a_real_server_is_used_where_one_is_named(suite: pytest.Pytester, redis_url: str) -> None:
    """In the environment, or in the configuration; without any, the test is skipped and says what to set."""
    program = """
def test_redis(exqueue_redis):
    exqueue_redis.enqueue(SendEmail, to="ann")
    assert exqueue_redis.drain().succeeded == 1
"""
    skipped = run_with_jobs(suite, program, "-rs")
    skipped.assert_outcomes(skipped=1)
    skipped.stdout.fnmatch_lines(["SKIPPED*EXQUEUE_TEST_REDIS_URL*exqueue_redis_url*"])
    suite.makeini(f"[pytest]\nexqueue_redis_url = {redis_url}\n")
    run_with_jobs(suite, program).assert_outcomes(passed=1)


def test_processes_of_xdist_do_not_meet(suite: pytest.Pytester, redis_url: str) -> None:
    """Neither in memory nor on one server."""
    suite.makeini(f"[pytest]\nexqueue_redis_url = {redis_url}\n")
    ended = run_with_jobs(
        suite,
        """
@pytest.mark.parametrize("number", range(4))
def test_alone(exqueue, number):
    exqueue.ask(Enqueue(SendEmail, {"to": str(number)}, id="same"))
    assert exqueue.drain().succeeded == 1


@pytest.mark.parametrize("number", range(4))
def test_alone_on_a_server(exqueue_redis, number):
    exqueue_redis.ask(Enqueue(SendEmail, {"to": str(number)}, id="same"))
    assert [one.kwargs for one in exqueue_redis.enqueued()] == [{"to": str(number)}]
    assert exqueue_redis.drain().succeeded == 1
""",
        "-n2",
    )
    ended.assert_outcomes(passed=8)


def test_unittest_needs_no_plugin(suite: pytest.Pytester) -> None:
    """`use` is a context manager; async cases are run as well."""
    ended = run_with_jobs(
        suite,
        """
import unittest
from exqueue import job
from exqueue.testing import use


@job
async def note(name):
    SendEmail.sent.append((name, current_job().attempt))


class Plain(unittest.TestCase):
    def setUp(self):
        self.system = self.enterContext(use())

    def test_mail(self):
        self.system.enqueue(SendEmail, to="ann")
        self.system.assert_enqueued(SendEmail, to="ann")


class Async(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.system = self.enterContext(use("inline"))

    async def test_note(self):
        self.system.enqueue(note, name="ann")
        self.system.enqueue(SendEmail, to="bob")
        self.assertEqual(SendEmail.sent, [("ann", 1), "bob"])
""",
        "-p",
        "no:exqueue_pytest",
    )
    ended.assert_outcomes(passed=2)


def test_a_suite_that_uses_none_of_it_loads_none_of_it(suite: pytest.Pytester) -> None:
    """The plugin is there, and nothing of the library is imported, nor what it needs."""
    program = f"""
import sys


def test_nothing_is_loaded(request):
    assert request.config.pluginmanager.has_plugin("exqueue_pytest")
    assert [name for name in {HEAVY!r} if name in sys.modules] == []
"""
    # Plugins that are installed here, for the tests of this project, load one or the other of them.
    others = ("no:hypothesispytest", "no:xdist", "no:pytest_mock")
    ended = run(suite, program, *(option for other in others for option in ("-p", other)))
    ended.assert_outcomes(passed=1)


def test_a_suite_that_uses_none_of_it_pays_nothing() -> None:
    """The plugin adds less than 5 ms to the start of pytest."""
    best_s = min(seconds_of_importing_the_plugin() for _ in range(RUNS))
    assert best_s < BUDGET_S


def seconds_of_importing_the_plugin() -> float:
    """In an interpreter that has pytest."""
    command = [sys.executable, "-X", "importtime", "-c", "import pytest, exqueue_pytest"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    lines = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stderr.splitlines()
    (line,) = (line for line in lines if line.endswith("| exqueue_pytest"))
    return int(line.split("|")[1]) / 1_000_000


def test_the_entry_point_is_what_it_names() -> None:
    """Its name is that of the module, so that ``-p`` with the one does not register the other once more."""
    entry_points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert entry_points == {"exqueue_pytest": "exqueue_pytest"}
    assert (ROOT / "exqueue_pytest.py").is_file()


def test_the_marker_and_the_fixtures_are_listed(suite: pytest.Pytester) -> None:
    """By ``--markers`` and ``--fixtures``, each with what it is."""
    text = run(suite, "", "--markers").stdout.str()
    assert "@pytest.mark.exqueue(mode=" in text
    text = run(suite, "", "--fixtures").stdout.str()
    for fixture in ("exqueue_clock", "exqueue", "exqueue_redis"):
        assert f"{fixture} -- " in text
