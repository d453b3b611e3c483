"""The same store in each backend, all of them by one clock that is moved by hand."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import fakeredis
import redis

from exqueue.persistence.memory import MemoryPersistence
from exqueue.persistence.redis import RedisPersistence
from exqueue.persistence.redis.dialing import dialer
from exqueue.persistence.redis.keys import role_of
from exqueue.persistence.sqlite import SqlitePersistence
from exqueue.persistence.sqlite.host_time import HostTime
from tests.checked import assert_store_sound
from tests.compared.server_time import ServerTime
from tests.persistence.conformance.play import eventually
from tests.persistence.redis.fake import fake_connections

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from exqueue.persistence.base import Persistence, Session, Subscription
    from exqueue.persistence.inspection.report import Kind
    from exqueue.persistence.values import Signal

UNSOUND_BY_ITSELF: Final[tuple[Kind, ...]] = ("epoch_ahead",)
"""A run claims with fences that nobody was granted."""

VERB_TIMEOUT_S = 30.0
EPOCH_S = 1_700_000_000.0
"""What the clock says when a run begins: a whole number of milliseconds, so that no backend has to round it."""


class HandClock:
    """All clocks of a host, moved by hand."""

    def __init__(self) -> None:
        self.now = EPOCH_S

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def boottime(self) -> float:
        return self.now


class Side:
    """One backend in one run.

    Args:
        name: for people.
        open_store: opens the store, as another system does.
        age: brings what the store will forget by a clock of its own nearer to its end, by so many seconds.
        take_lease: ends the lease, where the backend can't see who is there and so will not do it itself.
        find_leftovers: what is stored of jobs; nothing when none is there any more.
    """

    def __init__(
        self,
        name: str,
        open_store: Callable[[], Persistence],
        age: Callable[[float], None] = lambda seconds: None,
        take_lease: Callable[[], None] | None = None,
        find_leftovers: Callable[[], list[str]] = list,
    ) -> None:
        self.name = name
        self.age = age
        self.take_lease = take_lease
        self.find_leftovers = find_leftovers
        self._open_store = open_store
        self._store = open_store()
        self._systems: dict[str, tuple[Persistence, Subscription, Session]] = {}
        self._ear = self._store.subscribe("ear", timeout=VERB_TIMEOUT_S)
        self.session = self._store.session(timeout=VERB_TIMEOUT_S)

    def rise(self, token: str) -> None:
        """A system of this token opens the store and listens."""
        opened = self._open_store()
        listening = opened.subscribe(token, timeout=VERB_TIMEOUT_S)
        self._systems[token] = opened, listening, opened.session(timeout=VERB_TIMEOUT_S)

    def fall(self, token: str) -> None:
        """It ends; return when that can be seen."""
        self._systems.pop(token)[0].close()
        eventually(lambda: self.session.presence(token).state != "present")

    def session_of(self, token: str | None) -> Session:
        """That of a system; ``None``: the one that gives all other commands."""
        return self.session if token is None else self._systems[token][2]

    def reconnect(self) -> None:
        """Let another session give the commands from now on."""
        self.session.close()
        self.session = self._store.session(timeout=VERB_TIMEOUT_S)

    def heard(self) -> frozenset[Signal]:
        """The signals since the last time; of what was done before the last reply none is missing."""
        found: set[Signal] = set()
        # Two looks: what the first finds may be the answer to a ping, which tells nothing.
        for _ in range(2):
            while (signal := self._ear.next(0.0)) is not None:
                found.add(signal)
        return frozenset(found)

    def expect_sound(self) -> None:
        """See `Table.expect_sound`."""
        assert_store_sound(self._store, besides=UNSOUND_BY_ITSELF, records=False)

    def close(self) -> None:
        """End all systems."""
        for opened, *_ in self._systems.values():
            opened.close()
        self._store.close()


class Backends:
    """What the runs share: a folder and two servers.

    Args:
        redis_url: of a real server.
    """

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> Self:
        shared_memory = Path("/dev/shm")
        folder = tempfile.TemporaryDirectory(dir=shared_memory if shared_memory.is_dir() else None)
        self._folder = self._closing.enter_context(folder)
        self._imitated = fakeredis.FakeServer()
        self._fake = self._closing.enter_context(fakeredis.FakeRedis(server=self._imitated))
        self._real = self._closing.enter_context(redis.Redis.from_url(self._redis_url))
        self._fake_time, self._real_time = ServerTime(self._fake), ServerTime(self._real)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.close()

    def sides(self, clock: HandClock) -> list[Side]:
        """An empty store of each backend; memory, which says what is right, comes first."""
        namespace = f"run-{secrets.token_hex(8)}"
        host_time = HostTime(clock, "this boot")
        path = f"{self._folder}/{namespace}.db"
        fake = self._fake_time.connecting(fake_connections(self._imitated))
        real = self._real_time.connecting(dialer(self._redis_url))
        self.set_time(clock)
        return [
            Side("memory", lambda: MemoryPersistence(namespace, namespace, clock.time)),
            Side(
                "sqlite",
                lambda: SqlitePersistence(path, namespace, time=host_time),
                find_leftovers=lambda: _rows(path),
            ),
            Side(
                "fakeredis",
                lambda: RedisPersistence("redis://fake", namespace, connect=fake),
                lambda seconds: self._fake_time.age(namespace, seconds),
                lambda: self._fake.delete(f"exqueue:{{{namespace}}}:lease"),
                lambda: _keys(self._fake, namespace),
            ),
            Side(
                "redis",
                lambda: RedisPersistence("redis://real", namespace, connect=real),
                lambda seconds: self._real_time.age(namespace, seconds),
                find_leftovers=lambda: _keys(self._real, namespace),
            ),
        ]

    def set_time(self, clock: HandClock) -> None:
        """Let the servers know what the clock says now."""
        for time in (self._fake_time, self._real_time):
            time.set(clock.now)


def _keys(client: redis.Redis, namespace: str) -> list[str]:
    """The keys that are there only while a queue has jobs."""
    names = client.scan_iter(match=f"exqueue:{{{namespace}:*", count=1_000)
    return [name.decode() for name in names if role_of(name) not in {"owner", "caller"}]


def _rows(path: str) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [str(row) for row in connection.execute("SELECT queue, id FROM jobs")]
