"""What the actors tell each other. Each message has one receiving role, named in its docstring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from exqueue.actors.tables import RunKey
    from exqueue.execution import Run
    from exqueue.persistence.values import Fence, NewJob, Owned, Signal


# -- Leader
@dataclass(frozen=True, slots=True)
class QueuesChanged:
    """To the Leader: the table of started queues is another one."""


@dataclass(frozen=True, slots=True)
class FenceRefused:
    """To the Leader: a queue refused ``fence``; it is claimed with ``epoch``."""

    fence: Fence
    epoch: int


@dataclass(frozen=True, slots=True)
class LockFree:
    """To the Leader: somebody released the lock (a hint)."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """To the Leader: others can't see any more that this system is there; let renewals show it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """To the Leader: others can see that this system is there; let the lease say so at once."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """To the Leader, from its timer: renew, or try to acquire."""


# -- Fetcher
@dataclass(frozen=True, slots=True)
class Lead:
    """To a Fetcher: this node leads with ``fence``; claim the queue, unless it is claimed with it already."""

    fence: Fence


@dataclass(frozen=True, slots=True)
class StandDown:
    """To a Fetcher: this node does not lead any more."""


@dataclass(frozen=True, slots=True)
class Wake:
    """To a Fetcher: there may be something to fetch (a hint, or a timer)."""


@dataclass(frozen=True, slots=True)
class JobDue:
    """To a Fetcher, from its timer: the next waiting job is due."""


@dataclass(frozen=True, slots=True)
class Nudge:
    """To a Fetcher, from itself: have another turn."""


@dataclass(frozen=True, slots=True)
class Swept:
    """To a Fetcher: what a sweep found about the state that the Fetcher had written on the board."""

    owned: Owned
    verdict: Literal["stale", "due"]


@dataclass(frozen=True, slots=True)
class WorkerReady:
    """To a Fetcher: the Worker of this name waits for a run. ``urn`` names the very actor."""

    worker: str
    urn: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """To a Fetcher: the outcome of this run stands on the board, and the Worker waits (``None``: it is gone)."""

    key: RunKey
    worker: str | None


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """To a Fetcher: the queue's row in the table of queues is another one."""


@dataclass(frozen=True, slots=True)
class Quiesce:
    """To a Fetcher: the queue's row in the table of queues that are being stopped is another one."""


@dataclass(frozen=True, slots=True)
class PatienceEnds:
    """To a Fetcher, from its timer: what still runs is given back now."""


@dataclass(frozen=True, slots=True)
class Audit:
    """To a Fetcher, from its timer: look whether each run is still in somebody's hands."""


# -- Worker
@dataclass(frozen=True, slots=True)
class BeginRun:
    """To a Worker: begin this run, if it is still handed to you."""

    run: Run


@dataclass(frozen=True, slots=True)
class ReportIn:
    """To a Worker: tell the Fetcher when you wait."""


@dataclass(frozen=True, slots=True)
class Retire:
    """To a Worker: end; the queue has fewer slots from now on."""


# -- Queues and the root
@dataclass(frozen=True, slots=True)
class Quiet:
    """To Queues and the root: nothing of this queue runs here any more, and all of it is settled.

    ``until``: of the row under which that holds, so that it is not taken for a later stop's.
    """

    queue: str
    until: float


@dataclass(frozen=True, slots=True)
class Resize:
    """To a QueueSupervisor: have as many Workers as the table of queues says, then tell ``queues`` `Resized`."""


@dataclass(frozen=True, slots=True)
class Resized:
    """To Queues: the Workers of this queue stand."""

    queue: str


@dataclass(frozen=True, slots=True)
class StopSystem:
    """To the root: end everything in good order."""


@dataclass(frozen=True, slots=True)
class PatienceIsOver:
    """To the root, from its timer: stop the tree although a queue is not quiet."""


@dataclass(frozen=True, slots=True)
class LookAround:
    """To the root, from its timer: have every supervisor check the threads of its children."""


# -- Producer
@dataclass(frozen=True, slots=True)
class Store:
    """To the Producer: store these jobs of one queue, all or none; the answer to ``ask`` is ``None``.

    ``size``: bytes of the records.
    """

    queue: str
    jobs: tuple[NewJob, ...]
    size: int

    @property
    def named(self) -> str:
        """Its jobs, for people: the id of the first, and how many more there are."""
        more = len(self.jobs) - 1
        return f"job {self.jobs[0].id}" + (f" and {more} more" if more else "")


@dataclass(frozen=True, slots=True)
class Flush:
    """To the Producer: answer when all that came before is stored or refused, with the number of its last push."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """To the actor itself, from its timer: the persistence may answer again."""


# -- Operator
@dataclass(frozen=True, slots=True)
class WhatIsLeft:
    """To the Operator: what the started queues have ready, running or due. Answers a phrase, empty for nothing."""


@dataclass(frozen=True, slots=True)
class NextBatch:
    """To the Operator, from itself: go on with the command on all dead jobs that is under way."""


# -- Queues
@dataclass(frozen=True, slots=True)
class CatchUp:
    """To Queues: answer ``None`` when all that came before is done."""


# -- Listener
@dataclass(frozen=True, slots=True)
class Listening:
    """To the Listener, from its reader: the subscription stands."""

    reader: int


@dataclass(frozen=True, slots=True)
class Heard:
    """To the Listener, from its reader: a signal of the persistence."""

    signal: Signal


@dataclass(frozen=True, slots=True)
class Deaf:
    """To the Listener, from its reader: the subscription is broken, the reader has ended."""

    reader: int
    reason: str


@dataclass(frozen=True, slots=True)
class ListenAgain:
    """To the Listener, from its timer: subscribe anew."""


@dataclass(frozen=True, slots=True)
class SweepDue:
    """To the Listener, from its timer: sweep the idle queues and beat."""


@dataclass(frozen=True, slots=True)
class BeatNow:
    """To the Listener: what this node does has changed; tell the others."""


# -- Reporter
@dataclass(frozen=True, slots=True)
class Say:
    """To the Reporter: write this line to the log, at this level of `logging`."""

    level: int
    line: str


@dataclass(frozen=True, slots=True)
class ToldNoMore:
    """To the Reporter, from the thread of a subscriber: its ``tell`` raised; ``number``: of its subscription."""

    urn: str
    number: int
    why: str


@dataclass(frozen=True, slots=True)
class DeathsNoted:
    """To the Reporter: there are deaths on the board that are not in the log yet."""


@dataclass(frozen=True, slots=True)
class LookForDeaths:
    """To the Reporter: queues were claimed (they stand on the board); others may have left deaths unsaid in them."""


@dataclass(frozen=True, slots=True)
class BooksDue:
    """To the Reporter, from its timer: tell the persistence what is in the log, and look for what is not."""


@dataclass(frozen=True, slots=True)
class ReportsNoted:
    """To the Courier: there are deaths on the board for ``report=``."""


FetcherMessage = (
    Lead
    | StandDown
    | Wake
    | JobDue
    | Nudge
    | TryAgain
    | Swept
    | WorkerReady
    | RunEnded
    | SettingsChanged
    | Quiesce
    | PatienceEnds
    | Audit
)
"""What a Fetcher is told."""
