"""The server is there and refuses: paused, loading, read-only, full, guarded, crowded, busy, without its scripts."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

import pytest
import redis

from exqueue import AskTimeout, Enqueue, EnqueueMany, GetTree, StartWorker, StorageFull
from tests.chaos.weather import assert_one_outage, await_outage, held_in, lines, restarts, status_of, weather_in
from tests.servers import RealServer, real_server
from tests.system.helpers import Room, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue import SystemRef

PAUSE_MS = 6_500
"""Longer than a call may take, and than the lock is held."""


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="exqueue")


@pytest.fixture
def system(start: Callable[..., SystemRef], room: Room) -> SystemRef:
    """A system of which two jobs run and one waits for them to end."""
    started = start()
    job = held_in(room)
    started.ask(StartWorker(job, concurrency=2))
    for who in range(3):
        started.ask(Enqueue("Held", {"who": who}))
    room.await_entered(2)
    # Every actor has had its first call answered.
    eventually(lambda: status_of(started).running)
    return started


def assert_all_went_well(
    system: SystemRef, room: Room, log: pytest.LogCaptureFixture, *, jobs: int = 3, level: int = logging.WARNING
) -> None:
    """One outage was said, and each job ran once."""
    room.open()
    room.await_left(jobs)
    system.drain(timeout=20)
    assert sorted(room.entered, key=str) == list(range(jobs))
    assert_one_outage(system, log, level)


def test_a_paused_server(system: SystemRef, room: Room, client: redis.Redis, caplog: pytest.LogCaptureFixture) -> None:
    """Longer than any call may take: what ended is settled once, what was told is stored once."""
    client.client_pause(PAUSE_MS)
    room.let_out(0)
    room.await_left(1)
    system.tell(Enqueue("Held", {"who": 3}))
    with pytest.raises(AskTimeout, match="stored: ") as caught:
        system.ask(Enqueue("Held", {"who": 4}), timeout=0.5)
    await_outage(system, "within")
    room.await_entered(3)
    # What was sent with the one before is sent again until it is answered; what was not is never sent.
    assert_all_went_well(system, room, caplog, jobs=5 if caught.value.stored == "unknown" else 4)


def test_a_server_that_is_still_loading(
    server: RealServer,
    system: SystemRef,
    room: Room,
    client: redis.Redis,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While it reads its data it refuses everything: an outage that names the reason, and ends by itself."""
    # Each of these takes a millisecond to read back.
    with client.pipeline(transaction=False) as pipe:
        for number in range(3_000):
            pipe.set(f"ballast-{number}", "x")
        pipe.execute()
    server.stop()
    room.let_out(0)
    room.await_left(1)
    slow = threading.Thread(target=server.start)
    server.add_arguments("--key-load-delay", "1000")
    slow.start()
    try:
        await_outage(system, "still reading its data")
    finally:
        slow.join()
    assert_all_went_well(system, room, caplog)


