"""Each public name has its section in the reference, and a docstring that tells what it is for."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

import pytest

from tests.docs.blocks import blocks_of
from tests.docs.reader import ROOT

PACKAGES = ("exqueue", "exqueue.supervision", "exqueue.testing", "exqueue.persistence")
MADE_BY_THE_LIBRARY = frozenset(
    {"exqueue.CurrentJob", "exqueue.SystemRef", "exqueue.supervision.Runtime", "exqueue.supervision.Tree"}
)
"""No program calls their constructor."""

ONLY_MET = frozenset(
    {
        "ActorDead",
        "AmbiguousJob",
        "CurrentJob",
        "Fenced",
        "NewerRecordError",
        "NewerStore",
        "NotSupportedYet",
        "Outage",
        "Overloaded",
        "RecordError",
        "StaleCall",
        "StorageFull",
        "StoreDamaged",
        "Unknown",
    }
)
"""No program uses them by name: what is given to it, and errors that are caught as what they are kinds of."""

BESIDES = ("exqueue.contrib.sentry.reporter", "exqueue.contrib.honeybadger.reporter")
SECTION = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)


def found(name: str) -> Any:
    """What a dotted name leads to."""
    module, _, leaf = name.rpartition(".")
    return getattr(importlib.import_module(module), leaf)


def public_names() -> list[str]:
    """All of them, with their packages."""
    return [f"{package}.{name}" for package in PACKAGES for name in importlib.import_module(package).__all__]


def sections() -> list[str]:
    """What the reference has."""
    pages = sorted((ROOT / "docs" / "reference").glob("*.md"))
    return [name for page in pages for name in SECTION.findall(page.read_text())]


def is_module(name: str) -> bool:
    """Whether a file has this name: then a section of the name is about the file, whatever its package exports."""
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def test_every_public_name_has_its_section() -> None:
    """A package of which a page takes all names needs none for each, but for those that are names of files, too."""
    there = [name for name in sections() if name not in BESIDES]
    things = [found(name) for name in there if not is_module(name)]
    whole = {name for name in there if is_module(name)}
    missing = [
        name
        for name in public_names()
        if not any(found(name) is thing for thing in things)
        and (is_module(name) or name.rpartition(".")[0] not in whole)
    ]
    assert missing == []
    assert set(BESIDES) <= set(sections())


def test_no_section_is_there_twice_or_of_a_file() -> None:
    """A link leads to one place, and to what is meant."""
    there = sections()
    assert len(there) == len(set(there))
    assert [name for name in there if is_module(name) and name != "exqueue.testing"] == []


@pytest.mark.parametrize("name", public_names())
def test_every_public_name_says_what_it_is_for(name: str) -> None:
    """And what it takes, by name: an argument that is not explained anywhere is a riddle."""
    thing = found(name)
    if not inspect.isclass(thing) and not inspect.isfunction(thing):
        return
    told = inspect.cleandoc(thing.__doc__ or "")
    assert len(told) > 20
    assert not told.startswith(f"{thing.__name__}(")  # What `dataclass` writes where nobody else did.
    if name in MADE_BY_THE_LIBRARY or (inspect.isclass(thing) and issubclass(thing, BaseException)):
        return
    constructor = thing.__dict__.get("__init__") if inspect.isclass(thing) else thing
    given = inspect.signature(constructor).parameters if constructor is not None else {}
    assert [one for one in given if one != "self" and not re.search(rf"\b{one}\b", told)] == []


def test_every_public_name_of_the_package_has_an_example() -> None:
    """In a program of the README or of a page, all of which are run."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    blocks = [block for page in pages for block in blocks_of(page.read_text()) if block.directive != "not run"]
    programs = "\n".join(block.text for block in blocks if block.language == "python")
    names = importlib.import_module("exqueue").__all__
    assert {name for name in names if not re.search(rf"\b{name}\b", programs)} <= ONLY_MET
