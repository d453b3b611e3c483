"""How large a number of a store can be. Beyond it scripts and files count wrong or not at all."""

from __future__ import annotations

import math
from typing import Final

MOST_NUMBER: Final = 2**52
"""No counter, epoch or place ever comes near it; numbers in Lua are exact up to twice that, so that one can go on."""

MOST_TIME_S: Final = 253_402_300_800.0
"""The year 10,000: no calendar goes on."""

CLOCK_SLACK_S: Final = 3_600.0
"""So far a store's clock may have been set back since something happened."""

_MOST_DIGITS: Final = len(str(MOST_NUMBER))


def number_in(text: bytes | str) -> int | None:
    """A number in plain digits, from 0 to `MOST_NUMBER`; ``None`` for anything else."""
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        return None
    number = int(text)
    return number if number <= MOST_NUMBER else None


def is_number(number: int) -> bool:
    """Whether it is from 0 to `MOST_NUMBER`."""
    return 0 <= number <= MOST_NUMBER


def is_time(at: float) -> bool:
    """Whether it is a time of the calendar, in seconds; one before its beginning is only long ago."""
    return math.isfinite(at) and at <= MOST_TIME_S
