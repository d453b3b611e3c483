"""What is promised for each event is shown by a test that is there."""

from __future__ import annotations

import ast
import re

from tests.docs.reader import ROOT

ROW = re.compile(r"^\| [^|]+ \| [^|]+ \| `(test_\w+)` \|$", re.MULTILINE)
PAGE = (ROOT / "docs" / "what-happens-when.md").read_text()


def all_tests() -> set[str]:
    """The names of all tests of this repository."""
    trees = (ast.parse(path.read_text()) for path in sorted((ROOT / "tests").rglob("test_*.py")))
    functions = (node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef))
    return {function.name for function in functions if function.name.startswith("test_")}


def test_each_event_names_a_test_that_is_there() -> None:
    """A test that is renamed or removed takes its row along."""
    named = ROW.findall(PAGE)
    assert len(named) >= 40
    assert sorted(set(named) - all_tests()) == []


def test_the_page_says_how_many_there_are() -> None:
    """And no row is of another form than those that are looked at."""
    named = ROW.findall(PAGE)
    assert f"\n{len(named)} events" in PAGE
    assert PAGE.count("\n| ") == len(named) + PAGE.count("\n| what happens |")
