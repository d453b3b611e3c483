"""What is in a store in memory, for whoever checks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from exqueue.persistence.inspection.facts import JobFacts, LeaseFacts, LockFacts, Place, QueueFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from exqueue.persistence.inspection.facts import Count
    from exqueue.persistence.inspection.inspector import View
    from exqueue.persistence.inspection.remedies import Fault, Remedy
    from exqueue.persistence.memory.queue import Queue
    from exqueue.persistence.memory.store import Store

T = TypeVar("T")


class MemoryInspector:
    """See `exqueue.persistence.inspection.inspector.Inspector`."""

    can_repair = False

    def __init__(self, store: Store) -> None:
        self._store = store

    def look(self, act: Callable[[View], T]) -> T:
        """See `Inspector.look`: while ``act`` looks, everybody else waits."""
        with self._store.lock:
            return act(MemoryView(self._store))

    def apply(self, remedy: Remedy, stamp: bytes = b"") -> bool:
        """See `Inspector.apply`: it is not asked for here."""
        raise NotImplementedError

    def close(self) -> None:
        """See `Inspector.close`: there is nothing to close."""


class MemoryView:
    """See `exqueue.persistence.inspection.inspector.View`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def oddities(self) -> Iterator[Fault]:
        """See `View.oddities`: there are none."""
        return iter(())

    def queues(self) -> Sequence[QueueFacts]:
        """See `View.queues`."""
        return tuple(_facts(queue) for queue in self._store.all_queues() if queue.known or queue.jobs)

    def lock(self) -> LockFacts:
        """See `View.lock`."""
        epoch, token = self._store.last_fence()
        holder = self._store.holder()
        lease = None
        if holder is not None:
            lease = LeaseFacts(holder.epoch, holder.token, holder.node, self._store.lease_left())
        return LockFacts(self._store.clock(), epoch, token, lease)

    def jobs(self, queue: QueueFacts) -> Iterator[JobFacts]:
        """See `View.jobs`."""
        found = self._store.queue(queue.name)
        placed = [job_id for line in (found.returned, found.suspects, found.waiting, found.dead) for _, job_id in line]
        ids = (*found.jobs, *found.ready, *placed, *found.running, *found.unreported)
        return (_job(found, job_id) for job_id in dict.fromkeys(ids))

    def confirm(self, queue: QueueFacts, job_id: str) -> tuple[QueueFacts, JobFacts]:
        """See `View.confirm`."""
        return queue, _job(self._store.queue(queue.name), job_id)

    def counts(self, queue: QueueFacts) -> Sequence[Count]:
        """See `View.counts`: none are kept."""
        return ()


def _facts(queue: Queue) -> QueueFacts:
    return QueueFacts(
        name=queue.name,
        known=queue.known,
        epoch=queue.epoch,
        token=queue.fence.token if queue.fence else None,
        seat=queue.seat,
        call=queue.call,
        places=queue.places,
        head=queue.head,
    )


def _job(queue: Queue, job_id: str) -> JobFacts:
    job, run = queue.jobs.get(job_id), queue.running.get(job_id)
    places = [Place("ready")] if job_id in queue.ready else []
    if job_id in queue.returned:
        places.append(Place("returned", queue.returned.number(job_id)))
    if job_id in queue.suspects:
        places.append(Place("suspects", queue.suspects.number(job_id)))
    if job_id in queue.waiting:
        places.append(Place("waiting", queue.waiting.number(job_id)))
    if job_id in queue.dead:
        places.append(Place("dead", queue.dead.number(job_id)))
    if run is not None:
        places.append(Place("running", run.place))
    return JobFacts(
        id=job_id,
        record=None if job is None else job.record,
        places=tuple(places),
        run=None if run is None else run.name,
        trail=None if job is None else job.trail,
        recovered=() if job is None else tuple(job.recovered_at),
        mark=queue.unreported.get(job_id),
        entries=places.count(Place("ready")),
    )
