"""The Redis backend on fakeredis: the same scripts on a server that is imitated in this process.

The way in is the one that `RedisPersistence` has for everybody: ``connect``, a function that makes a connection of
redis-py; fakeredis has such a class. It lacks INFO, CONFIG and memory limits, and it never times out.
"""

from collections.abc import Callable
from typing import cast

import fakeredis
from redis.backoff import NoBackoff
from redis.retry import Retry

from exqueue.persistence.redis import RedisPersistence
from exqueue.persistence.redis.connection import RawConnection


def open_fake(namespace: str, server: fakeredis.FakeServer) -> RedisPersistence:
    """Open a namespace of an imitated server; those that give the same server share it."""
    return RedisPersistence("redis://fake", namespace, connect=fake_connections(server))


def fake_connections(server: fakeredis.FakeServer) -> Callable[[float], RawConnection]:
    """The function that makes connections to an imitated server."""
    # fakeredis makes a database when it is first asked for, without a lock: of threads that connect at the same moment
    # each could get one of its own.
    server.dbs[0]

    def connect(timeout: float) -> RawConnection:
        connection = fakeredis.FakeRedisConnection(
            server=server, protocol=2, socket_timeout=timeout, retry=Retry(NoBackoff(), 0), driver_info=None
        )
        return cast("RawConnection", connection)

    return connect
