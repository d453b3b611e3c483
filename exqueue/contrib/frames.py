"""The lines of code in the text of a traceback, for services that show and group by them."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_FRAME: Final = re.compile(r'^  File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<function>.+)$', re.MULTILINE)
_HEAD: Final = "Traceback (most recent call last):\n"


class Frame(NamedTuple):
    """One of them, as Python prints it."""

    file: str
    line: int
    function: str


def frames_of(traceback: str) -> tuple[Frame, ...]:
    """Those of the last exception in the text, the outermost first; none where there is no such text."""
    last = traceback.rpartition(_HEAD)[2]
    return tuple(Frame(found["file"], int(found["line"]), found["function"]) for found in _FRAME.finditer(last))
