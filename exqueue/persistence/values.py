"""What goes in and out of a persistence: values, and the bounds that hold for them.

Text is ``str``; a record, a trail and a run are opaque ``bytes``. Times are seconds (float): durations relative,
``..._at`` since the Unix epoch by the persistence's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MAX_BATCH = 1_000
"""The most jobs of one `Push`, settlements of one exchange, ids of one command, and ``want``."""

MAX_PROMOTED = 500
"""The most waiting jobs that one exchange moves to the ready line."""

MAX_WEIGHED = 100
"""The most suspects whose recoveries one exchange looks at for `Leave.poison_from`."""

CALLER_KEPT_S = 3_600
"""How long the last number and reply of a caller are kept."""

SUSPECT_AFTER = 2
"""A job with this many recoveries within `RECOVERY_WINDOW_S` is a suspect."""

RECOVERY_WINDOW_S = 72 * 3_600
"""Recoveries older than this are forgotten."""

State = Literal["ready", "waiting", "running", "dead"]
Verdict = Literal["fine", "stale", "due"]
Removed = Literal["ready", "waiting", "running", "dead"]


@dataclass(frozen=True, slots=True)
class Fence:
    """A leadership: ``epoch`` only ever grows; ``token`` is drawn by the node, for the case of the same epoch twice."""

    epoch: int
    token: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock: the lease that stands, as `Session.evict` names it.

    ``renewal``: opaque, another one after each renewal (in Redis, the ms of it), so that the lease of a holder that
    goes on renewing is told from that of one that does not. ``seen_by``: what `Session.presence` said in the step that
    acquired or last renewed it: the run of the server that saw the holder present (``""`` where there is none), or
    ``None`` when nobody saw it or that can't be known. Two holders are equal whatever these two are.
    """

    epoch: int
    token: str
    node: str
    renewal: int = field(default=0, compare=False)
    seen_by: str | None = field(default=None, compare=False)


Witnessed = Literal["present", "absent", "gone", "unknown"]


@dataclass(frozen=True, slots=True)
class Presence:
    """What can be seen of the system that holds the lock, see `Session.presence`.

    ``state``: ``present``; ``absent`` (its subscription is closed, which a lost connection also does, so it has to
    last); ``gone`` (its process has ended, for certain); ``unknown``. ``server``: which run of the server saw it, or
    ``""`` where there is none; what another run saw proves nothing.
    """

    state: Witnessed
    server: str = ""


UNKNOWN = Presence("unknown")
"""Nothing is known of a system; its lease has to end by itself."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to store. Due at ``at`` if given, else ``delay`` seconds from now; ready at once when neither is ahead."""

    id: str
    record: bytes
    delay: float = 0.0
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """Jobs of one queue, at most `MAX_BATCH`, stored all or none under the caller's number ``n``."""

    queue: str
    n: int
    jobs: tuple[NewJob, ...]


# --- settlements: how a run ended. ``run`` is the value of the job's running entry, compared byte by byte.
@dataclass(frozen=True, slots=True)
class Done:
    """The run succeeded: the job is gone, with its trail and recoveries; a serial head is cleared."""

    id: str
    run: bytes


@dataclass(frozen=True, slots=True)
class Retry:
    """The run failed: the job waits ``delay`` seconds. ``trail`` replaces the stored one.

    With ``None`` the run was postponed: the stored trail is kept, and no failure is counted.
    """

    id: str
    run: bytes
    delay: float
    trail: bytes | None


@dataclass(frozen=True, slots=True)
class Bury:
    """The job is dead until a person retries or deletes it. ``trail`` replaces the stored one (``None`` keeps it).

    The same step marks the death as not reported yet, see `Session.unreported`.
    """

    id: str
    run: bytes
    trail: bytes | None


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The run was interrupted or never begun: back by place, nothing counted."""

    id: str
    run: bytes


@dataclass(frozen=True, slots=True)
class Recovered:
    """The worker's thread died in mid-run: back by place, ``recoveries + 1``."""

    id: str
    run: bytes


