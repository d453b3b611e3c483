"""Ids of jobs: short ones that sort by time, and the rule for those that users choose."""

from __future__ import annotations

import os
import re
import time
from binascii import b2a_base64
from typing import TYPE_CHECKING, Final

from exqueue.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ID: Final = 128
"""The most characters of an id."""

_FOREIGN: Final = re.compile(r"[^A-Za-z0-9_.:@+=/-]")
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_IN_ASCII_ORDER: Final = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_SORTABLE: Final = bytes.maketrans(_BASE64, _IN_ASCII_ORDER)


class IdSource:
    """Makes ids of 16 characters that sort by time as text: 48 bits of time and counter, then 48 random bits.

    The first half counts 1/64 of a millisecond since 1970 (until the year 2109) and always goes up: it is the counter
    too. The second half is drawn for each id, by default from the operating system, so that threads, processes, forks
    and copied machines need to know nothing of each other. Ids of one thread are in the order in which they were made;
    two threads that make one at the same moment may share the first half.

    Args:
        time_s: seconds since the Unix epoch.
        draw: gives so many bytes that nobody else draws.
    """

    __slots__ = ("_draw", "_last", "_time_s")

    def __init__(self, time_s: Callable[[], float] = time.time, draw: Callable[[int], bytes] = os.urandom) -> None:
        self._time_s = time_s
        self._draw = draw
        # Without a lock on purpose: one that is held while the process forks would be held in the child for ever.
        self._last = 0

    def next(self) -> str:
        """Return a new id."""
        now = int(self._time_s() * 64_000)
        self._last = ticks = now if now > self._last else self._last + 1
        text = b2a_base64(ticks.to_bytes(6, "big") + self._draw(6), newline=False)
        return text.translate(_SORTABLE).decode("ascii")


def check_id(text: object) -> str:
    """Return ``text`` when it may be the id of a job: 1 to `MAX_ID` of the characters ``A-Z a-z 0-9 _ . : @ + = / -``.

    Raises:
        ConfigError: it may not.
    """
    if not isinstance(text, str):
        raise ConfigError(f"the id of a job is a str, not {type(text).__name__}")
    if not 1 <= len(text) <= MAX_ID:
        raise ConfigError(f"the id of a job has 1 to {MAX_ID} characters, not {len(text):,}")
    foreign = _FOREIGN.search(text)
    if foreign is not None:
        raise ConfigError(
            f"the id of a job is made of A-Z a-z 0-9 _ . : @ + = / and -; character {foreign.start() + 1} is "
            f"{foreign.group()!a}",
        )
    return text


def check_stored_id(text: object) -> str:
    """Return ``text`` when a store may have it as the id of a job: as `check_id`, or with escaped bytes in it.

    Somebody else may have stored a job under bytes that are no UTF-8. Such a job can be shown and removed.

    Raises:
        ConfigError: no store has it.
    """
    return text if isinstance(text, str) and _has_escaped_bytes(text) else check_id(text)


def is_utf8(text: str) -> bool:
    """Whether text can be encoded: not where a store had bytes that could not be decoded, and are escaped in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _has_escaped_bytes(text: str) -> bool:
    try:
        text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return False
    return not is_utf8(text)
