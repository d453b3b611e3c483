"""The bounds of the house: the length of files and functions, the parameters of constructors, and one word."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
ROOMS = ("exqueue", "tests", "examples", "benchmarks")
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 40
MOST_PARAMETERS = 7

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(*endings: str) -> list[Path]:
    """Every file of the project that ends so."""
    return [path for room in ROOMS for ending in endings for path in sorted((ROOT / room).rglob(f"*{ending}"))]


@functools.cache
def functions() -> Sequence[tuple[Path, Function]]:
    """All of the project, methods and inner ones among them, each with its file."""
    trees = ((path, ast.parse(path.read_text())) for path in sources(".py"))
    return [(path, node) for path, tree in trees for node in ast.walk(tree) if isinstance(node, Function)]


def lines_of(function: Function) -> int:
    """Without its docstring, which is as long as what it promises."""
    first = function.body[0]
    has_docstring = ast.get_docstring(function, clean=False) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def parameters_of(function: Function) -> int:
    """Without `self`."""
    arguments = function.args
    return len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs) - 1


def test_no_file_is_too_long() -> None:
    """A file that nears the bound has a second idea in it."""
    lengths = {path: len(path.read_text().splitlines()) for path in sources(".py", ".lua", ".sql")}
    assert {str(path): lines for path, lines in lengths.items() if lines > MOST_LINES} == {}
    assert len(lengths) > 100


def test_no_function_is_too_long() -> None:
    """Also no test: a program in a string is not counted, as it has functions of its own."""
    found = functions()
    assert [f"{path}: {each.name}" for path, each in found if lines_of(each) > MOST_LINES_OF_A_FUNCTION] == []
    assert len(found) > 1_000


def test_no_constructor_takes_too_much() -> None:
    """More belongs together in a value of its own."""
    makers = [(path, each) for path, each in functions() if each.name == "__init__"]
    assert [str(path) for path, each in makers if parameters_of(each) > MOST_PARAMETERS] == []
    assert len(makers) > 50


def test_supervision_knows_nothing_of_jobs() -> None:
    """Where the word stands there, the line is in the wrong room."""
    files = sorted((ROOT / "exqueue" / "supervision").glob("*.py"))
    assert [path.name for path in files if re.search(r"\bjobs?\b", path.read_text(), re.IGNORECASE)] == []
    assert len(files) > 10
