"""Who gets which connection: a session its own, or pooled sessions one of a few for the time of a call."""

from __future__ import annotations

import contextlib
import queue
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from exqueue.errors import Outage

if TYPE_CHECKING:
    from collections.abc import Callable

POOL_SIZE = 8
"""The most connections that the pooled sessions of a persistence share."""


class Connection(Protocol):
    """What is lent: it connects at its next use when it is closed. Not for two threads at once."""

    def fit(self, timeout: float) -> None:
        """Let one call take at most so many seconds from now on."""
        ...

    def close(self) -> None:
        """Close it; harmless when it is closed."""
        ...


W = TypeVar("W", bound=Connection)


class Lender(Protocol[W]):
    """Lends connections to one session."""

    def lend(self) -> W:
        """A connection for one call."""
        ...

    def take_back(self, wire: W) -> None:
        """After the call."""
        ...

    def close(self) -> None:
        """The session has ended."""
        ...


class OwnWire(Generic[W]):
    """The session's own connection."""

    def __init__(self, wire: W) -> None:
        self._wire = wire

    def lend(self) -> W:
        """See `Lender.lend`."""
        return self._wire

    def take_back(self, wire: W) -> None:
        """See `Lender.take_back`: it stays here."""

    def close(self) -> None:
        """See `Lender.close`."""
        self._wire.close()


class Pool(Generic[W]):
    """At most `POOL_SIZE` connections, the one used last lent first, so that there are as few as are needed.

    Args:
        make: makes one that is not connected yet; takes the seconds that one call may take.
        address: where to, for people.
    """

    def __init__(self, make: Callable[[float], W], address: str) -> None:
        self._make = make
        self._address = address
        self._free: queue.LifoQueue[W | None] = queue.LifoQueue()
        for _ in range(POOL_SIZE):
            self._free.put(None)

    def lend(self, timeout: float) -> W:
        """Lend a connection, for calls that take at most ``timeout`` seconds.

        Raises:
            Outage: none was free within ``timeout`` seconds.
        """
        try:
            wire = self._free.get(timeout=timeout)
        except queue.Empty:
            msg = f"all {POOL_SIZE} connections to {self._address} were busy for {timeout:g} s"
            raise Outage(msg, sent=False) from None
        if wire is None:
            return self._make(timeout)
        wire.fit(timeout)
        return wire

    def take_back(self, wire: W) -> None:
        """After the call."""
        self._free.put(wire)

    def close(self) -> None:
        """Close the connections that nobody uses just now; what is used is closed when it comes back and is lent."""
        taken: list[W | None] = []
        # All are taken before any place is given back: the one given back last would be the next one taken.
        with contextlib.suppress(queue.Empty):
            while True:
                taken.append(self._free.get_nowait())
        for wire in taken:
            if wire is not None:
                wire.close()
            self._free.put(None)


class PooledWire(Generic[W]):
    """What a pooled session borrows from.

    Args:
        pool: see `Pool`.
        timeout: seconds that one call may take.
        check: raises where nothing may be borrowed, before any lock of the pool is touched.
    """

    def __init__(self, pool: Pool[W], timeout: float, check: Callable[[], None] | None = None) -> None:
        self._pool = pool
        self._timeout = timeout
        self._check = check

    def lend(self) -> W:
        """See `Lender.lend`."""
        if self._check is not None:
            self._check()
        return self._pool.lend(self._timeout)

    def take_back(self, wire: W) -> None:
        """See `Lender.take_back`."""
        self._pool.take_back(wire)

    def close(self) -> None:
        """See `Lender.close`: the pool belongs to the persistence."""
