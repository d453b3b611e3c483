"""Changing the text of one function of the product while a test looks what comes of it."""

from __future__ import annotations
import __future__

import ast
import functools
import importlib
import inspect
import textwrap
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Inapplicable(Exception):
    """The product was changed, and a mutant was not."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change.

    Args:
        of: the function: its module, a colon, and its qualified name there.
        old: what stands in it exactly once.
        new: what stands there instead.
    """

    of: str
    old: str
    new: str


@contextmanager
def in_force(edits: Iterable[Edit]) -> Iterator[Counter[str]]:
    """Have the product changed in this process. Yields how often each changed function was called since then.

    Raises:
        Inapplicable: a function is not there, or what is to be changed does not stand in it once.
    """
    called: Counter[str] = Counter()
    changes: dict[str, list[Edit]] = {}
    for edit in edits:
        changes.setdefault(edit.of, []).append(edit)
    with ExitStack() as undo:
        for of, its_edits in changes.items():
            owner, name = _find(of)
            present = inspect.getattr_static(owner, name)
            is_property = isinstance(present, property)
            changed: Any = _changed(owner, present.fget if is_property else present, its_edits, called)
            setattr(owner, name, property(changed) if is_property else changed)
            undo.callback(setattr, owner, name, present)
        yield called


def _find(of: str) -> tuple[Any, str]:
    """What the function is an attribute of, and its name there."""
    module, _, path = of.partition(":")
    *above, name = path.split(".")
    try:
        owner = functools.reduce(getattr, above, importlib.import_module(module))
        inspect.getattr_static(owner, name)
    except (ImportError, AttributeError) as error:
        raise Inapplicable(f"there is no {of}") from error
    return owner, name


def _changed(owner: Any, function: Any, edits: list[Edit], called: Counter[str]) -> Any:
    source = textwrap.dedent(inspect.getsource(function))
    for edit in edits:
        if source.count(edit.old) != 1:
            raise Inapplicable(f"{edit.old!r} stands {source.count(edit.old)} times in {edit.of}, not once")
        source = source.replace(edit.old, edit.new)
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list.clear()
    definition.body.insert(0, ast.parse("_called[_of] += 1").body[0])
    # In a function of its own, whose argument `__class__` is what `super()` looks for.
    maker = ast.parse(f"def make(__class__, _called, _of):\n    return {definition.name}")
    assert isinstance(maker.body[0], ast.FunctionDef)
    maker.body[0].body.insert(0, definition)
    code = compile(ast.fix_missing_locations(maker), edits[0].of, "exec", __future__.annotations.compiler_flag)
    made: dict[str, Any] = {}
    exec(code, function.__globals__, made)  # noqa: S102 - the product's own text, changed
    return made["make"](owner, called, edits[0].of)
