"""What no message tells of: a lost wake-up, a Fetcher that fetches nothing, settings of the server that lose jobs."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import pytest
import redis

from exqueue import ActorInfo, Enqueue, GetTree, StartWorker
from exqueue.actors import fetcher, listener, watchdog
from tests.chaos.weather import held_in, lines, restarts, status_of, weather_in
from tests.servers import real_server
from tests.system.helpers import Room, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue import SystemRef
    from exqueue.actors.fetcher import Fetcher
    from tests.servers import RealServer

LOST_WAKE_UP_S = 5.0


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="exqueue")


def work_until_idle(system: SystemRef, room: Room) -> type:
    """Run one job, and wait until the queue is idle and says that it is hungry."""
    job = held_in(room)
    room.open()
    system.ask(StartWorker(job))
    system.ask(Enqueue(job, {"who": 0}))
    room.await_left(1)
    system.drain()
    return job


def test_a_user_who_may_not_publish(
    server: RealServer, start: Callable[..., SystemRef], room: Room, client: redis.Redis
) -> None:
    """Nobody is woken, and each job starts within five seconds all the same."""
    client.acl_setuser(
        "quiet", enabled=True, passwords=["+secret"], keys=["*"], commands=["+@all", "-publish"], channels=["*"]
    )
    system = start(server.url.replace("unix://", "unix://quiet:secret@"))
    job = work_until_idle(system, room)
    # Right after a sweep is the worst moment, so more than one time is tried.
    for who in (1, 2):
        began = time.monotonic()
        system.ask(Enqueue(job, {"who": who}))
        room.await_left(1 + who)
        assert time.monotonic() - began < LOST_WAKE_UP_S
    assert restarts(system.ask(GetTree())) == 0


def test_a_subscription_that_breaks_right_before_the_push(
    start: Callable[..., SystemRef],
    room: Room,
    client: redis.Redis,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The wake-up reaches nobody; the sweep after the next subscription finds the job, no other is needed."""
    monkeypatch.setattr(listener, "SWEEP_EVERY_S", 600.0)
    system = start()
    job = work_until_idle(system, room)
    for who in range(1, 6):
        began = time.monotonic()
        client.client_kill_filter(_type="pubsub")
        system.ask(Enqueue(job, {"who": who}))
        room.await_left(1 + who)
        assert time.monotonic() - began < LOST_WAKE_UP_S
    assert status_of(system).is_leader
    assert weather_in(caplog) == []


def test_a_fetcher_that_fetches_nothing_is_restarted(
    start: Callable[..., SystemRef], room: Room, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is connected, has a backlog and idle workers: one ERROR, and its successor runs the jobs."""
    monkeypatch.setattr(listener, "SWEEP_EVERY_S", 0.1)
    monkeypatch.setattr(watchdog, "LOOKED_FOR_S", 0.3)
    system = start()
    job = work_until_idle(system, room)
    broken = system.urn_of("queues/Held/fetcher")
    want = fetcher.Fetcher._want  # noqa: SLF001

    def nothing_from_the_broken_one(self: Fetcher, settled: int) -> int:
        return 0 if self.actor_urn == broken else want(self, settled)

    monkeypatch.setattr(fetcher.Fetcher, "_want", nothing_from_the_broken_one)

    system.ask(Enqueue(job, {"who": 1}))

    room.await_left(2)
    said = lines(caplog, logging.ERROR)
    assert len(said) == 1
    assert "queue Held has jobs to run and idle workers" in said[0]
    assert eventually(lambda: restarts_of(system.ask(GetTree()), "queues/Held/fetcher")) == 1
    assert restarts(system.ask(GetTree())) == 1


def restarts_of(info: ActorInfo, name: str) -> int:
    """How often the actor of this name was started again."""
    return info.restarts if info.name == name else sum(restarts_of(child, name) for child in info.children)


def test_a_busy_a_paused_and_a_slow_queue_are_not_taken_for_stuck(
    start: Callable[..., SystemRef], room: Room, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backlog behind busy workers is no reason to restart anything."""
    monkeypatch.setattr(listener, "SWEEP_EVERY_S", 0.02)
    monkeypatch.setattr(watchdog, "LOOKED_FOR_S", 0.1)
    system, job = start(), held_in(room)
    system.ask(StartWorker(job))
    for who in range(6):
        system.ask(Enqueue(job, {"who": who}))
    room.await_entered(3)
    beats = count_sweeps(monkeypatch)
    eventually(lambda: len(beats) > 20)
    assert restarts(system.ask(GetTree())) == 0
    assert lines(caplog, logging.ERROR) == []


def count_sweeps(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Note each look of the watchdog from now on."""
    looks: list[object] = []
    stuck = watchdog.Watchdog.stuck

    def noted(self: watchdog.Watchdog, due: set[str]) -> tuple[str, ...]:
        looks.append(due)
        return stuck(self, due)

    monkeypatch.setattr(watchdog.Watchdog, "stuck", noted)
    return looks


def test_an_eviction_policy_is_an_error_at_the_start(
    needs_server: None, room: Room, caplog: pytest.LogCaptureFixture, start_on: Callable[[str], SystemRef]
) -> None:
    """A server that throws jobs away when it is full is named once, with what to do; jobs run nevertheless."""
    with real_server("--maxmemory-policy", "allkeys-lru") as evicting:
        system = start_on(evicting.url)
        work_until_idle(system, room)
        eventually(lambda: lines(caplog, logging.ERROR))
        with redis.Redis.from_url(evicting.url, protocol=2) as client:
            client.client_kill_filter(_type="pubsub")
        eventually(lambda: status_of(system).is_leader)
        said = lines(caplog, logging.ERROR)
        assert len(said) == 1
        assert "maxmemory-policy of the server is allkeys-lru" in said[0]
        assert "set it to noeviction" in said[0]
        system.stop()