def test_a_server_that_takes_no_writes(
    system: SystemRef, room: Room, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """A primary that became a replica of a dead host: enqueues wait, and all goes on when it is one again."""
    client.replicaof("127.0.0.1", 1)
    room.let_out(0)
    room.await_left(1)
    system.tell(Enqueue("Held", {"who": 3}))
    await_outage(system, "takes no writes")
    with pytest.raises(AskTimeout, match=r"takes no writes.*stored: no"):
        system.ask(Enqueue("Held", {"who": 4}, id="never"), timeout=0.3)

    client.replicaof("NO", "ONE")

    room.await_entered(3)
    assert_all_went_well(system, room, caplog, jobs=4)


def test_a_server_that_takes_no_writes_for_long(
    system: SystemRef,
    room: Room,
    client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No failover takes so long: a person must look where the URL leads, and is told so once."""
    monkeypatch.setattr("exqueue.actors.weather.FAILOVER_S", 0.5)
    client.replicaof("127.0.0.1", 1)
    room.let_out(0)
    eventually(lambda: lines(caplog, logging.ERROR, "point the URL at the primary"))
    client.replicaof("NO", "ONE")
    assert_all_went_well(system, room, caplog, level=logging.ERROR)
    assert len(lines(caplog, logging.WARNING, "takes no writes for now")) == 1


def test_a_server_that_misses_its_replicas(
    system: SystemRef, room: Room, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """It takes no writes until enough replicas are connected."""
    client.config_set("min-replicas-to-write", 1)
    room.let_out(0)
    room.await_left(1)
    system.tell(Enqueue("Held", {"who": 3}))
    await_outage(system, "fewer replicas")
    client.config_set("min-replicas-to-write", 0)
    room.await_entered(3)
    assert_all_went_well(system, room, caplog, jobs=4)


def test_a_server_that_can_not_save(
    server: RealServer, system: SystemRef, room: Room, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """It takes no writes, and answers no ping either, until it could save its data again."""
    in_the_way = server.folder / "dump.rdb"
    in_the_way.mkdir()
    client.bgsave()
    eventually(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
    room.let_out(0)
    room.await_left(1)
    system.tell(Enqueue("Held", {"who": 3}))
    await_outage(system, "can't save its data")
    in_the_way.rmdir()
    client.bgsave()
    room.await_entered(3)
    assert_all_went_well(system, room, caplog, jobs=4, level=logging.ERROR)


def test_a_full_server(system: SystemRef, room: Room, client: redis.Redis, caplog: pytest.LogCaptureFixture) -> None:
    """New jobs are refused clearly, those that are stored run and are settled, and then there is room again."""
    client.config_set("maxmemory", 1)
    with pytest.raises(StorageFull, match=r"is full.*job refused of queue Held, stored: no") as caught:
        system.ask(Enqueue("Held", {"who": 3}, id="refused"))
    assert caught.value.stored == "no"

    room.open()
    system.drain(timeout=10)

    assert sorted(room.entered, key=str) == [0, 1, 2]
    client.config_set("maxmemory", 0)
    system.ask(Enqueue("Held", {"who": 3}))
    room.await_left(4)
    assert restarts(system.ask(GetTree())) == 0
    assert weather_in(caplog) == []


def test_a_full_server_lets_a_new_leader_work(
    start: Callable[..., SystemRef], server: RealServer, room: Room, client: redis.Redis
) -> None:
    """What is stored is run after a restart of everything, else a full server would stay full."""
    job = held_in(room)
    room.open()
    first = start()
    first.ask(EnqueueMany([Enqueue(job, {"who": who}) for who in range(3)]))
    first.stop()
    client.config_set("maxmemory", 1)
    second = start()
    second.ask(StartWorker(job))
    room.await_left(3)
    second.drain(timeout=10)


def test_a_wrong_password_at_the_start(
    room: Room, needs_server: None, caplog: pytest.LogCaptureFixture, start_on: Callable[[str], SystemRef]
) -> None:
    """It is an outage that names the reason; when the password is right, all goes on."""
    with real_server("--requirepass", "right") as guarded:
        system, job = start_on(guarded.url.replace("unix://", "unix://:later@")), held_in(room)
        room.open()
        system.ask(StartWorker(job))
        system.tell(Enqueue(job, {"who": 0}))
        await_outage(system, "user or password are wrong")
        with redis.Redis.from_url(guarded.url.replace("unix://", "unix://:right@"), protocol=2) as admin:
            admin.config_set("requirepass", "later")
        room.await_left(1)
        assert_one_outage(system, caplog, logging.ERROR)
        system.stop()


def test_a_password_that_is_changed(
    system: SystemRef, room: Room, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Connections are closed and new ones refused until the password is what it was."""
    client.config_set("requirepass", "changed")
    client.client_kill_filter(_type="pubsub")
    client.client_kill_filter(_type="normal", skipme=True)
    room.let_out(0)
    room.await_left(1)
    await_outage(system, "password")
    client.config_set("requirepass", "")
    room.await_entered(3)
    assert_all_went_well(system, room, caplog, level=logging.ERROR)


def test_a_server_with_too_many_clients(
    system: SystemRef, room: Room, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """As many as it allows are there already: an outage like another."""
    client.config_set("maxclients", 1)
    client.client_kill_filter(_type="pubsub")
    client.client_kill_filter(_type="normal", skipme=True)
    room.let_out(0)
    room.await_left(1)
    await_outage(system, "maxclients")
    client.config_set("maxclients", 1_000)
    room.await_entered(3)
    assert_all_went_well(system, room, caplog, level=logging.ERROR)


def test_a_server_that_a_script_blocks(
    server: RealServer, system: SystemRef, room: Room, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody's endless script makes it answer BUSY; when the script is killed, all goes on."""
    client.config_set("busy-reply-threshold", 50)

    def run_for_ever() -> None:
        with contextlib.suppress(redis.ResponseError), redis.Redis.from_url(server.url, protocol=2) as other:
            other.eval("while true do end", 0)

    thread = threading.Thread(target=run_for_ever)
    thread.start()
    room.let_out(0)
    room.await_left(1)
    try:
        await_outage(system, "a script of somebody else")
        eventually(lambda: weather_in(caplog))
        system.tell(Enqueue("Held", {"who": 3}))
    finally:
        client.script_kill()
        thread.join()
    room.await_entered(3)
    assert_all_went_well(system, room, caplog, jobs=4)


def test_scripts_that_are_flushed_all_the_time(
    start: Callable[..., SystemRef], client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost and nothing is run twice while somebody flushes the scripts as fast as he can."""
    seen: list[int] = []

    class Noted:
        concurrency = 3

        def perform(self, *, number: int) -> None:
            seen.append(number)

    is_over = threading.Event()

    def flush() -> None:
        while not is_over.is_set():
            client.script_flush()

    system = start()
    system.ask(StartWorker(Noted))
    thread = threading.Thread(target=flush)
    thread.start()
    try:
        for number in range(300):
            system.ask(Enqueue(Noted, {"number": number}))
        system.drain(timeout=20)
    finally:
        is_over.set()
        thread.join()
    assert sorted(seen) == list(range(300))
    assert restarts(system.ask(GetTree())) == 0
    assert lines(caplog, logging.ERROR) == []
