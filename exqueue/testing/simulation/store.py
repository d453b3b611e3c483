"""Copies of all that a store in memory holds: what a server has of it that comes back with an older snapshot."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NewType

if TYPE_CHECKING:
    from exqueue.persistence.memory import MemoryPersistence
    from exqueue.persistence.memory.store import Store

StoreCopy = NewType("StoreCopy", dict[str, Any])

NOT_STORED = ("lock", "clock", "_listeners")
"""What a server has of its own, whatever it holds."""


def opened(persistence: MemoryPersistence) -> Store:
    """The store behind a persistence, to be looked at."""
    return persistence._opened()  # noqa: SLF001 - no program has a use for it


def take_copy(persistence: MemoryPersistence) -> StoreCopy:
    """All that is stored now."""
    held = {name: value for name, value in vars(opened(persistence)).items() if name not in NOT_STORED}
    return StoreCopy(copy.deepcopy(held))


def put_back(persistence: MemoryPersistence, taken: StoreCopy) -> None:
    """Let the store hold a copy of that again."""
    vars(opened(persistence)).update(copy.deepcopy(taken))
