"""What a store holds, as plain facts: the same of every backend, and nothing concluded from it.

Times are seconds since the Unix epoch by the store's clock. What could not be read is told in ``unreadable``: the name
of the field, and what stands there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Line = Literal["ready", "returned", "suspects", "waiting", "dead", "running"]
"""Where a job can stand."""

Unreadable = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of a job in a line.

    ``number``: its place in ``returned``, ``suspects`` and ``running``, when it is due in ``waiting``, when it died in
    ``dead``; ``None`` in ``ready``, and where that is not known.
    """

    line: Line
    number: float | None = None


@dataclass(frozen=True, slots=True)
class JobFacts:
    """All that is stored under one id in one queue, seen at one moment.

    ``places``: each entry in a line; husks are none. ``run``: ``place|seat|call|started_ms``. ``recovered``: the times
    of its recoveries that could be read. ``mark``: the run that buried it, until its death is reported. ``entries`` and
    ``husks``: how often it stands in the ready line, and how many of these are to be skipped (Redis only). ``stamp``:
    another one as soon as anything of all that is another; only from `View.confirm`.
    """

    id: str
    record: bytes | None
    places: tuple[Place, ...]
    run: bytes | None = None
    trail: bytes | None = None
    recovered: tuple[float, ...] = ()
    mark: bytes | None = None
    entries: int = 0
    husks: int = 0
    stamp: bytes = b""
    unreadable: Unreadable = ()


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """What is stored of a queue besides its jobs.

    ``known``: it stands on the list of queues, so that a leader claims it. ``epoch`` and ``token``: with which it is
    claimed; 0 and ``None`` when it is not. ``places``: the number of the last first fetch.
    """

    name: str
    known: bool
    epoch: int = 0
    token: str | None = None
    seat: int = 0
    call: int = 0
    places: int = 0
    head: str | None = None
    unreadable: Unreadable = ()


@dataclass(frozen=True, slots=True)
class Count:
    """A count that the store keeps, and what it should be."""

    name: str
    said: int
    found: int


@dataclass(frozen=True, slots=True)
class LeaseFacts:
    """The lease that stands. ``ends_in_s``: ``None`` when it never does."""

    epoch: int
    token: str
    node: str
    ends_in_s: float | None


@dataclass(frozen=True, slots=True)
class LockFacts:
    """The last leadership, the lease, and the store's clock.

    ``epoch`` is 0 when nobody ever led; ``token`` is ``None`` when the last leader has released.
    """

    now: float
    epoch: int = 0
    token: str | None = None
    lease: LeaseFacts | None = None
    unreadable: Unreadable = ()

    @property
    def leader(self) -> str | None:
        """The name of the node that leads now."""
        return None if self.lease is None else self.lease.node
