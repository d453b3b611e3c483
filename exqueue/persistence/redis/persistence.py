"""The persistence in Redis or Valkey: opens sessions and subscriptions on a server."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING

from exqueue.persistence.lending import Lender, OwnWire, Pool, PooledWire
from exqueue.persistence.redis.connection import Endpoint, Wire
from exqueue.persistence.redis.dialing import dialer
from exqueue.persistence.redis.inspector import RedisInspector
from exqueue.persistence.redis.keys import namespace_keys
from exqueue.persistence.redis.session import RedisSession
from exqueue.persistence.redis.subscription import RedisSubscription
from exqueue.persistence.urls import address_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.redis.connection import RawConnection


class RedisPersistence:
    """See `exqueue.persistence.base.Persistence`. `open_redis` makes one for a URL.

    Args:
        address: for people, without user and password.
        namespace: of the keys.
        connect: makes a connection of redis-py (a `redis.connection.AbstractConnection`, also fakeredis's) that is not
            connected yet, with the given seconds as the timeout of its socket, without retries and with
            ``decode_responses`` off, speaking RESP2. Called from any thread.
    """

    def __init__(self, address: str, namespace: str, *, connect: Callable[[float], RawConnection]) -> None:
        self._address = address
        self._namespace = namespace
        self._keys = namespace_keys(namespace)
        self._endpoint = Endpoint(connect, address, self._keys.layout)
        self._wire = partial(Wire, self._endpoint)
        self._pool = Pool(self._wire, address)
        self._opened: weakref.WeakSet[RedisSession | RedisSubscription] = weakref.WeakSet()

    @property
    def address(self) -> str:
        """See `Persistence.address`."""
        return self._address

    @property
    def namespace(self) -> str:
        """See `Persistence.namespace`."""
        return self._namespace

    def session(self, *, timeout: float, pooled: bool = False) -> RedisSession:
        """See `Persistence.session`."""
        lender: Lender[Wire] = PooledWire(self._pool, timeout) if pooled else OwnWire(self._wire(timeout))
        session = RedisSession(lender, self._endpoint, self._namespace)
        self._opened.add(session)
        return session

    def subscribe(self, token: str, *, timeout: float) -> RedisSubscription:
        """See `Persistence.subscribe`."""
        subscription = RedisSubscription(self._endpoint, (self._keys.wake, self._keys.alive(token)), timeout)
        self._opened.add(subscription)
        return subscription

    def inspector(self, *, timeout: float) -> RedisInspector:
        """See `exqueue.persistence.inspection.inspector.Inspectable`."""
        return RedisInspector(self._wire(timeout), self._namespace)

    def close(self) -> None:
        """See `Persistence.close`."""
        for opened in list(self._opened):
            opened.close()
        self._pool.close()


def open_redis(url: str, namespace: str) -> RedisPersistence:
    """Open ``redis://``, ``rediss://`` or ``unix://``; connects when first used.

    Raises:
        ConfigError: see `exqueue.persistence.redis.dialing.dialer`.
    """
    return RedisPersistence(address_of(url), namespace, connect=dialer(url))
