"""A store with jobs in every state, on each backend that can be broken from outside."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import fakeredis
import pytest
import redis

from exqueue.persistence.redis import open_redis
from exqueue.persistence.redis.keys import namespace_keys, queue_keys
from exqueue.persistence.sqlite import open_sqlite
from tests.persistence.fsck.shop import QUEUE, TIMEOUT_S, fill
from tests.persistence.redis.fake import open_fake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from exqueue.persistence.base import Persistence, Session


class Shop:
    """A filled store in Redis, and a plain client to break it with."""

    def __init__(self, store: Persistence, client: redis.Redis) -> None:
        self.store = store
        self.client = client
        self.session: Session = store.session(timeout=TIMEOUT_S)
        self.at = queue_keys(store.namespace, QUEUE)
        self.keys = namespace_keys(store.namespace)
        self.owner = fill(self.session)


class FileShop:
    """A filled store in a file."""

    def __init__(self, store: Persistence, path: Path) -> None:
        self.store = store
        self.path = path
        self.session: Session = store.session(timeout=TIMEOUT_S)
        self.owner = fill(self.session)

    def write(self, sql: str, *values: object) -> None:
        """As somebody else would."""
        with closing(sqlite3.connect(self.path)) as other:
            other.execute(sql, values)
            other.commit()

    def ask(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Look behind the scenes."""
        with closing(sqlite3.connect(self.path)) as other:
            return other.execute(sql, values).fetchall()


@pytest.fixture(params=["redis", "fakeredis"])
def shop(request: pytest.FixtureRequest, namespace: str) -> Iterator[Shop]:
    """On a real server and on one that is imitated."""
    if request.param == "redis":
        url: str = request.getfixturevalue("redis_url")
        store = open_redis(url, namespace)
        client = redis.Redis.from_url(url, protocol=2)
    else:
        server = fakeredis.FakeServer()
        store = open_fake(namespace, server)
        client = fakeredis.FakeRedis(server=server, protocol=2)
    with client:
        yield Shop(store, client)
    store.close()


@pytest.fixture
def file_shop(tmp_path: Path) -> Iterator[FileShop]:
    """In a file of the test's own."""
    store = open_sqlite(f"sqlite:///{tmp_path}/store.db", "default")
    yield FileShop(store, tmp_path / "store.db")
    store.close()
