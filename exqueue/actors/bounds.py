"""How many jobs wait on this node to be stored, and how much of them goes in one piece."""

from __future__ import annotations

from typing import Final

MAX_BACKLOG: Final = 10_000
"""Jobs that are kept in memory while the persistence does not answer; past it an enqueue is refused."""

MAX_PUSH_BYTES: Final = 2 * 1024 * 1024
"""The most bytes of records that one push carries, unless a single record is longer."""
