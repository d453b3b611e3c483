"""A key of one queue that somebody else wrote to: its queue stands still, and nothing else is held up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from exqueue import Enqueue, GetStatus, StartWorker, StopWorker
from exqueue.persistence.redis.keys import queue_keys
from tests.system.helpers import PATIENCE_S, Room, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from exqueue import SystemRef

AT = queue_keys("default", "Damaged")
BEGINS = "stands still until that is mended"
LONG_S = 3 * PATIENCE_S


class Damaged:
    """Its queue is not what it was."""

    def perform(self) -> None:
        """Do nothing."""


class Held:
    """Stays until it is let out."""

    name = "Damaged"
    room: Room

    def perform(self) -> None:
        self.room.visit()


def overwrite(client: redis.Redis, key: bytes) -> None:
    """Make a key one of another type."""
    client.delete(key)
    client.set(key, "somebody else was here")


DAMAGE: dict[str, Callable[[redis.Redis], object]] = {
    "waiting": lambda client: overwrite(client, AT.waiting),
    "trail": lambda client: overwrite(client, AT.trail),
    "running": lambda client: client.hset(AT.running, "a job", "nonsense"),
    "owner": lambda client: client.hset(AT.owner, mapping={"epoch": "x", "seat": "y", "call": "z", "places": "?"}),
}


@pytest.fixture
def is_damaged() -> bool:
    """It stays."""
    return True


@pytest.mark.parametrize(
    ("role", "is_claimed"),
    [
        *(pytest.param(role, False, id=f"{role} before it is worked") for role in DAMAGE),
        # A run that nobody knows of does not hinder who works the queue already.
        *(pytest.param(role, True, id=f"{role} while it is worked") for role in DAMAGE if role != "running"),
    ],
)
def test_a_system_with_nothing_to_wait_for_stops_at_once(
    start: Callable[..., SystemRef],
    client: redis.Redis,
    role: str,
    is_claimed: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing runs here, and the damage does not mend itself: there is nothing to be patient for."""
    system = start(shutdown_timeout=LONG_S)
    if is_claimed:
        system.ask(StartWorker(Damaged))
        system.ask(Enqueue(Damaged))
        system.drain()
    DAMAGE[role](client)
    system.ask(StartWorker(Damaged, concurrency=2))
    # Something to fetch, so that an exchange is due; the damage may be in the way of storing it.
    system.tell(Enqueue(Damaged))
    eventually(lambda: BEGINS in caplog.text)
    assert f":{role}'" in caplog.text
    begin = time.monotonic()
    assert system.stop(timeout=LONG_S)
    assert time.monotonic() - begin < PATIENCE_S


def test_what_still_runs_is_waited_for(
    start: Callable[..., SystemRef], client: redis.Redis, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    """Damage is no reason to leave a job behind that may end in time."""
    Held.room = room
    system = start(shutdown_timeout=LONG_S)
    system.ask(StartWorker(Held, concurrency=2))
    system.tell(Enqueue(Held))
    room.await_entered(1)
    overwrite(client, AT.trail)
    client.lpush(AT.ready, "another")
    system.ask(StartWorker(Held, concurrency=3))
    eventually(lambda: BEGINS in caplog.text)
    assert not system.stop(timeout=0.5)
    assert system.is_alive()
    client.delete(AT.trail)
    room.open()
    assert system.stop(timeout=PATIENCE_S)
    assert client.hlen(AT.running) == 0


def test_a_damaged_queue_can_be_stopped(
    start: Callable[..., SystemRef], client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Stopping its last class takes it out of the status of this node."""
    system = start(shutdown_timeout=LONG_S)
    overwrite(client, AT.trail)
    system.ask(StartWorker(Damaged))
    eventually(lambda: BEGINS in caplog.text)
    system.ask(StopWorker(Damaged))
    eventually(lambda: [queue.concurrency for queue in system.ask(GetStatus()).queues] == [None])
