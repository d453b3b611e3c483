"""The fenced blocks of a page, and what is said of each in the comment before it.

A page is read from top to bottom by somebody who types what stands in it, so a block is run as follows:

- ``python``: a program, in a new process. A ``text`` block after it, behind a paragraph that ends in ``prints:``, is
  all that it prints.
- ``python title="app.py"``, and any other language with a title: a file that is written, for the commands after it.
- ``console``: each line that begins with ``$`` is a command, and the lines below are what it says.
- ``sh``: commands, of which none fails.
- ``pycon``: a session at Python's prompt.
- ``toml``, ``json``: is parsed. ``text`` and ``mermaid`` are for people.
- Anything else needs a title, or one of the comments below.

``...`` in what is expected stands for anything. A comment directly before a block may say:

- ``<!-- goes on -->``: what the program before has defined is there, and what it has printed is not compared again.
- ``<!-- with: ... -->``: these lines are run before the block, in the same program.
- ``<!-- excerpt: path -->``: it stands so in that file of the repository, which has a test of its own.
- ``<!-- not run: reason -->``: it can't be run here.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LANGUAGES = frozenset(
    {"python", "pycon", "console", "sh", "toml", "json", "text", "mermaid", "ini", "yaml", "dockerfile"}
)
DIRECTIVES = ("goes on", "with", "excerpt", "not run")

_BLOCK = re.compile(
    r"^(?:<!--(?P<comment>.*?)-->\n\n?)?(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```[ ]*$",
    re.DOTALL | re.MULTILINE,
)
_TITLE = re.compile(r'title="([^"]+)"')
_PRINTS = re.compile(r"prints[^\n.]*:\s*\Z")


class BadBlock(Exception):
    """A block is none that can be understood. The message says why, and its line."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block.

    Args:
        line: of its fence, from 1.
        language: one of `LANGUAGES`.
        title: the name of the file that it is; empty where it is none.
        text: what stands between its fences, without their indentation.
        directive: one of `DIRECTIVES`, or empty.
        value: what is said behind the directive's colon.
        is_output: whether it is what the program before it prints.
    """

    line: int
    language: str
    title: str
    text: str
    directive: str
    value: str
    is_output: bool


def blocks_of(page: str) -> Iterator[Block]:
    """Read a page.

    Raises:
        BadBlock: a fence has no language that is known here, or the comment before it says nothing.
    """
    end = 0
    for found in _BLOCK.finditer(page):
        line = page.count("\n", 0, found.start("info")) + 1
        language = found["info"].split()[0] if found["info"].strip() else ""
        if language not in LANGUAGES:
            raise BadBlock(f"line {line}: the language {language!r} is none of {', '.join(sorted(LANGUAGES))}")
        directive, _, value = (found["comment"] or "").partition(":")
        if directive.strip() in DIRECTIVES[1:] and not value.strip():
            raise BadBlock(f"line {line}: {directive.strip()!r} says nothing behind its colon")
        title = _TITLE.search(found["info"])
        yield Block(
            line=line,
            language=language,
            title=title[1] if title else "",
            text=re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE),
            directive=directive.strip() if directive.strip() in DIRECTIVES else "",
            value=textwrap.dedent(value).strip(),
            is_output=language == "text" and _PRINTS.search(page[end : found.start()]) is not None,
        )
        end = found.end()
