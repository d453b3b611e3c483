"""Replies: what a system answers. Times ``..._at`` are seconds since the Unix epoch by the persistence's clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exqueue.persistence.values import Removed, State
    from exqueue.record import JobError


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """One queue at one moment.

    Args:
        name: of the queue.
        ready: jobs that could run now.
        waiting: jobs that are delayed or will be retried.
        running: jobs in a worker's hands.
        dead: jobs that wait for a person.
        paused: whether nothing is fetched until `ResumeQueue`.
        concurrency: its workers; ``None`` where no node works it.
        serial: whether each job waits for the success of the one before; ``None`` where no node works it.
        halted_by: the id of the dead job at the head of a serial queue, which nothing passes.
        abandoned: threads that did not end when their worker was stopped or replaced, and still run.
        suspects: jobs that were lost with their node twice or more.
        worked_by: the node that works it.
        oldest_ready_s: for how many seconds the next job in line has existed.
        processed: runs that succeeded, since the queue exists.
        failed: runs that failed, since the queue exists.
        damage: what a person has to mend in the store before the queue goes on, and how; ``None`` when all is well.
            What can't be counted then is 0.
    """

    name: str
    ready: int
    waiting: int
    running: int
    dead: int
    paused: bool
    concurrency: int | None
    serial: bool | None
    halted_by: str | None
    abandoned: int
    suspects: int
    worked_by: str | None
    oldest_ready_s: float | None
    processed: int
    failed: int
    damage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningJob:
    """A job in a worker's hands.

    Args:
        id: of the job.
        job: the name of its class.
        queue: of the job.
        worker: the path of its worker; empty for some seconds, until its node has told the others.
        node: of the worker.
        attempt: from 1.
        started_at: when it was handed out.
        running_s: seconds since.
        abandoned: whether its worker was stopped or replaced meanwhile and its thread runs on; the job is settled when
            it ends.
    """

    id: str
    job: str
    queue: str
    worker: str
    node: str
    attempt: int
    started_at: float
    running_s: float
    abandoned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStatus:
    """The namespace at one moment.

    Args:
        node: that was asked.
        is_leader: whether that node works the queues.
        leader: the node that does; ``None`` when none does.
        epoch: the number of the leadership, where there is none of the last one; 0 when there was none yet. In an
            outage and of a stopped system the last one that it has heard of.
        queues: sorted by name.
        running: jobs in workers' hands.
        nodes: the names of those alive, sorted.
        outage_since: since when the persistence has not answered this node, or refuses; ``None`` when all is well.
        outage_reason: what it or the network said.
        failed: what a person has to mend, a sentence each: two classes of one name, a queue that is parked or damaged,
            jobs that wait for a newer version, a system that gave up. Empty when all is well.
        address: where the jobs are kept: the URL without user and password, of a file its absolute path.
    """

    node: str
    is_leader: bool
    leader: str | None
    epoch: int
    queues: tuple[QueueStatus, ...]
    running: tuple[RunningJob, ...]
    nodes: tuple[str, ...]
    outage_since: float | None
    outage_reason: str | None
    failed: tuple[str, ...]
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInfo:
    """A stored job.

    Args:
        id: of the job.
        job: the name of its class; empty when the record can't be decoded.
        queue: of the job.
        state: see `exqueue.persistence.values.State`.
        kwargs: its arguments, built in the thread of whoever asks, or for a future of whoever gets its answer; what
            can't be built here is an `exqueue.Unknown`. ``None`` when the record can't be decoded.
        failures: errors raised since it was enqueued or revived.
        recoveries: how often it was lost with its node, lately.
        max_retries: of its class; ``None`` on a node that does not know the class.
        errors: the ones that are kept, the last one last.
        enqueued_at: when it was stored; ``None`` when the record can't be decoded.
        due_at: before when a waiting job will not run.
        started_at: when a running job was handed out.
        unreadable: why the record can't be decoded; ``None`` when it can.
    """

    id: str
    job: str
    queue: str
    state: State
    kwargs: Mapping[str, object] | None
    failures: int
    recoveries: int
    max_retries: int | None
    errors: tuple[JobError, ...]
    enqueued_at: float | None
    due_at: float | None
    started_at: float | None
    unreadable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorInfo:
    """An actor of the live tree.

    Args:
        name: its path, ``queues/mail/worker-1``; the root's is ``system``.
        role: the name of its class.
        alive: whether it handles messages.
        restarts: how often it was started again.
        mailbox: messages that wait for it.
        doing: what it is at, a phrase for people; ``None`` when idle.
        children: in the order in which they were started.
    """

    name: str
    role: str
    alive: bool
    restarts: int
    mailbox: int
    doing: str | None
    children: tuple[ActorInfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelResult:
    """The job was removed.

    Args:
        id: of the job.
        queue: in which it was.
        state: in which it was: ``ready``, ``waiting`` or ``dead``.
    """

    id: str
    queue: str
    state: Removed
