"""What the jobs themselves wrote: 24 bytes each, times in ns of the monotonic clock, which all processes share."""

from __future__ import annotations

import functools
import math
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LAYOUT: Final = struct.Struct("<qqq")
NS: Final = 1_000_000_000
VARIABLE: Final = "BENCH_RECORDS"
"""The environment variable that names the file."""


@dataclass(frozen=True, slots=True)
class Record:
    """One run of a job. ``mark`` is what its enqueuer gave it: the time of its enqueue, or its number."""

    mark: int
    begun_ns: int
    ended_ns: int


@functools.cache
def _file() -> int:
    return os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def write(mark: int, begun_ns: int, ended_ns: int) -> None:
    """Leave a record; each is written whole, whatever other threads and processes write meanwhile."""
    os.write(_file(), LAYOUT.pack(mark, begun_ns, ended_ns))


def count(path: Path) -> int:
    """How many jobs have written."""
    try:
        return path.stat().st_size // LAYOUT.size
    except FileNotFoundError:
        return 0


def read(path: Path) -> list[Record]:
    """All records, in the order in which they were written."""
    return [Record(*values) for values in LAYOUT.iter_unpack(path.read_bytes())]


def rate(records: Sequence[Record]) -> float:
    """Jobs a second, from the end of the first job to the end of the last: what came before is start-up.

    Raises:
        ValueError: fewer than two jobs ended.
    """
    if len(records) < 2:  # noqa: PLR2004 - a time needs two ends
        raise ValueError(f"a rate needs two jobs, {len(records)} ended")
    ended = [record.ended_ns for record in records]
    return (len(ended) - 1) * NS / max(1, max(ended) - min(ended))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all does not exceed.

    Args:
        values: in any order.
        share: over 0 and at most 1.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    return sorted(values)[math.ceil(share * len(values)) - 1]
