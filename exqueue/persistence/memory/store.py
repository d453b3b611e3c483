"""What one namespace in memory holds: its queues, its lock, its nodes, and who listens."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exqueue.persistence.memory.queue import Queue
from exqueue.persistence.values import Fence, Holder, LockReleased, Presence

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.values import Signal


@dataclass(frozen=True, slots=True)
class _Lease:
    node: str
    fence: Fence
    ends_at: float
    renewal: int
    seen_by: str | None


class Listener:
    """The signals that one subscription has not read yet; each at most once, so that it can't grow without bound."""

    def __init__(self, token: str, lock: threading.RLock) -> None:
        self.token = token
        self._unread: dict[Signal, None] = {}
        self._woken = threading.Condition(lock)
        self._closed = False

    def hear(self, signal: Signal) -> None:
        """Keep a signal until it is read."""
        self._unread[signal] = None
        self._woken.notify_all()

    def next(self, timeout: float) -> Signal | None:
        """The oldest unread signal; ``None`` after ``timeout`` seconds or when closed."""
        with self._woken:
            self._woken.wait_for(lambda: self._unread or self._closed, max(0.0, timeout))
            if self._closed or not self._unread:
                return None
            signal = next(iter(self._unread))
            del self._unread[signal]
            return signal

    def close(self) -> None:
        """Wake whoever waits."""
        with self._woken:
            self._closed = True
            self._woken.notify_all()


class Store:
    """One namespace. Every method but ``listen`` and ``unlisten`` is called while ``lock`` is held.

    Args:
        clock: tells the seconds since the Unix epoch; decides every time here.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.nodes: dict[str, tuple[bytes, float]] = {}
        self._queues: dict[str, Queue] = {}
        self._listeners: dict[Listener, None] = {}
        self._lease: _Lease | None = None
        self._last_epoch = 0
        self._last_token: str | None = None
        self._renewals = 0

    # -- queues
    def queue(self, name: str) -> Queue:
        """The queue of that name, made when it is not there. It is listed once it is ``known``."""
        found = self._queues.get(name)
        if found is None:
            found = self._queues[name] = Queue(name)
        return found

    def known_queues(self) -> tuple[str, ...]:
        """The names that were ever pushed to, claimed or paused, sorted."""
        return tuple(sorted(name for name, queue in self._queues.items() if queue.known))

    # -- signals
    def listen(self, token: str) -> Listener:
        """Begin to listen, present as ``token``."""
        with self.lock:
            listener = Listener(token, self.lock)
            self._listeners[listener] = None
            return listener

    def unlisten(self, listener: Listener) -> None:
        """End it; harmless when called twice."""
        with self.lock:
            self._listeners.pop(listener, None)
            listener.close()

    def presence(self, token: str) -> Presence:
        """See `Session.presence`."""
        return Presence("present" if any(listener.token == token for listener in self._listeners) else "absent")

    def signal(self, signal: Signal) -> None:
        """Tell all that listen."""
        for listener in self._listeners:
            listener.hear(signal)

    # -- the lock
    def holder(self) -> Holder | None:
        """Whose lease stands now."""
        lease = self._standing()
        if lease is None:
            return None
        return Holder(lease.fence.epoch, lease.fence.token, lease.node, lease.renewal, lease.seen_by)

    def last_fence(self) -> tuple[int, str | None]:
        """Epoch and token of the last leadership; no token when it was released."""
        return self._last_epoch, self._last_token

    def lease_left(self) -> float | None:
        """For how many seconds the lease stands; ``None`` when there is none."""
        lease = self._standing()
        return None if lease is None else lease.ends_at - self.clock()

    def all_queues(self) -> tuple[Queue, ...]:
        """Every queue that was ever named."""
        return tuple(self._queues.values())

    def acquire(self, node: str, token: str, ttl: float, at_least: int) -> Fence | Holder:
        """See `Session.acquire`."""
        holder = self.holder()
        if holder is not None and holder.token != token:
            return holder
        if self._last_token != token or self._last_epoch <= at_least:
            self._last_epoch = max(self._last_epoch, at_least) + 1
            self._last_token = token
        fence = Fence(self._last_epoch, token)
        self._lend(node, fence, ttl)
        return fence

    def renew(self, fence: Fence, ttl: float) -> bool:
        """See `Session.renew`."""
        lease = self._standing()
        if lease is None or lease.fence != fence:
            return False
        self._lend(lease.node, fence, ttl)
        return True

    def release(self, fence: Fence) -> bool:
        """See `Session.release`."""
        lease = self._standing()
        holds = lease is not None and lease.fence == fence
        is_last = (self._last_epoch, self._last_token) == (fence.epoch, fence.token)
        if holds:
            self._lease = None
        if is_last:
            self._last_token = None
        if holds or is_last:
            self.signal(LockReleased())
        return holds or is_last

    def evict(self, seen: Holder, presence: Presence) -> bool:
        """See `Session.evict`."""
        holder = self.holder()
        if holder is None or (holder, holder.renewal) != (seen, seen.renewal):
            return False
        if presence.state != "absent" or self.presence(seen.token) != presence:
            return False
        self._lease = None
        return True

    def _lend(self, node: str, fence: Fence, ttl: float) -> None:
        self._renewals += 1
        presence = self.presence(fence.token)
        seen_by = presence.server if presence.state == "present" else None
        self._lease = _Lease(node, fence, self.clock() + ttl, self._renewals, seen_by)

    def _standing(self) -> _Lease | None:
        lease = self._lease
        return lease if lease is not None and lease.ends_at > self.clock() else None
