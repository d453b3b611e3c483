"""What was started and stopped is gone: threads, actors, refs, connections, sockets. So is what failed half-way."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import gc
import os
import socket
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pykka
import pytest
import redis

from exqueue import Enqueue, EnqueueMany, ExqueueSystem, JobSucceeded, StartWorker, StopWorker, Subscribe
from exqueue.actors.leader import Leader
from exqueue.actors.queues import Queues
from exqueue.actors.worker import Worker
from exqueue.errors import SystemStopped
from exqueue.supervision import Envelope, Supervisor
from exqueue.testing import crash
from tests.supervision.test_host_program import Guest
from tests.supervision.tree import Player, child, running
from tests.supervision.tree import crash as raising
from tests.system.helpers import PATIENCE_S, Room, eventually

if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable, Iterator

    from exqueue import SystemRef
    from exqueue.supervision import Names

KINDS = (pykka.Actor, pykka.ActorRef, threading.Thread, pykka.Future, Envelope)
"""Of what none may be left."""


def open_to_the_store() -> set[tuple[int, int]]:
    """The sockets, and the files of an SQLite store, that this process holds open, as (descriptor, inode)."""
    found = set()
    for path in Path("/dev/fd").iterdir():
        with contextlib.suppress(OSError):  # of the one that was opened for the listing
            status = os.fstat(int(path.name))
            if stat.S_ISSOCK(status.st_mode) or "store.db" in str(path.readlink()):
                found.add((int(path.name), status.st_ino))
    return found


def living() -> collections.Counter[str]:
    """How many objects of each of `KINDS` there are that something still holds."""
    gc.collect()
    return collections.Counter(type(one).__name__ for one in gc.get_objects() if isinstance(one, KINDS))


class Server:
    """Tells who is connected to the server of a system; to memory and to a file nobody is."""

    def __init__(self, url: str) -> None:
        self._client = None if url.startswith(("memory:", "sqlite:")) else redis.Redis.from_url(url)

    def clients(self) -> set[str]:
        """The ids of all clients."""
        return set() if self._client is None else {client["id"] for client in self._client.client_list()}

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


@pytest.fixture
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever the test starts must be gone at its end."""
    server = Server(request.getfixturevalue("url") if "url" in request.fixturenames else "memory://")
    clients, sockets, threads, objects = server.clients(), open_to_the_store(), set(threading.enumerate()), living()
    registered = set(pykka.ActorRegistry.get_all())
    yield
    eventually(lambda: set(threading.enumerate()) <= threads)
    eventually(lambda: server.clients() <= clients)
    assert set(pykka.ActorRegistry.get_all()) == registered
    # Before the garbage collector runs: what it has to close was left open.
    assert open_to_the_store() - sockets == set()
    assert living() - objects == collections.Counter()
    server.close()


def actors_of(names: Names) -> list[weakref.ref[Any]]:
    """A weak reference to each actor that answers to a name."""
    refs: list[Any] = [ref for name, ref in names.snapshot() if name != "probe"]
    return [ref._actor_weakref for ref in refs]  # noqa: SLF001 - as pykka's own tools do


# -- supervision alone
@pytest.mark.usefixtures("nothing_left")
def test_ten_trees_of_fifty_actors_leave_nothing() -> None:
    """Nor do their restarts."""
    for _ in range(10):
        with running(*(child(f"n{n}") for n in range(50))) as tree:
            tree.tell("n7", raising(ValueError("once")))
            tree.until_lived("restarted", "n7")
            actors = actors_of(tree.names)
            assert len(actors) == 51
        del tree
        gc.collect()
        assert [one() for one in actors if one() is not None] == []


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("error", [ValueError("half-way"), SystemExit("half-way")], ids=lambda e: type(e).__name__)
def test_a_tree_that_fails_half_way_leaves_nothing(error: BaseException) -> None:
    """Twenty-five of its children stood already."""
    for _ in range(10):
        children = [child(f"n{n}") for n in range(25)]
        with running(*children, child("fails", starting=raising(error)), *(child(f"m{n}") for n in range(24))) as tree:
            assert tree.failed_start is not None
            assert [name for name, _ in tree.names.snapshot()] == ["probe"]
        error.__traceback__ = None
        del tree


# -- whole systems
class Busy:
    """Does a bit of everything: fails once, runs a coroutine, succeeds."""

    room: ClassVar[Room]
    backoff = 0  # Due at once: a job that waits for later, be it a millisecond, is not waited for by a drain.
    failed: ClassVar[set[int]] = set()

    async def perform(self, *, number: int) -> None:
        await asyncio.sleep(0)
        if number % 2 and number not in self.failed:
            self.failed.add(number)
            raise ValueError("once")
        type(self).room.visit(number)


@pytest.fixture
def room() -> Iterator[Room]:
    """Where the jobs of `Busy` are counted, and may be held."""
    Busy.failed.clear()
    with Room() as room:
        Busy.room = room
        yield room


def a_life(url: str, namespace: str, room: Room, crashing: str | None = None) -> list[weakref.ref[Any]]:
    """Start a system, have it do all that it can, and stop it. Returns weak references to its actors."""
    room.open()
    guest = Guest.start()
    with ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=5) as system:
        system.ask(Subscribe(guest, JobSucceeded))
        system.ask(StartWorker(Busy, concurrency=3))
        system.ask(EnqueueMany(Enqueue(Busy, {"number": number}) for number in range(4)))
        system.drain(timeout=PATIENCE_S)
        if crashing is not None:
            old = system.urn_of(crashing)
            crash(system, crashing)
            eventually(lambda: system.urn_of(crashing) not in (old, None))
        actors = actors_of(system._context.names)  # noqa: SLF001 - nothing public leads to an actor
    guest.stop(timeout=PATIENCE_S)
    return actors


