"""The server lost what it had acknowledged: flushed under load, or back in an older state. The system goes on."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING

import pytest

from exqueue import Enqueue, GetTree, StartWorker, StopWorker
from tests.chaos.weather import await_calm, await_outage, held_in, lines, restarts, status_of
from tests.system.helpers import Room, eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from exqueue import SystemRef
    from tests.servers import RealServer

WENT_BACK = "the persistence went back to an older state"


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="exqueue")


@pytest.fixture
def job(room: Room) -> type:
    """A job class whose jobs stay in the room."""
    return held_in(room)


@pytest.mark.parametrize("is_a_later_leadership", [False, True])
def test_a_server_that_is_flushed_under_load(
    start: Callable[..., SystemRef],
    room: Room,
    job: type,
    client: redis.Redis,
    caplog: pytest.LogCaptureFixture,
    is_a_later_leadership: bool,
) -> None:
    """What was queued is gone, what ran counts for nothing, new jobs run once; it is said, and nothing crashes."""
    system = start()
    system.ask(StartWorker(job))
    eventually(lambda: status_of(system).is_leader)
    if is_a_later_leadership:
        system.ask(StopWorker(job))
        eventually(lambda: not status_of(system).is_leader)
        system.ask(StartWorker(job))
        eventually(lambda: status_of(system).is_leader)
    epoch = status_of(system).epoch
    for who in range(6):
        system.ask(Enqueue(job, {"who": who}))
    room.await_entered(3)

    client.flushall()
    for who in range(10, 14):
        system.ask(Enqueue(job, {"who": who}))
    room.let_out(0, 1, 2)
    room.await_entered(6)
    # Until the Leader has found its lock gone and has it again, under the same epoch.
    eventually(lambda: status_of(system).is_leader)
    assert status_of(system).epoch == epoch
    room.open()
    system.drain(timeout=20)

    assert sorted(room.entered, key=str) == [0, 1, 10, 11, 12, 13, 2]
    eventually(lambda: len(lines(caplog, logging.CRITICAL, WENT_BACK)) == 1)
    assert restarts(system.ask(GetTree())) == 0
    assert lines(caplog, logging.ERROR) == []


def test_an_idle_queue_notices_that_its_server_was_flushed(
    start: Callable[..., SystemRef], room: Room, job: type, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """The next sweep finds it, so that a job that nobody is woken for runs all the same."""
    room.open()
    system = start()
    system.ask(StartWorker(job))
    system.ask(Enqueue(job, {"who": 0}))
    system.drain()
    client.flushall()
    system.ask(Enqueue(job, {"who": 1}))
    room.await_left(2)
    eventually(lambda: len(lines(caplog, logging.CRITICAL, WENT_BACK)) == 1)


def test_a_server_that_went_back_to_an_older_state(
    server: RealServer,
    start: Callable[..., SystemRef],
    room: Room,
    job: type,
    client: redis.Redis,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Jobs of the meantime may be lost or repeated; it is said, nothing crashes, and new jobs run."""
    system = start()
    system.ask(StartWorker(job))
    system.ask(Enqueue(job, {"who": "before"}))
    room.await_entered(1)
    older = server.folder / "appendonlydir"
    shutil.copytree(older, server.folder / "copy")
    room.let_out("before")
    eventually(lambda: queue_status(system, job.__name__).processed == 1)
    system.ask(Enqueue(job, {"who": "meantime"}))
    room.await_entered(2)

    server.stop()
    await_outage(system)
    shutil.rmtree(older)
    shutil.move(server.folder / "copy", older)
    server.start()

    system.ask(Enqueue(job, {"who": "after"}))
    room.open()
    eventually(lambda: "after" in room.left)
    system.drain(timeout=20)
    assert room.entered.count("after") == 1
    # It was running when the copy was made, and what has become of it is forgotten.
    assert room.entered.count("before") == 2
    await_calm(system, caplog)
    eventually(lambda: len(lines(caplog, logging.CRITICAL, WENT_BACK)) == 1)
    assert restarts(system.ask(GetTree())) == 0
