"""Ids in the order of a number that each has: a place or a time."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Line:
    """A sorted line of ids; equal numbers stand in the order of the ids. A change moves what stands behind it: O(n)."""

    def __init__(self) -> None:
        self._order: list[tuple[float, str]] = []
        self._numbers: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._numbers

    def __iter__(self) -> Iterator[tuple[float, str]]:
        return iter(self._order)

    def first(self) -> tuple[float, str] | None:
        """The lowest number and its id; ``None`` when the line is empty."""
        return self._order[0] if self._order else None

    def number(self, job_id: str) -> float:
        """The number of an id that is in the line; `KeyError` when it is not."""
        return self._numbers[job_id]

    def put(self, job_id: str, number: float) -> None:
        """Add an id that is not in the line."""
        self._numbers[job_id] = number
        insort(self._order, (number, job_id))

    def take(self, job_id: str) -> float:
        """Remove an id that is in the line; its number."""
        number = self._numbers.pop(job_id)
        del self._order[bisect_left(self._order, (number, job_id))]
        return number
