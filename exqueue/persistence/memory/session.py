"""The verbs in memory: each takes the one lock, looks at the clock once, and does everything or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from exqueue.errors import ExqueueError
from exqueue.persistence.bounds import check_size
from exqueue.persistence.memory import owner
from exqueue.persistence.values import NO_LEAVE, Overview, QueueWoken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exqueue.persistence.memory.queue import Queue
    from exqueue.persistence.memory.store import Store
    from exqueue.persistence.values import (
        Claimed,
        Danger,
        Exchanged,
        Fence,
        Holder,
        Leave,
        Mark,
        Owned,
        Presence,
        Push,
        Removed,
        Settlement,
        State,
        StoredJob,
        Unreported,
        Verdict,
    )

Reply = TypeVar("Reply")


class MemorySession:
    """See `exqueue.persistence.base.Session`. Safe to share between threads, though nobody needs it to be."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- anyone
    def push(self, caller: str, pushes: Sequence[Push]) -> tuple[ExqueueError | None, ...]:
        """See `Session.push`."""
        for push in pushes:
            check_size("jobs of one push", len(push.jobs))
        with self._store.lock:
            return tuple(self._push(caller, push) for push in pushes)

    def _push(self, caller: str, push: Push) -> ExqueueError | None:
        now = self._store.clock()
        queue = self._store.queue(push.queue)
        queue.known = True

        def store() -> None:
            if queue.push(push.jobs, now):
                self._store.signal(QueueWoken(queue.name))

        try:
            queue.once(caller, push.n, now, store)
        except ExqueueError as refused:
            return refused
        return None

    def retry_dead(self, queue: str, caller: str, n: int, ids: Sequence[str]) -> tuple[str, ...]:
        """See `Session.retry_dead`."""
        check_size("ids", len(ids))
        return self._command(queue, caller, n, lambda it: it.retry_dead(ids))

    def delete_dead(self, queue: str, caller: str, n: int, ids: Sequence[str]) -> tuple[str, ...]:
        """See `Session.delete_dead`."""
        check_size("ids", len(ids))
        return self._command(queue, caller, n, lambda it: it.delete_dead(ids))

    def cancel(self, queue: str, caller: str, n: int, job_id: str) -> Removed | None:
        """See `Session.cancel`."""
        return self._command(queue, caller, n, lambda it: it.cancel(job_id))

    def set_paused(self, queue: str, caller: str, n: int, paused: bool) -> None:
        """See `Session.set_paused`."""

        def pause(it: Queue) -> None:
            it.known = True
            it.paused = paused

        self._command(queue, caller, n, pause)

    def _command(self, name: str, caller: str, n: int, act: Callable[[Queue], Reply]) -> Reply:
        with self._store.lock:
            queue = self._store.queue(name)

            def act_and_wake() -> Reply:
                reply = act(queue)
                self._store.signal(QueueWoken(name))
                return reply

            return queue.once(caller, n, self._store.clock(), act_and_wake)

    def queues(self) -> tuple[str, ...]:
        """See `Session.queues`."""
        with self._store.lock:
            return self._store.known_queues()

    def overview(self, queues: Sequence[str]) -> Overview:
        """See `Session.overview`."""
        with self._store.lock:
            now = self._store.clock()
            counts = tuple(self._store.queue(name).counts(now) for name in queues)
            return Overview(now, self._store.holder(), counts)

    def list_jobs(self, queue: str, state: State, limit: int, offset: int) -> tuple[StoredJob, ...]:
        """See `Session.list_jobs`."""
        check_size("limit", limit)
        with self._store.lock:
            return self._store.queue(queue).list_jobs(state, limit, max(0, offset), self._store.clock())

    def get_jobs(self, job_id: str, queues: Sequence[str]) -> tuple[StoredJob, ...]:
        """See `Session.get_jobs`."""
        with self._store.lock:
            now = self._store.clock()
            found = (self._store.queue(name) for name in queues)
            return tuple(queue.stored(job_id, now) for queue in found if job_id in queue.jobs)

    def unreported(self, queue: str, limit: int) -> tuple[Unreported, ...]:
        """See `Session.unreported`."""
        check_size("limit", limit)
        with self._store.lock:
            return self._store.queue(queue).list_unreported(limit, self._store.clock())

    def reported(self, queue: str, marks: Sequence[Mark]) -> None:
        """See `Session.reported`."""
        check_size("marks", len(marks))
        with self._store.lock:
            self._store.queue(queue).forget_marks(marks)

    def beat(self, node: str, info: bytes, ttl: float) -> None:
        """See `Session.beat`."""
        with self._store.lock:
            self._store.nodes[node] = (info, self._store.clock() + ttl)

    def nodes(self) -> tuple[tuple[str, bytes], ...]:
        """See `Session.nodes`."""
        with self._store.lock:
            now = self._store.clock()
            living = {node: beat for node, beat in self._store.nodes.items() if beat[1] > now}
            self._store.nodes = living
            return tuple((node, info) for node, (info, _) in sorted(living.items()))

    def forget(self, node: str) -> None:
        """See `Session.forget`."""
        with self._store.lock:
            self._store.nodes.pop(node, None)

    # -- the lock
    def acquire(self, node: str, token: str, ttl: float, at_least: int) -> Fence | Holder:
        """See `Session.acquire`."""
        with self._store.lock:
            return self._store.acquire(node, token, ttl, at_least)

    def renew(self, fence: Fence, ttl: float) -> bool:
        """See `Session.renew`."""
        with self._store.lock:
            return self._store.renew(fence, ttl)

    def release(self, fence: Fence) -> bool:
        """See `Session.release`."""
        with self._store.lock:
            return self._store.release(fence)

    def evict(self, seen: Holder, presence: Presence) -> bool:
        """See `Session.evict`."""
        with self._store.lock:
            return self._store.evict(seen, presence)

    def presence(self, token: str) -> Presence:
        """See `Session.presence`."""
        with self._store.lock:
            return self._store.presence(token)

    # -- the owner of a queue
    def claim(self, queue: str, fence: Fence, seat: int) -> Claimed:
        """See `Session.claim`."""
        with self._store.lock:
            claimed = owner.claim(self._store.queue(queue), fence, seat, self._store.clock())
            self._store.queue(queue).known = True
            return claimed

    def exchange(
        self,
        queue: str,
        fence: Fence,
        seat: int,
        call: int,
        settlements: Sequence[Settlement],
        want: int,
        *,
        serial: bool,
        leave: Leave = NO_LEAVE,
    ) -> Exchanged:
        """See `Session.exchange`."""
        check_size("settlements", len(settlements))
        check_size("want", want)
        request = owner.Request(fence, seat, call, tuple(settlements), want, serial, leave)
        with self._store.lock:
            return owner.exchange(self._store.queue(queue), request, self._store.clock())

    def sweep(self, owned: Sequence[Owned]) -> tuple[Verdict, ...]:
        """See `Session.sweep`."""
        with self._store.lock:
            now = self._store.clock()
            return tuple(owner.sweep(self._store.queue(belief.queue), belief, now) for belief in owned)

    # -- the connection
    def diagnose(self) -> tuple[Danger, ...]:
        """See `Session.diagnose`: memory has no settings."""
        return ()

    def close(self) -> None:
        """See `Session.close`: there is nothing to close."""
