"""What stands on the board of a system: each table, its rows, who writes them and who reads them.

The board outlives actors. What must survive the crash of one of them stands here, and nothing else does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from exqueue.execution import Run
    from exqueue.job import JobDefinition
    from exqueue.options import JobOptions
    from exqueue.supervision import Board, Table

ROOT = ""
"""The name of the root of the tree."""

RunKey = tuple[str, bytes]
"""A run on this node: the job's id and the opaque name of its run."""


class DeathKey(NamedTuple):
    """A death: its queue, the job's id and the opaque name of the run that buried it."""

    queue: str
    id: str
    run: bytes


@dataclass(frozen=True, slots=True)
class RegisteredJob:
    """A job class that was started here, with its options as they are now.

    ``is_stopped``: it was stopped since, and its queue goes on with other classes.
    """

    definition: JobDefinition
    options: JobOptions
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """A queue that was started here: what holds for it as a whole, and the names of the classes that are started.

    ``jobs`` is empty when the last of them was stopped and what runs has not ended yet.
    """

    concurrency: int
    serial: bool
    jobs: tuple[str, ...]


NO_SLOTS = QueueSettings(concurrency=0, serial=False, jobs=())
"""What holds for a queue that is being stopped."""


@dataclass(frozen=True, slots=True)
class Quiescing:
    """A queue is being stopped: until when (monotonic) its running jobs may go on."""

    until: float


@dataclass(frozen=True, slots=True)
class RunningRow:
    """A run that a Worker has begun. ``urn`` names the very actor, of whichever generation."""

    worker: str
    urn: str
    started_at: float
    run: Run


@dataclass(frozen=True, slots=True)
class OutageRow:
    """The persistence does not answer an actor, or refuses: since when (Unix time) and what it said.

    ``is_local``: it is a matter of some keys, or of new jobs only; the rest is answered. ``is_refusal``: it ends only
    when a person acts.
    """

    since: float
    reason: str
    is_local: bool = False
    is_refusal: bool = False

    def __str__(self) -> str:
        """What is the matter, with the reason."""
        return f"the persistence {'refuses' if self.is_refusal else 'does not answer'}: {self.reason}"


class RunTables:
    """The runs of one queue on this node. An entry goes from hand to hand, so that no single crash loses it.

    - ``handed``: written by the Fetcher before it tells the Worker; taken by the Worker, with one atomic ``pop``, when
      it begins, or by the Fetcher that takes it back.
    - ``running``: written by the Worker before it takes ``handed``, removed after it wrote ``ended``.
    - ``ended``: the outcome, written by the Worker; removed by the Fetcher when the persistence has confirmed it.
    - ``superseded``: runs that are over for the persistence while their thread still executes; written by the Fetcher,
      read by `exqueue.current_job`, removed by the Worker at the end of the thread.
    """

    __slots__ = ("ended", "handed", "running", "superseded")

    def __init__(self, board: Board, queue: str) -> None:
        self.handed = board.table(f"handed:{queue}")
        self.running = board.table(f"running:{queue}")
        self.ended = board.table(f"ended:{queue}")
        self.superseded = board.table(f"superseded:{queue}")

    def is_empty(self) -> bool:
        """Whether nothing of the queue is in anybody's hands here, nor waits to be settled."""
        return not (self.handed or self.running or self.ended)


def jobs_table(board: Board) -> Table:
    """Name or alias -> `RegisteredJob`. Written by Queues; read by Workers."""
    return board.table("jobs")


def queues_table(board: Board) -> Table:
    """Queue -> `QueueSettings`. Written by Queues; read by all."""
    return board.table("queues")


def lead_table(board: Board) -> Table:
    """``fence`` -> `Fence` while this node leads, ``lease_until`` -> boot time. Written by the Leader; read by all."""
    return board.table("lead")


def epochs_table(board: Board) -> Table:
    """``leader``, ``operator`` -> the last epoch that it has heard of. Written by these two."""
    return board.table("epochs")


def known_epoch(board: Board) -> int:
    """The last epoch that this system has heard of; 0 for none."""
    return max(epochs_table(board).copy().values(), default=0)


def seen_table(board: Board) -> Table:
    """``listening`` -> True while others can see that this system is there. Written by the Listener, for the Leader."""
    return board.table("seen")


def seats_table(board: Board) -> Table:
    """Queue -> the seat of its Fetcher. Written by Fetchers; a Worker begins no run of another seat."""
    return board.table("seats")


def owned_table(board: Board) -> Table:
    """Queue -> `Owned`, as of the last answer to its Fetcher. Written by Fetchers; swept by the Listener."""
    return board.table("owned")


def outages_table(board: Board) -> Table:
    """Actor -> `OutageRow` while it meets an outage. Written by that actor; read by the Operator."""
    return board.table("outages")


