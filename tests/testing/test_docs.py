"""The page for users does what it says: its files are tests, and its commands say what stands below them."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
FILES = dict(re.findall(r'```python title="([^"]+)"\n(.*?)```', PAGE, re.DOTALL))
COMMANDS = re.findall(r"```console\n\$ python -m (\S+) ([^\n]+)\n(.*?)```", PAGE, re.DOTALL)
WRONG = "test_wrong.py"


@pytest.fixture
def reader(suite: pytest.Pytester) -> pytest.Pytester:
    """Whoever has written all the files of the page."""
    for name, text in FILES.items():
        (suite.path / name).write_text(text)
    return suite


def test_the_tests_of_the_page_pass(reader: pytest.Pytester) -> None:
    """All but the one that shows what a failure says."""
    right = [name for name in FILES if name.startswith("test_") and name != WRONG]
    ended = reader.runpytest_subprocess("-p", "no:valkey", "-W", "error", *right)
    tests = [test for name in right for test in re.findall(r"^ *(?:async )?def test_", FILES[name], re.MULTILINE)]
    ended.assert_outcomes(passed=len(tests))
    assert len(right) == 7


@pytest.mark.parametrize(("module", "arguments", "said"), COMMANDS, ids=[row[1] for row in COMMANDS])
def test_the_commands_say_what_is_shown(reader: pytest.Pytester, module: str, arguments: str, said: str) -> None:
    """``...`` stands for anything."""
    ended = reader.run(sys.executable, "-m", module, *shlex.split(arguments))
    told = "\n".join([*ended.outlines, *ended.errlines])
    pattern = re.escape(said.strip()).replace(r"\.\.\.", ".*")
    assert re.search(pattern, told, re.DOTALL), told
