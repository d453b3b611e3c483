"""What the library says when something is wrong: the texts of its errors and of its warnings, read from its code.

In a text ``…`` stands for what differs from case to case. Texts that a function builds, or a name holds, are looked
for where they are built; what is only passed on (``"%s"``, an error of somebody else) is said elsewhere.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.docs.reader import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLE = "…"
LEAST_LETTERS = 6
"""A text with fewer is only the frame of another."""

REPORTS = "exqueue/supervision/reports.py"
"""Makes the lines of supervisors, each in a variable ``line``."""

_FORMAT = re.compile(r"%[-+ 0#]*[\d.]*[sdrgfax]")
_LEVELS = frozenset({"warning", "error", "critical", "exception"})
_SAYING = {"Exit": 1, "Say": 1, "_warn": 0, "_say": 1, "_log": 1, "log": 1}
"""By the name of what is called: which argument is the text."""

_BESIDES = frozenset({"TypeError", "ImportError", "Danger"})
"""What says something besides `ExqueueError` and its kind: errors that Python itself would raise, and what the settings
of a server endanger, which is logged."""


@dataclass(slots=True)
class Code:
    """The library's functions by name, and its classes of errors.

    Args:
        functions: of one name there may be several.
        errors: the names of the classes whose constructor takes the text.
    """

    functions: dict[str, list[ast.FunctionDef]] = field(default_factory=dict)
    errors: set[str] = field(default_factory=set)


def read_code() -> tuple[Code, dict[Path, ast.Module]]:
    """Parse the package."""
    trees = {path: ast.parse(path.read_text()) for path in sorted((ROOT / "exqueue").rglob("*.py"))}
    code = Code(errors=set(_BESIDES))
    for node in ast.walk(trees[ROOT / "exqueue" / "errors.py"]):
        if isinstance(node, ast.ClassDef):
            code.errors.add(node.name)
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                code.functions.setdefault(node.name, []).append(node)
    return code, trees


def texts() -> set[str]:
    """All that is said: of errors and at WARNING or above."""
    code, trees = read_code()
    found: set[str] = set()
    for tree in trees.values():
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for argument in _arguments(function, code):
                found |= set(_resolved(argument, function, code, 0))
        for node in tree.body:
            for argument in (one for part in ast.walk(node) if isinstance(node, ast.Try) for one in _said(part, code)):
                found |= set(_resolved(argument, None, code, 0))
    for part in ast.walk(trees[ROOT / REPORTS]):
        if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "line":
            found |= set(_resolved(part.value, None, code, 0))
    return {text for text in found if len(re.sub(r"[^A-Za-z]", "", text)) >= LEAST_LETTERS}


def strings() -> str:
    """Every string of the package, one a line, with holes: where a line of the page must stand, too."""
    _, trees = read_code()
    nodes = (node for tree in trees.values() for node in ast.walk(tree))
    return "\n".join(text.replace("{}", HOLE) for node in nodes if (text := _template(node)) is not None)


def _arguments(function: ast.FunctionDef, code: Code) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        yield from _said(node, code)


def _said(node: ast.AST, code: Code) -> Iterator[ast.expr]:
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if (name in code.errors and isinstance(node.func, ast.Name)) or ast.unparse(node.func) == "super().__init__":
        yield from node.args[:1]
    elif name == "run_user" and ast.unparse(node.args[0]).endswith("logger.log"):
        yield from node.args[2:3]
    elif name in _LEVELS and ast.unparse(node.func).endswith(f"logger.{name}"):
        yield from node.args if getattr(node.args[0], "value", "") == "%s" else node.args[:1]
    elif name in _SAYING and not (node.args and ast.unparse(node.args[0]) in {"logging.DEBUG", "logging.INFO"}):
        yield from node.args[_SAYING[name] :][:1]


def _resolved(node: ast.expr, function: ast.FunctionDef | None, code: Code, depth: int) -> Iterator[str]:
    """The texts that an expression may be."""
    text = _template(node)
    if text is not None:
        yield text
    elif depth > 3:
        return
    elif isinstance(node, ast.IfExp):
        yield from _resolved(node.body, function, code, depth)
        yield from _resolved(node.orelse, function, code, depth)
    elif isinstance(node, ast.List | ast.Tuple):
        for one in node.elts:
            yield from _resolved(one, function, code, depth)
    elif isinstance(node, ast.Name) and function is not None:
        for part in ast.walk(function):
            if isinstance(part, ast.Assign) and any(getattr(one, "id", "") == node.id for one in part.targets):
                yield from _resolved(part.value, function, code, depth + 1)
    elif isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for called in code.functions.get(name, []):
            for part in ast.walk(called):
                if isinstance(part, ast.Return | ast.Yield) and part.value is not None:
                    yield from _resolved(part.value, called, code, depth + 1)


def _template(node: ast.AST) -> str | None:
    """A text with its holes; ``None`` for what is no text."""
    match node:
        case ast.Constant(value=str(text)):
            pass
        case ast.JoinedStr(values=parts):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            before, after = _template(left), _template(right)
            if before is None and after is None:
                return None
            text = (HOLE if before is None else before) + (HOLE if after is None else after)
        case _:
            return None
    text = _FORMAT.sub(HOLE, text).partition("\n")[0].strip()
    return re.sub(rf"{HOLE}(?:{HOLE})+", HOLE, text)
