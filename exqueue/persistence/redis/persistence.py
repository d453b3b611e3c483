"""The persistence in Redis or Valkey: opens sessions and subscriptions on a server."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from exqueue.errors import ConfigError
from exqueue.persistence.redis.connection import Endpoint
from exqueue.persistence.redis.keys import namespace_keys
from exqueue.persistence.redis.lending import OwnWire, Pool, PooledWire
from exqueue.persistence.redis.session import RedisSession
from exqueue.persistence.redis.subscription import RedisSubscription

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.redis.connection import RawConnection

OPTIONS = (
    "client_name",
    "db",
    "socket_keepalive",
    "ssl_ca_certs",
    "ssl_ca_path",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_keyfile",
    "ssl_keyfile_password",
    "ssl_min_version",
)
"""What may stand in the query of a URL; what is not here (timeouts, retries) is decided by each session."""


class RedisPersistence:
    """See `exqueue.persistence.base.Persistence`. `open_redis` makes one for a URL.

    Args:
        connect: makes a connection of redis-py (a `redis.connection.AbstractConnection`, also fakeredis's) that is not
            connected yet, with the given seconds as the timeout of its socket, without retries and with
            ``decode_responses`` off, speaking RESP2. Called from any thread.
        address: for people, without user and password.
        namespace: of the keys.
    """

    def __init__(self, connect: Callable[[float], RawConnection], address: str, namespace: str) -> None:
        self._address = address
        self._namespace = namespace
        self._keys = namespace_keys(namespace)
        self._endpoint = Endpoint(connect, address, self._keys.layout)
        self._pool = Pool(self._endpoint)
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
        lender = PooledWire(self._pool, timeout) if pooled else OwnWire(self._endpoint, timeout)
        session = RedisSession(lender, self._endpoint, self._namespace)
        self._opened.add(session)
        return session

    def subscribe(self, token: str, *, timeout: float) -> RedisSubscription:
        """See `Persistence.subscribe`."""
        subscription = RedisSubscription(self._endpoint, (self._keys.wake, self._keys.alive(token)), timeout)
        self._opened.add(subscription)
        return subscription

    def close(self) -> None:
        """See `Persistence.close`."""
        for opened in list(self._opened):
            opened.close()
        self._pool.close()


def open_redis(url: str, namespace: str) -> RedisPersistence:
    """Open ``redis://``, ``rediss://`` or ``unix://``; connects when first used.

    Raises:
        ConfigError: the URL has options that are not known, or is none.
    """
    kwargs = _connection_kwargs(url)
    kind = kwargs.pop("connection_class", redis.Connection)

    def connect(timeout: float) -> RawConnection:
        connection = kind(
            **kwargs,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            decode_responses=False,
            protocol=2,
            driver_info=None,
        )
        return cast("RawConnection", connection)

    return RedisPersistence(connect, _without_secrets(url), namespace)


def _connection_kwargs(url: str) -> dict[str, Any]:
    for name in parse_qs(urlsplit(url).query, keep_blank_values=True):
        if name not in OPTIONS:
            raise ConfigError(f"the URL's option {name!r} is not known; known are {', '.join(OPTIONS)}")
    try:
        pool = redis.ConnectionPool.from_url(url)
    except (ValueError, TypeError, redis.RedisError) as error:
        raise ConfigError(f"this is no URL of a Redis: {error}") from error
    return {**pool.connection_kwargs, "connection_class": pool.connection_class}


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
