"""Whoever is told that something is wrong finds it in the troubleshooting page, by its text."""

from __future__ import annotations

import re

from tests.docs.blocks import blocks_of
from tests.docs.reader import ROOT
from tests.docs.said import strings, texts

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()


def entries() -> list[str]:
    """The texts that the page has."""
    return [line for block in blocks_of(PAGE) for line in block.text.splitlines()]


def test_everything_that_is_said_has_its_entry() -> None:
    """Each error and each line of the log at WARNING or above, read from the code."""
    said = texts()
    assert len(said) > 200
    assert sorted(said - set(entries())) == []


def test_every_entry_is_said() -> None:
    """What is not said any more, or is said in other words, is not looked for."""
    in_code = strings()
    assert [line for line in entries() if line not in in_code] == []


def test_no_text_stands_twice() -> None:
    """There is one answer to each."""
    assert len(entries()) == len(set(entries()))


def test_every_entry_says_what_to_do() -> None:
    """Behind the texts of each section stands a paragraph."""
    sections = re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
    assert len(sections) > 40
    assert [one.partition("\n")[0] for one in sections if len(one.partition("```\n\n")[2].strip()) < 40] == []
