"""Control messages: what supervision itself sends. They overtake the rest of an inbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exqueue.supervision.exits import Exit


@dataclass(frozen=True, slots=True)
class Stop:
    """End after the present message: ``on_stop`` runs, then the thread ends."""


@dataclass(frozen=True, slots=True)
class Crash:
    """Raise in the receiving actor, as an error of its own would: from a watchdog, or a test.

    Args:
        why: the text of that error.
    """

    why: str = "asked to crash"


@dataclass(frozen=True, slots=True)
class Down:
    """An actor ended. Told once to its supervisor and to each monitor.

    Args:
        name: its path.
        urn: names the very actor, so that the end of an earlier one under the same name is not taken for this one's.
        exit: how it ended.
    """

    name: str
    urn: str
    exit: Exit


@dataclass(frozen=True, slots=True)
class Fired:
    """A timer of this actor is due."""

    timer: int
    message: object
