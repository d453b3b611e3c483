"""One store after the other: every test of this folder is about each backend."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import fakeredis
import pytest

from exqueue.persistence.base import Persistence, Session
from exqueue.persistence.memory import MemoryPersistence
from exqueue.persistence.redis import open_redis
from exqueue.persistence.sqlite import open_sqlite
from tests.persistence.conformance.play import Client, Owner
from tests.persistence.redis.fake import open_fake

VERB_TIMEOUT_S = 10.0


@pytest.fixture
def memory_store(namespace: str) -> Iterator[Persistence]:
    """A store of this test's own in memory."""
    store = MemoryPersistence("", namespace)
    yield store
    store.close()


@pytest.fixture
def fakeredis_store(namespace: str) -> Iterator[Persistence]:
    """The Redis backend on a server that is imitated in this process."""
    store: Persistence = open_fake(namespace, fakeredis.FakeServer())
    yield store
    store.close()


@pytest.fixture
def redis_store(redis_url: str, namespace: str) -> Iterator[Persistence]:
    """The Redis backend on a real server, in a namespace of this test's own."""
    store: Persistence = open_redis(redis_url, namespace)
    yield store
    store.close()


@pytest.fixture
def sqlite_store(namespace: str) -> Iterator[Persistence]:
    """The SQLite backend on a file of this test's own; in memory where the system has such a disk, for speed."""
    shared_memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared_memory if shared_memory.is_dir() else None) as folder:
        store: Persistence = open_sqlite(f"sqlite:///{folder}/store.db", namespace)
        yield store
        store.close()


@pytest.fixture(params=["memory", "fakeredis", "redis", "sqlite"])
def store(request: pytest.FixtureRequest) -> Persistence:
    """An empty store, of each backend in turn."""
    found: Persistence = request.getfixturevalue(f"{request.param}_store")
    return found


@pytest.fixture
def session(store: Persistence) -> Iterator[Session]:
    """A session of the store."""
    opened = store.session(timeout=VERB_TIMEOUT_S)
    yield opened
    opened.close()


@pytest.fixture
def client(session: Session) -> Client:
    """A client of the queue ``q``."""
    return Client(session)


@pytest.fixture
def owner(session: Session) -> Owner:
    """The owner of the queue ``q``, under epoch 1."""
    return Owner(session)


@pytest.fixture
def serial_owner(session: Session) -> Owner:
    """The owner of the queue ``q`` that works it serially, under epoch 1."""
    return Owner(session, serial=True)