Settlement = Done | Retry | Bury | GiveBack | Recovered


@dataclass(frozen=True, slots=True)
class Leave:
    """Which suspects an exchange may hand out; the others are held back.

    ``suspect``: any one. ``poison_from``: besides, all that have so many recoveries, for they are buried and not run;
    `SUSPECT_AFTER` or more; ``None`` where each needs leave.
    """

    suspect: bool = False
    poison_from: int | None = None

    def is_poison(self, recoveries: int) -> bool:
        """Whether a job with so many recoveries is handed out to be buried."""
        return self.poison_from is not None and recoveries >= self.poison_from


NO_LEAVE = Leave()
"""All suspects are held back."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A job handed out, with all that is needed to run it. ``recoveries``: those within `RECOVERY_WINDOW_S`."""

    id: str
    run: bytes
    record: bytes
    trail: bytes | None
    recoveries: int


@dataclass(frozen=True, slots=True)
class RunningEntry:
    """A run that the persistence lists: the job's id and the opaque name of its run."""

    id: str
    run: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """The queue is the claimer's: the last call under its seat, and what runs (empty when the fence changed)."""

    call: int
    runs: tuple[RunningEntry, ...]


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The answer of an exchange.

    ``refused``: positions (from 0) of the settlements whose run was not the job's running one. ``next_due``: seconds
    until the earliest waiting job is due (0.0: due already, exchange again at once), ``None`` when nothing waits.
    ``suspect_waits``: a suspect is held back until an exchange asks with `Leave`.
    """

    jobs: tuple[Fetched, ...]
    refused: tuple[int, ...]
    next_due: float | None
    paused: bool
    suspect_waits: bool


@dataclass(frozen=True, slots=True)
class Owned:
    """What an idle owner believes of its queue; `Session.sweep` compares."""

    queue: str
    fence: Fence
    seat: int
    call: int


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """One queue at one moment.

    ``head``: the job that a serial queue holds on to, and ``head_dead`` whether it is dead (then the queue is
    halted). ``oldest_ready``: the record of the job that is next in line. ``suspects``: jobs with `SUSPECT_AFTER`
    recoveries or more. ``processed`` and ``failed``: settlements `Done`, and `Bury` or `Retry` with a trail, since the
    queue exists.
    """

    queue: str
    ready: int
    waiting: int
    running: int
    dead: int
    paused: bool
    head: str | None
    head_dead: bool
    oldest_ready: bytes | None
    suspects: int
    processed: int
    failed: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The namespace at one moment: the persistence's clock, the lock, and the queues asked for, in that order."""

    now: float
    holder: Holder | None
    queues: tuple[QueueCounts, ...]


@dataclass(frozen=True, slots=True)
class Danger:
    """What in the persistence's own settings endangers jobs, and what to set instead.

    ``is_grave``: it loses jobs without anything failing; otherwise it takes a restart of the server.
    """

    sentence: str
    is_grave: bool


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as it is stored. ``due_at`` for waiting, ``died_at`` for dead, ``started_at`` and ``run`` for running."""

    id: str
    queue: str
    state: State
    record: bytes
    trail: bytes | None
    recoveries: int
    due_at: float | None = None
    died_at: float | None = None
    started_at: float | None = None
    run: bytes | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A death: the job's id and the run that buried it, so that a later death of the same job is another one."""

    id: str
    run: bytes


@dataclass(frozen=True, slots=True)
class Unreported:
    """A dead job whose ERROR is not known to be in the log, and the mark that says so."""

    mark: Mark
    job: StoredJob


@dataclass(frozen=True, slots=True)
class QueueWoken:
    """A hint: the owner of ``queue`` has something to fetch, or the queue was paused or resumed."""

    queue: str


@dataclass(frozen=True, slots=True)
class LockReleased:
    """A hint: the lock is free, a standby may try at once."""


Signal = QueueWoken | LockReleased