@pytest.mark.usefixtures("nothing_left")
def test_many_systems_leave_nothing(url: str, namespace: str, room: Room) -> None:
    """Fifty one after the other in memory, ten on a server."""
    for _ in range(50 if url.startswith(("memory:", "sqlite:")) else 10):
        actors = a_life(url, namespace, room)
        assert len(actors) == 12
        gc.collect()
        assert [one() for one in actors if one() is not None] == []


@pytest.mark.usefixtures("nothing_left")
def test_systems_beside_each_other_leave_nothing(url: str, namespace: str) -> None:
    """One leads, the others wait for the lock; they are stopped in the order in which they were started."""
    systems = [ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=5) for _ in range(8)]
    for system in systems:
        system.ask(StartWorker(Busy, concurrency=2))
    for system in systems:
        assert system.stop()
    del system, systems


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    "path",
    [
        *("reporter", "producer", "operator", "listener", "leader", "queues"),
        *("queues/Busy", "queues/Busy/fetcher", "queues/Busy/worker-1"),
    ],
)
def test_an_actor_that_crashed_leaves_nothing(url: str, namespace: str, room: Room, path: str) -> None:
    """Neither it nor what it held: connections, a reader's thread, the event loop of a worker."""
    a_life(url, namespace, room, crashing=path)


@pytest.mark.usefixtures("nothing_left")
def test_a_queue_started_and_stopped_again_and_again_leaves_nothing(url: str, namespace: str, room: Room) -> None:
    """Ten times fifty workers, while the system goes on."""
    room.open()
    with ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=5) as system:
        before, threads = names_of(system), set(threading.enumerate())
        for round_ in range(10):
            system.ask(StartWorker(Busy, concurrency=50))
            numbers = range(60 * round_, 60 * (round_ + 1))
            system.ask(EnqueueMany(Enqueue(Busy, {"number": number}) for number in numbers))
            system.drain(timeout=PATIENCE_S)
            actors = [one for one in actors_of(system._context.names) if is_of_a_queue(one())]  # noqa: SLF001 - as above
            assert len(actors) == 52
            system.ask(StopWorker(Busy))
            eventually(lambda: names_of(system) == before)
            # An actor gives its name up before its thread has ended, and before its supervisor has noted that.
            eventually(lambda: set(threading.enumerate()) <= threads)
            eventually(lambda: set(system._context.board.table("tree")) == before - {""})  # noqa: SLF001 - as above
            gc.collect()
            assert [one() for one in actors if one() is not None] == []
    assert len(room.left) == 600


def names_of(system: SystemRef) -> set[str]:
    """All that answer to a name."""
    return {name for name, _ in system._context.names.snapshot()}  # noqa: SLF001 - as above


def is_of_a_queue(actor: Any) -> bool:
    """Whether it belongs to a queue."""
    return actor is not None and actor.name.startswith("queues/")


@pytest.mark.usefixtures("nothing_left")
def test_a_worker_left_behind_is_gone_when_its_job_has_ended(url: str, namespace: str, room: Room) -> None:
    """With its event loop, though nobody waits for it any more."""
    with ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=0) as system:
        system.ask(StartWorker(Busy, concurrency=2))
        system.ask(EnqueueMany(Enqueue(Busy, {"number": number}) for number in (0, 2)))
        room.await_entered(2)
        assert system.stop()
    del system
    assert room.left == []
    room.open()
    room.await_left(2)


# -- starts that fail half-way
def fails(self: object) -> None:
    """In place of an ``on_start``."""
    raise ValueError(f"{type(self).__name__} can't start")


def fails_late(self: Any) -> None:
    """As `fails`, when the children stand."""
    Supervisor.on_start(self)
    fails(self)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(("kind", "how"), [(Leader, fails), (Queues, fails), (Queues, fails_late)])
def test_a_system_that_cannot_start_leaves_nothing(
    url: str, namespace: str, monkeypatch: pytest.MonkeyPatch, kind: type, how: Callable[[object], None]
) -> None:
    """What stood before has connected already."""
    monkeypatch.setattr(kind, "on_start", how)
    for _ in range(10):
        assert failure(url, namespace) == f"{kind.__name__} can't start"


def failure(url: str, namespace: str) -> str:
    """Why a system can't start."""
    try:
        ExqueueSystem.start(url, namespace=namespace).stop()
    except SystemStopped as stopped:
        return str(stopped).rpartition(": ")[2]
    return ""


@pytest.mark.usefixtures("nothing_left")
def test_a_queue_that_cannot_start_leaves_nothing(url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third of its workers fails; the system goes on and is stopped as ever."""

    def third_fails(actor: Any) -> None:
        if actor.name.endswith("worker-3"):
            raise ValueError("no third")

    monkeypatch.setattr(Worker, "on_start", third_fails)
    with ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=5) as system:
        before = names_of(system)
        with pytest.raises(Exception, match="no third"):
            system.ask(StartWorker(Busy, concurrency=5))
        assert names_of(system) == before
    del system


@pytest.mark.parametrize("leak", ["actor", "socket", "thread"])
def test_what_is_left_is_found(leak: str) -> None:
    """The checks of this file can fail."""
    objects, sockets = living(), open_to_the_store()
    if leak == "actor":
        kept: Any = Player()
        assert (living() - objects)["Player"] == 1
    elif leak == "socket":
        with socket.socket() as kept:
            assert open_to_the_store() - sockets
    else:
        kept = threading.Thread(target=print)
        assert (living() - objects)["Thread"] == 1
    del kept
