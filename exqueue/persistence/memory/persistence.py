"""The memory persistence: opens sessions on a store that lives as long as somebody has it open."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakKeyDictionary, WeakValueDictionary

from exqueue.checks import check_name
from exqueue.errors import ConfigError
from exqueue.persistence.memory.inspector import MemoryInspector
from exqueue.persistence.memory.session import MemorySession
from exqueue.persistence.memory.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.memory.store import Listener
    from exqueue.persistence.values import Signal


class MemorySubscription:
    """See `exqueue.persistence.base.Subscription`."""

    def __init__(self, store: Store, listener: Listener) -> None:
        self._store = store
        self._listener = listener

    def next(self, timeout: float) -> Signal | None:
        """See `Subscription.next`."""
        return self._listener.next(timeout)

    def close(self) -> None:
        """See `Subscription.close`."""
        self._store.unlisten(self._listener)


class MemoryPersistence:
    """See `exqueue.persistence.base.Persistence`.

    Args:
        name: those of one process that give the same name and namespace share one store, as several nodes do;
            ``""`` is a store of its own. A named store is gone when the last that opened it was closed or collected.
        namespace: see `Persistence.namespace`.
        clock: seconds since the Unix epoch. A shared store goes by the clock of the one that opened it first.
    """

    # The one state of the process here: two systems that were given the same URL have nothing else in common, as two
    # processes have nothing but the server. It holds weakly, so that a closed store leaves nothing behind.
    _shared: ClassVar[WeakValueDictionary[tuple[str, str], Store]] = WeakValueDictionary()
    _shared_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, name: str = "", namespace: str = "default", clock: Callable[[], float] = time.time) -> None:
        self._name = name
        self._namespace = namespace
        self._clock = clock
        self._listening: WeakKeyDictionary[Listener, Store] = WeakKeyDictionary()
        self._store: Store | None = self._attach()

    @property
    def address(self) -> str:
        """See `Persistence.address`."""
        return f"memory://{self._name}"

    @property
    def namespace(self) -> str:
        """See `Persistence.namespace`."""
        return self._namespace

    def session(self, *, timeout: float, pooled: bool = False) -> MemorySession:
        """See `Persistence.session`: nothing here takes time, so ``timeout`` and ``pooled`` change nothing."""
        return MemorySession(self._opened())

    def subscribe(self, token: str, *, timeout: float) -> MemorySubscription:
        """See `Persistence.subscribe`."""
        store = self._opened()
        listener = store.listen(token)
        with self._shared_lock:
            # Not the subscription: one that was dropped unclosed is gone, and what it listened with is still there.
            self._listening[listener] = store
        return MemorySubscription(store, listener)

    def inspector(self, *, timeout: float) -> MemoryInspector:
        """See `exqueue.persistence.inspection.inspector.Inspectable`: nothing here takes time."""
        return MemoryInspector(self._opened())

    def close(self) -> None:
        """See `Persistence.close`. The store itself is gone when nobody has it open any more."""
        with self._shared_lock:
            listening = list(self._listening.items())
            self._store = None
        for listener, store in listening:
            store.unlisten(listener)

    @classmethod
    def leave_to_parent(cls) -> None:
        """In a forked child: the parent's stores, and the locks that its other threads may hold, are not for it."""
        cls._shared, cls._shared_lock = WeakValueDictionary(), threading.Lock()

    def _opened(self) -> Store:
        store = self._store
        if store is None:
            store = self._store = self._attach()
        return store

    def _attach(self) -> Store:
        if not self._name:
            return Store(self._clock)
        key = (self._name, self._namespace)
        with self._shared_lock:
            store = self._shared.get(key)
            if store is None:
                store = self._shared[key] = Store(self._clock)
            return store


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=MemoryPersistence.leave_to_parent)


def open_memory(url: str, namespace: str) -> MemoryPersistence:
    """Open ``memory://`` (a store of its own) or ``memory://name`` (shared within this process).

    Raises:
        ConfigError: the name is not allowed, or more follows it.
    """
    name, _, options = url.partition("://")[2].partition("?")
    if options:
        raise ConfigError(f"memory:// has no options, but this URL has some: {options.partition('=')[0]!r}")
    return MemoryPersistence(check_name(name, "the name of a memory store") if name else "", namespace)