def outage_table(board: Board) -> Table:
    """``first`` -> the `OutageRow` with which the present outage began, ``now`` -> since then, and what was said last.

    Besides, ``said: <refusal>`` (nothing after the colon: it does not answer) -> the row with which that is in the log.
    And ``met: <refusal>`` -> when (Unix time) one that may pass was first met.
    Written by whoever meets or leaves it; the others mean nothing without ``first``.
    """
    return board.table("outage")


def present_outage(board: Board) -> OutageRow | None:
    """Since when there is an outage, and what was said last."""
    outage = outage_table(board).copy()
    row: OutageRow | None = outage.get("now", outage["first"]) if "first" in outage else None
    return row


def backlog_table(board: Board) -> Table:
    """``jobs`` -> how many the Producer keeps while it waits an outage out. Written by it; read by who enqueues."""
    return board.table("backlog")


def quiescing_table(board: Board) -> Table:
    """Queue -> `Quiescing` while it is being stopped. Written by Queues; see `quiescing_of`."""
    return board.table("quiescing")


def stop_table(board: Board) -> Table:
    """``system`` -> `Quiescing` once the whole system, and so every queue, is being stopped. Written by the root."""
    return board.table("stop")


def is_stopping(board: Board) -> bool:
    """Whether the whole system is being stopped."""
    return "system" in stop_table(board)


def quiescing_of(board: Board, queue: str) -> Quiescing | None:
    """How long what runs of this queue may go on, now that it, or the system, is being stopped; ``None``: it is not."""
    row: Quiescing | None = stop_table(board).get("system", quiescing_table(board).get(queue))
    return row


def suspects_table(board: Board) -> Table:
    """Queue -> the run of its suspect, or ``None`` for the mere intention. Written by Fetchers; read by Fetchers."""
    return board.table("suspects")


def waiting_suspects_table(board: Board) -> Table:
    """Queue -> True while a suspect of it waits for leave. Written by Fetchers; read by who gives leave back."""
    return board.table("waiting suspects")


def deaths_table(board: Board) -> Table:
    """`DeathKey` -> `JobDied` that is not in the log yet. Written by Fetchers and the Reporter, which removes it."""
    return board.table("deaths")


def unmarked_table(board: Board) -> Table:
    """`DeathKey` -> True: it is in the log, and the persistence does not know yet. Written by the Reporter."""
    return board.table("unmarked deaths")


def unswept_table(board: Board) -> Table:
    """Queue -> when it was claimed (monotonic), until it was looked through for deaths that nobody reported.

    Written by Fetchers and the Leader; removed by the Reporter.
    """
    return board.table("unswept queues")


def found_deaths_table(board: Board) -> Table:
    """`DeathKey` -> True: found in the persistence, and in the log, the newest last. Written by the Reporter."""
    return board.table("found deaths")


def reports_table(board: Board) -> Table:
    """`DeathKey` -> `JobDied` for ``report=``, the oldest first. Written by the Reporter; removed by the Courier."""
    return board.table("reports")


def subscribers_table(board: Board) -> Table:
    """Urn of a subscriber -> names of event types. Written by the Reporter; read by whoever makes events."""
    return board.table("subscribers")


def damage_table(board: Board) -> Table:
    """Queue -> since when it is known to be damaged, and the reason; see `exqueue.actors.damage`.

    Written by its Fetcher or, where it is not started here, by the Leader; read by the Listener and the Operator.
    """
    return board.table("damage")


def damage_seen_table(board: Board) -> Table:
    """Queue -> what the last status found damaged and nobody had met. Written by the Operator; read by who meets it."""
    return board.table("damage seen")


def failures_table(board: Board) -> Table:
    """What of this system can't work, for the status: a word -> a sentence. Written by Queues and the root."""
    return board.table("failures")


def has_given_up(board: Board) -> bool:
    """Whether the system has ended because too much of it crashed."""
    return "system" in failures_table(board)


def abandoned_table(board: Board) -> Table:
    """Urn -> path, of abandoned threads. Written by supervisors; read by Fetchers."""
    return board.table("abandoned threads")


def abandoned_count(board: Board, queue: str) -> int:
    """How many abandoned threads a queue has."""
    below = f"queues/{queue}/"
    return sum(path.startswith(below) for path in list(abandoned_table(board).values()))


def running_count(board: Board) -> int:
    """How many runs the Workers of this node have begun and not ended."""
    return sum(len(RunTables(board, queue).running) for queue in tuple(queues_table(board)))


def fetcher_of(queue: str) -> str:
    """The name of a queue's Fetcher."""
    return f"queues/{queue}/fetcher"


def worker_of(queue: str, number: int) -> str:
    """The name of a queue's Worker, from 1."""
    return f"queues/{queue}/worker-{number}"
