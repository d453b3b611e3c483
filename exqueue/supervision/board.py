"""A table of values that outlives the actors who write it, like an ETS table owned by the root."""

from __future__ import annotations

import itertools
from typing import Any


class Table(dict[Any, Any]):
    """One table of the board. A ``dict`` whose single operations are atomic: ``[]=``, ``get``, ``pop``, ``list(...)``.

    A read that must see one moment takes a snapshot (``list(table.items())``), never an iteration.
    """

    __slots__ = ()


class Board:
    """Named tables of one system, handed down in child specs. Anyone reads; who writes is said where a table is named.

    Only values stand on it, never an actor.
    """

    __slots__ = ("_counters", "_tables")

    def __init__(self) -> None:
        self._tables: dict[str, Table] = {}
        self._counters: dict[str, itertools.count[int]] = {}

    def table(self, name: str) -> Table:
        """The table of this name, made when it is first asked for."""
        # setdefault is one atomic step: two actors that ask at once get the same table.
        return self._tables.setdefault(name, Table())

    def next_number(self, name: str) -> int:
        """The next number of a counter that only grows, from 1, over the whole life of the system."""
        return next(self._counters.setdefault(name, itertools.count(1)))

    def tables(self) -> tuple[str, ...]:
        """The names of all tables."""
        return tuple(self._tables)
