"""A page far back in a ready line of which some entries are to be skipped: found piece by piece."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Look = Callable[[int, int, bool], tuple[int, int, list[tuple[bytes, int]]]]
    """Runs ``look_along.lua`` on the entries from an index on, so many; ``True``: it names the jobs."""

PIECE = 5_000
"""How many entries one run of the script looks at: it takes some milliseconds, and others are served in between."""


def far_back(look: Look, skip: int, most: int) -> tuple[bytes, ...]:
    """The ids of the jobs behind the first ``skip``, at most ``most``.

    Of an id that was cancelled and stored again the first entries are to be skipped, wherever they stand: that can't be
    told from one piece, so all that were met are counted here.
    """
    met: Counter[bytes] = Counter()
    found: dict[bytes, None] = {}
    passed = index = 0
    while True:
        size, certain, entries = look(index, PIECE, skip - passed < PIECE)
        passed += certain
        for job_id, to_skip in entries:
            met[job_id] += to_skip > 0
            if to_skip and met[job_id] <= to_skip:
                continue
            passed += 1
            if passed > skip:
                found[job_id] = None
            if len(found) == most:
                return tuple(found)
        index += size
        if size < PIECE:
            return tuple(found)
