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


def test_a_suite_that_does_not_use_it_pays_nothing() -> None:
    """The plugin imports no module of Exqueue before a test asks for it."""
    program = "import sys, pytest, pytest_exqueue; print([m for m in sys.modules if m.partition('.')[0] == 'exqueue'])"
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert found.strip() == "[]"


def test_the_guide_is_right(pytester: pytest.Pytester) -> None:
    """The blocks of docs/testing.md, one after the other, are a suite that passes."""
    guide = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)

    run(pytester, "\n".join(blocks)).assert_outcomes(passed=6)
