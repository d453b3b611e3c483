"""One store after the other: every test of this folder is about each backend."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import fakeredis
import pytest

from exqueue.persistence.base import Persistence, Session
from exqueue.persistence.inspection.report import Kind
from exqueue.persistence.memory import MemoryPersistence
from exqueue.persistence.redis import open_redis
from exqueue.persistence.sqlite import open_sqlite
from tests.checked import assert_store_sound
from tests.persistence.conformance.play import Client, Opener, Owner
from tests.persistence.redis.fake import open_fake

VERB_TIMEOUT_S = 10.0
LEADERSHIPS: tuple[Kind, ...] = ("epoch_ahead", "lease_of_another")
"""Tests claim under fences of their own making, where a node claims under those that the lock granted."""


@pytest.fixture
def memory_opener(namespace: str) -> Opener:
    """Memory that is shared under a name of this test's own."""
    return lambda: MemoryPersistence(namespace, namespace)


@pytest.fixture
def fakeredis_opener(namespace: str) -> Opener:
    """The Redis backend on a server that is imitated in this process."""
    server = fakeredis.FakeServer()
    return lambda: open_fake(namespace, server)


@pytest.fixture
def redis_opener(redis_url: str, namespace: str) -> Opener:
    """The Redis backend on a real server, in a namespace of this test's own."""
    return lambda: open_redis(redis_url, namespace)


@pytest.fixture
def sqlite_opener(namespace: str) -> Iterator[Opener]:
    """The SQLite backend on a file of this test's own; in memory where the system has such a disk, for speed."""
    shared_memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared_memory if shared_memory.is_dir() else None) as folder:
        yield lambda: open_sqlite(f"sqlite:///{folder}/store.db", namespace)


@pytest.fixture(params=["memory", "fakeredis", "redis", "sqlite"])
def opener(request: pytest.FixtureRequest) -> Opener:
    """Opens one and the same store, empty at first, of each backend in turn."""
    found: Opener = request.getfixturevalue(f"{request.param}_opener")
    return found


@pytest.fixture
def store(opener: Opener) -> Iterator[Persistence]:
    """An empty store, of each backend in turn; at the end it must be sound, whatever was done with it."""
    opened = opener()
    yield opened
    # There may be no file yet, and a check makes none.
    opened.session(timeout=VERB_TIMEOUT_S).queues()
    assert_store_sound(opened, besides=LEADERSHIPS, records=False)
    opened.close()


@pytest.fixture
def elsewhere(opener: Opener, store: Persistence) -> Iterator[Persistence]:
    """The same store, as another system has it open."""
    opened = opener()
    yield opened
    opened.close()


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
