"""Who gets which connection: a session its own, or pooled sessions one of a few for the time of a call."""

from __future__ import annotations

import contextlib
import queue
from typing import TYPE_CHECKING, Protocol

from exqueue.errors import Outage
from exqueue.persistence.redis.connection import Wire

if TYPE_CHECKING:
    from exqueue.persistence.redis.connection import Endpoint

POOL_SIZE = 8
"""The most connections that the pooled sessions of a persistence share."""


class Lender(Protocol):
    """Lends connections to one session."""

    def lend(self) -> Wire:
        """A connection for one call."""
        ...

    def take_back(self, wire: Wire) -> None:
        """After the call."""
        ...

    def close(self) -> None:
        """The session has ended."""
        ...


class OwnWire:
    """The session's own connection."""

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self._wire = Wire(endpoint, timeout)

    def lend(self) -> Wire:
        """See `Lender.lend`."""
        return self._wire

    def take_back(self, wire: Wire) -> None:
        """See `Lender.take_back`: it stays here."""

    def close(self) -> None:
        """See `Lender.close`."""
        self._wire.close()


class Pool:
    """At most `POOL_SIZE` connections, the one used last lent first, so that there are as few as are needed."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._free: queue.LifoQueue[Wire | None] = queue.LifoQueue()
        for _ in range(POOL_SIZE):
            self._free.put(None)

    def lend(self, timeout: float) -> Wire:
        """Lend a connection that is closed or free.

        Raises:
            Outage: none was free within ``timeout`` seconds.
        """
        try:
            wire = self._free.get(timeout=timeout)
        except queue.Empty:
            msg = f"all {POOL_SIZE} connections to {self._endpoint.address} were busy for {timeout:g} s"
            raise Outage(msg, sent=False) from None
        if wire is not None and wire.timeout == timeout:
            return wire
        if wire is not None:
            wire.close()
        return Wire(self._endpoint, timeout)

    def take_back(self, wire: Wire) -> None:
        """After the call."""
        self._free.put(wire)

    def close(self) -> None:
        """Close the connections that nobody uses just now; what is used is closed when it comes back and is lent."""
        taken: list[Wire | None] = []
        # All are taken before any place is given back: the one given back last would be the next one taken.
        with contextlib.suppress(queue.Empty):
            while True:
                taken.append(self._free.get_nowait())
        for wire in taken:
            if wire is not None:
                wire.close()
            self._free.put(None)


class PooledWire:
    """What a pooled session borrows from."""

    def __init__(self, pool: Pool, timeout: float) -> None:
        self._pool = pool
        self._timeout = timeout

    def lend(self) -> Wire:
        """See `Lender.lend`."""
        return self._pool.lend(self._timeout)

    def take_back(self, wire: Wire) -> None:
        """See `Lender.take_back`."""
        self._pool.take_back(wire)

    def close(self) -> None:
        """See `Lender.close`: the pool belongs to the persistence."""
