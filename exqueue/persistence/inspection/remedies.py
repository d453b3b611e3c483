"""What repair does: small steps that a backend carries out, none of which deletes a record.

None is carried out when what it is about has changed since it was looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from exqueue.persistence.inspection.report import Finding, Kind

if TYPE_CHECKING:
    from exqueue.persistence.inspection.facts import Line


@dataclass(frozen=True, slots=True)
class Put:
    """Take a job out of wherever it stands, and put it into one line; its run is over.

    Args:
        queue: of the job.
        id: of a job that has a record.
        line: any but ``running``. A job that stands in ``ready`` keeps its first entry there.
        number: its place, or the time; ``None``: the end of the ready line, or now.
        is_lost: count a recovery.
        trail: replaces the stored one; ``None`` keeps it.
        mark: of a death that is to be reported, unless it has one; ``None`` leaves it as it is.
    """

    queue: str
    id: str
    line: Line
    number: float | None = None
    is_lost: bool = False
    trail: bytes | None = None
    mark: bytes | None = None


@dataclass(frozen=True, slots=True)
class Forget:
    """Remove all that is left of an id that has no record."""

    queue: str
    id: str


@dataclass(frozen=True, slots=True)
class SetTrail:
    """Replace the trail of a job."""

    queue: str
    id: str
    trail: bytes


@dataclass(frozen=True, slots=True)
class SetRecovered:
    """Replace the times of the recoveries of a job."""

    queue: str
    id: str
    times: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SetHusks:
    """Set how many entries of an id in the ready line are to be skipped."""

    queue: str
    id: str
    count: int


@dataclass(frozen=True, slots=True)
class DropMark:
    """Remove the mark of a death."""

    queue: str
    id: str


@dataclass(frozen=True, slots=True)
class DropRun:
    """Remove the run of a job that does not run."""

    queue: str
    id: str


@dataclass(frozen=True, slots=True)
class SetOwner:
    """Set a number or a text of the queue; ``None``: as when it was never set. ``was``: what must still stand there."""

    queue: str
    field: str
    value: int | None
    was: int | str | None = None


@dataclass(frozen=True, slots=True)
class ListQueue:
    """Put a queue on the list of queues."""

    queue: str


@dataclass(frozen=True, slots=True)
class SetFence:
    """Let the next leadership have an epoch above this one; nothing when it would anyway."""

    epoch: int


@dataclass(frozen=True, slots=True)
class LimitLease:
    """Let the lease end in so many seconds, unless it is renewed."""

    seconds: float


@dataclass(frozen=True, slots=True)
class EndLease:
    """Remove a lease that nobody can hold."""


@dataclass(frozen=True, slots=True)
class Own:
    """A step that only the backend knows: ``what`` it does with ``args``. ``seen``: what must still be so, in Redis."""

    what: str
    args: tuple[Any, ...]
    seen: tuple[Any, ...] = ()


Remedy = (
    Put
    | Forget
    | SetTrail
    | SetRecovered
    | SetHusks
    | DropMark
    | DropRun
    | SetOwner
    | ListQueue
    | SetFence
    | LimitLease
    | EndLease
    | Own
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A finding and what mends it; without a remedy it ends by itself, or only a person can mend it.

    ``stamp``: of the job that it is about, see `exqueue.persistence.inspection.facts.JobFacts`.
    """

    finding: Finding
    remedy: Remedy | None
    stamp: bytes = b""


class Blame(Protocol):
    """Makes faults of one queue or job."""

    def __call__(self, kind: Kind, explanation: str, repair: str, remedy: Remedy | None) -> Fault:
        """See `Finding`."""


def blame(queue: str | None, job_id: str | None = None) -> Blame:
    """What makes the faults of one queue or job."""

    def fault(kind: Kind, explanation: str, repair: str, remedy: Remedy | None) -> Fault:
        return Fault(Finding(kind, queue, job_id, explanation, repair), remedy)

    return fault
