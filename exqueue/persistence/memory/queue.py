"""One queue in memory: its jobs, the lines that they stand in, and what anyone may do with them."""

from __future__ import annotations

import heapq
import itertools
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, cast

from exqueue.errors import StaleCall
from exqueue.persistence.memory.line import Line
from exqueue.persistence.values import (
    CALLER_KEPT_S,
    RECOVERY_WINDOW_S,
    SUSPECT_AFTER,
    Mark,
    QueueCounts,
    StoredJob,
    Unreported,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from exqueue.persistence.values import Fence, NewJob, Removed, State

Reply = TypeVar("Reply")

FRONT = 0
"""The place of a serial head that comes back from waiting or dead: before every place that was ever drawn."""


@dataclass(slots=True)
class Job:
    """What is kept of a job, whatever line it stands in."""

    record: bytes
    trail: bytes | None = None
    recovered_at: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Run:
    """A run that was handed out and not settled."""

    place: int
    seat: int
    call: int
    started_ms: int

    @property
    def name(self) -> bytes:
        """The run as owners name it: opaque to them, compared byte by byte."""
        return f"{self.place}|{self.seat}|{self.call}|{self.started_ms}".encode()


class Queue:
    """The state of one queue. Every job of ``jobs`` is in exactly one of the lines or in ``running``.

    Touched only while the lock of its `Store` is held. `exqueue.persistence.memory.owner` reads and writes what belongs
    to the owner: fence, seat, call, refused, hungry, next_due, serial, head, places.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.known = False
        self.paused = False
        self.jobs: dict[str, Job] = {}
        self.ready: OrderedDict[str, None] = OrderedDict()
        self.returned = Line()
        self.suspects = Line()
        self.waiting = Line()
        self.dead = Line()
        self.running: dict[str, Run] = {}
        self.unreported: dict[str, bytes] = {}
        self.places = FRONT
        self.processed = 0
        self.failed = 0
        self.fence: Fence | None = None
        self.seat = 0
        self.call = 0
        self.refused: tuple[int, ...] = ()
        self.hungry = False
        self.next_due: float | None = None
        self.serial = False
        self.head: str | None = None
        self._callers: OrderedDict[str, tuple[int, object, float]] = OrderedDict()

    @property
    def epoch(self) -> int:
        """The epoch with which the queue is claimed; 0 when nobody has claimed it."""
        return self.fence.epoch if self.fence else 0

    # -- what anyone does
    def once(self, caller: str, n: int, now: float, act: Callable[[], Reply]) -> Reply:
        """Do ``act`` under the caller's number; an equal number is answered again, a lower one is `StaleCall`."""
        while self._callers and next(iter(self._callers.values()))[2] <= now:
            self._callers.popitem(last=False)
        last, reply, _ = self._callers.get(caller, (n - 1, None, 0.0))
        if n == last:
            return cast("Reply", reply)
        if n < last:
            raise StaleCall(f"call {n} of this caller came after its call {last}; nothing was changed")
        answer = act()
        self._callers[caller] = (n, answer, now + CALLER_KEPT_S)
        self._callers.move_to_end(caller)
        return answer

    def push(self, jobs: Sequence[NewJob], now: float) -> bool:
        """Store the jobs that are not there yet; whether the owner must be woken for one of them."""
        wake = False
        for new in jobs:
            if new.id in self.jobs:
                continue
            self.jobs[new.id] = Job(new.record)
            due = new.at if new.at is not None else now + new.delay
            if due > now:
                self.waiting.put(new.id, due)
                if self.next_due is None or due < self.next_due:
                    self.next_due, wake = due, True
            else:
                self.ready[new.id] = None
                wake = wake or self.hungry
                self.hungry = False
        return wake

    def retry_dead(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Revive the dead ones among ``ids``, with no recoveries; a serial head goes to the front."""
        revived = tuple(job_id for job_id in dict.fromkeys(ids) if job_id in self.dead)
        for job_id in revived:
            self.dead.take(job_id)
            self.unreported.pop(job_id, None)
            self.jobs[job_id].recovered_at.clear()
            if job_id == self.head:
                self.returned.put(job_id, FRONT)
            else:
                self.ready[job_id] = None
        return revived

    def delete_dead(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Delete the dead ones among ``ids``."""
        deleted = tuple(job_id for job_id in dict.fromkeys(ids) if job_id in self.dead)
        for job_id in deleted:
            self.dead.take(job_id)
            self.drop(job_id)
        return deleted

    def forget_marks(self, marks: Iterable[Mark]) -> None:
        """Remove those marks that are still the present ones of their jobs."""
        for mark in marks:
            if self.unreported.get(mark.id) == mark.run:
                del self.unreported[mark.id]

    def cancel(self, job_id: str) -> Removed | None:
        """Remove a job that does not run; the state that it was in."""
        if job_id not in self.jobs:
            return None
        state = self.state_of(job_id)
        if state == "running":
            return state
        if job_id in self.ready:
            del self.ready[job_id]
        else:
            self._line_of(job_id).take(job_id)
        self.drop(job_id)
        return state

    # -- what every part of the queue uses
    def drop(self, job_id: str) -> None:
        """Forget a job that stands in no line any more; a serial head is cleared."""
        del self.jobs[job_id]
        self.unreported.pop(job_id, None)
        if self.head == job_id:
            self.head = None

    def recoveries(self, job_id: str, now: float) -> int:
        """How often the job was recovered within the window."""
        return sum(1 for at in self.jobs[job_id].recovered_at if at > now - RECOVERY_WINDOW_S)

    def is_suspect(self, job_id: str, now: float) -> bool:
        """Whether the job runs only with leave."""
        return self.recoveries(job_id, now) >= SUSPECT_AFTER

    def count_recovery(self, job_id: str, now: float) -> None:
        """Note a recovery, and forget those that are too old."""
        job = self.jobs[job_id]
        job.recovered_at = [at for at in job.recovered_at if at > now - RECOVERY_WINDOW_S] + [now]

    def put_back(self, job_id: str, place: int, now: float) -> None:
        """Into the line by its place; a suspect into the suspects' own."""
        line = self.suspects if self.is_suspect(job_id, now) else self.returned
        line.put(job_id, place)

    def draw_place(self) -> int:
        """The number of a first fetch."""
        self.places += 1
        return self.places

    def state_of(self, job_id: str) -> State:
        """The state of a job that is stored."""
        if job_id in self.running:
            return "running"
        if job_id in self.waiting:
            return "waiting"
        return "dead" if job_id in self.dead else "ready"

    # -- what anyone reads
    def counts(self, now: float) -> QueueCounts:
        """The numbers of this moment."""
        following = next(iter(self._ids("ready")), None)
        head = self.head if self.serial else None
        return QueueCounts(
            queue=self.name,
            ready=len(self.ready) + len(self.returned) + len(self.suspects),
            waiting=len(self.waiting),
            running=len(self.running),
            dead=len(self.dead),
            paused=self.paused,
            head=head,
            head_dead=head is not None and head in self.dead,
            oldest_ready=None if following is None else self.jobs[following].record,
            suspects=sum(1 for job_id in self.jobs if self.is_suspect(job_id, now)),
            processed=self.processed,
            failed=self.failed,
            epoch=self.epoch,
        )

    def list_jobs(self, state: State, limit: int, offset: int, now: float) -> tuple[StoredJob, ...]:
        """A page of the jobs of one state, in the order of `Session.list_jobs`."""
        page = list(self._ids(state))[offset : offset + limit]
        return tuple(self.stored(job_id, now) for job_id in page)

    def list_unreported(self, limit: int, now: float) -> tuple[Unreported, ...]:
        """Dead jobs with a mark."""
        page = itertools.islice(self.unreported.items(), limit)
        return tuple(Unreported(Mark(job_id, run), self.stored(job_id, now)) for job_id, run in page)

    def stored(self, job_id: str, now: float) -> StoredJob:
        """A job that is there, as it is shown."""
        job = self.jobs[job_id]
        run = self.running.get(job_id)
        return StoredJob(
            id=job_id,
            queue=self.name,
            state=self.state_of(job_id),
            record=job.record,
            trail=job.trail,
            recoveries=self.recoveries(job_id, now),
            due_at=self.waiting.number(job_id) if job_id in self.waiting else None,
            died_at=self.dead.number(job_id) if job_id in self.dead else None,
            started_at=run.started_ms / 1000 if run else None,
            run=run.name if run else None,
        )

    def _ids(self, state: State) -> Iterable[str]:
        if state == "running":
            runs = ((run.started_ms, run.place, job_id) for job_id, run in self.running.items())
            return (job_id for _, _, job_id in sorted(runs))
        if state == "ready":
            placed = (job_id for _, job_id in heapq.merge(self.returned, self.suspects))
            return (*placed, *self.ready)
        return (job_id for _, job_id in (self.waiting if state == "waiting" else self.dead))

    def _line_of(self, job_id: str) -> Line:
        return next(line for line in (self.returned, self.suspects, self.waiting, self.dead) if job_id in line)
