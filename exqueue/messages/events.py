"""Events: what has happened. Subscribers get them by ``tell``, as hints for people and screens, never for safety.

Times ``at`` are seconds since the Unix epoch by the clock of the node that tells. ``attempt`` counts from 1: the
failures and losses before, plus one. ``job`` is the name of the job class. Events that different actors tell have no
order: a `JobStarted` may arrive before the `JobEnqueued` of its job. When the actor that sends them crashes, those that
waited to be sent are lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from exqueue.persistence.values import Fence
    from exqueue.record import JobError


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnqueued:
    """The job is stored.

    Args:
        id: of the job.
        job: the name of its class.
        queue: of the job.
        node: that stored it.
        at: when this was told.
        due_at: before when it will not run, by this node's clock; ``None``: at once.
    """

    id: str
    job: str
    queue: str
    node: str
    at: float
    due_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    """A worker begins the job.

    Of a job that can't be run at all, as its record is damaged or it was lost too often, only its end is told.

    Args:
        id: of the job.
        job: the name of its class.
        queue: of the job.
        node: that runs it.
        worker: the path of its worker, ``queues/mail/worker-1``.
        attempt: from 1.
        at: when it began.
    """

    id: str
    job: str
    queue: str
    node: str
    worker: str
    attempt: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSucceeded:
    """The job ended without an error, and is gone from the store.

    Args:
        id: of the job.
        job: the name of its class.
        queue: of the job.
        node: that ran it.
        attempt: from 1.
        duration_s: seconds that ``perform`` took.
        at: when this was told, after the persistence had confirmed it.
    """

    id: str
    job: str
    queue: str
    node: str
    attempt: int
    duration_s: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed:
    """The job raised an error and is tried again later.

    Args:
        id: of the job.
        job: the name of its class.
        queue: of the job.
        node: that ran it.
        attempt: from 1; lost runs count.
        failures: how many errors that makes.
        error: that it raised.
        retry_in_s: seconds until it is tried again.
        at: when this was told, after the persistence had confirmed it.
        note: why the backoff of its class could not be used, or ``None``.
    """

    id: str
    job: str
    queue: str
    node: str
    attempt: int
    failures: int
    error: JobError
    retry_in_s: float
    at: float
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDied:
    """The job is dead: it stays in the store until a person retries or deletes it.

    Args:
        id: of the job.
        job: the name of its class; empty when the record can't be decoded.
        queue: of the job.
        node: that buried it; of one that was found after a crash, that of its last error.
        attempts: how often it was begun and failed.
        recoveries: how often it was lost with its node.
        reason: a sentence for people.
        error: the last one; ``None`` when it never raised one (poison, or it can't be decoded).
        at: when this was told; of one that was found after a crash, when it died, by the persistence's clock.
        found_after_crash: whether whoever buried it ended before it could say so.
    """

    id: str
    job: str
    queue: str
    node: str
    attempts: int
    recoveries: int
    reason: str
    error: JobError | None
    at: float
    found_after_crash: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInterrupted:
    """The run did not end by itself; the job goes back to its place, and the attempt does not count.

    Args:
        id: of the job.
        job: the name of its class; empty when the actor that handed the run out crashed since.
        queue: of the job.
        node: that gave it back.
        attempt: from 1; 0 when the actor that handed the run out crashed since.
        reason: a sentence for people.
        at: when this was told.
    """

    id: str
    job: str
    queue: str
    node: str
    attempt: int
    reason: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadershipGained:
    """This node holds the lock and works the queues.

    Args:
        node: its name.
        fence: under which it works; ``fence.epoch`` is the number of the leadership.
        at: when this was told.
    """

    node: str
    fence: Fence
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadershipLost:
    """This node holds the lock no more.

    Args:
        node: its name.
        fence: under which it worked.
        reason: a sentence for people.
        at: when this was told.
    """

    node: str
    fence: Fence
    reason: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorRestarted:
    """An actor crashed and was started again.

    Args:
        name: its path, ``queues/mail/worker-1``.
        role: the name of its class.
        node: on which it runs.
        restarts: how often it was started again.
        reason: what it crashed of, a line for people.
        at: when this was told.
    """

    name: str
    role: str
    node: str
    restarts: int
    reason: str
    at: float


Event = (
    JobEnqueued
    | JobStarted
    | JobSucceeded
    | JobFailed
    | JobDied
    | JobInterrupted
    | LeadershipGained
    | LeadershipLost
    | ActorRestarted
)

EVENT_TYPES: Final[tuple[type[Event], ...]] = (
    JobEnqueued,
    JobStarted,
    JobSucceeded,
    JobFailed,
    JobDied,
    JobInterrupted,
    LeadershipGained,
    LeadershipLost,
    ActorRestarted,
)
"""All types of events, for `Subscribe`."""
