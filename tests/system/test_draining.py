"""`drain` waits for what the started queues still have to do, and for nothing else; `with` stops in any case."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, ClassVar

import pytest

from exqueue import (
    AskTimeout,
    Enqueue,
    EnqueueMany,
    ExqueueSystem,
    GetJob,
    GetStatus,
    PauseQueue,
    ResumeQueue,
    RetryDead,
    StartWorker,
    SystemStopped,
)
from tests.system.helpers import PATIENCE_S, Room, eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef


class Visit:
    """Visits the room of the test, after as many failures as it is told."""

    room: ClassVar[Room]
    runs: ClassVar[list[int]] = []
    backoff = 0.0

    def perform(self, *, who: int, fails: int = 0) -> None:
        type(self).runs.append(who)
        if type(self).runs.count(who) <= fails:
            raise ValueError(who)
        type(self).room.visit(who)


class Late(Visit):
    """Is tried again in a long time."""

    backoff = 1_000.0


class Fragile:
    """Fails and is dead at once."""

    max_retries = 0

    def perform(self) -> None:
        raise ValueError


class Countdown:
    """Enqueues the next one, by ask or by tell, until there is none left."""

    system: ClassVar[SystemRef]
    runs: ClassVar[list[int]] = []

    def perform(self, *, left: int, asks: bool) -> None:
        type(self).runs.append(left)
        if left:
            message = Enqueue(Countdown, {"left": left - 1, "asks": asks})
            (self.system.ask if asks else self.system.tell)(message)


@pytest.fixture(autouse=True)
def room() -> Iterator[Room]:
    """The room that jobs visit, opened at the end."""
    Visit.runs.clear()
    Countdown.runs.clear()
    with Room() as opened:
        Visit.room = opened
        yield opened


class Draining:
    """A `drain` under way in a thread of its own."""

    def __init__(self, system: SystemRef) -> None:
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._drain, args=(system,))
        self._thread.start()

    def _drain(self, system: SystemRef) -> None:
        try:
            system.drain(timeout=2 * PATIENCE_S)
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            self._error = error

    def ends_within(self, seconds: float) -> bool:
        """Whether it ends."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self) -> None:
        """Wait for its end; raise what it raised."""
        assert self.ends_within(PATIENCE_S)
        if self._error is not None:
            raise self._error


# -- what is waited for
def test_a_drain_waits_for_what_runs_and_what_is_ready(system: SystemRef, room: Room) -> None:
    """To the end of the last job, not only until nothing is left in line."""
    system.ask(StartWorker(Visit))
    system.ask(EnqueueMany(Enqueue(Visit, {"who": who}) for who in (1, 2)))
    room.await_entered(1)
    draining = Draining(system)
    assert not draining.ends_within(0.2)
    room.let_out(1)
    room.await_entered(2)
    assert not draining.ends_within(0.2)
    room.let_out(2)
    draining.result()
    assert room.left == [1, 2]
    status = queue_status(system, "Visit")
    assert (status.ready, status.running, status.processed) == (0, 0, 2)


@pytest.mark.parametrize("kind", ["delayed", "retried"])
def test_a_drain_waits_for_what_fell_due(system: SystemRef, room: Room, kind: str) -> None:
    """Also while no worker is free to take it, so that it still stands among the waiting."""
    system.ask(StartWorker(Visit, concurrency=2))
    if kind == "delayed":
        due = system.ask(Enqueue(Visit, {"who": 3}, delay=0.3))
        system.ask(EnqueueMany(Enqueue(Visit, {"who": who}) for who in (1, 2)))
    else:
        system.ask(StartWorker(Visit, concurrency=2, backoff=0.3))
        due = system.ask(Enqueue(Visit, {"who": 3, "fails": 1}))
        eventually(lambda: Visit.runs == [3])
        system.ask(EnqueueMany(Enqueue(Visit, {"who": who}) for who in (1, 2)))
    room.await_entered(2)
    info = system.ask(GetJob(due))
    assert info.state == "waiting"
    due_at = info.due_at
    assert due_at is not None
    eventually(lambda: time.time() > due_at)
    draining = Draining(system)
    room.let_out(1, 2)
    room.await_entered(3)
    assert not draining.ends_within(0.2)
    room.open()
    draining.result()
    assert room.left[-1] == 3


def test_a_drain_waits_for_each_retry_that_is_due_at_once(system: SystemRef, room: Room) -> None:
    """A job that fails five times and then succeeds has succeeded by then."""
    room.open()
    system.ask(StartWorker(Visit))
    system.ask(Enqueue(Visit, {"who": 1, "fails": 5}))
    system.drain()
    assert room.left == [1]
    assert Visit.runs == [1] * 6


@pytest.mark.parametrize("asks", [True, False], ids=["ask", "tell"])
def test_a_drain_waits_for_jobs_that_jobs_enqueue(system: SystemRef, *, asks: bool) -> None:
    """By `ask` or by `tell`: what is told is not stored yet when the job that told it ends."""
    Countdown.system = system
    system.ask(StartWorker(Countdown))
    system.ask(Enqueue(Countdown, {"left": 100, "asks": asks}))
    system.drain()
    assert Countdown.runs == list(range(100, -1, -1))


def test_a_drain_waits_for_what_was_told_before_it(system: SystemRef, room: Room) -> None:
    """`tell` and then `drain`: the queue is started and the job has run."""
    room.open()
    for who in range(20):
        system.tell(StartWorker(Visit))
        system.tell(Enqueue(Visit, {"who": who}))
        system.drain()
        assert room.left[-1:] == [who]


# -- what is not
def test_a_drain_does_not_wait_for_later(system: SystemRef) -> None:
    """Neither for a delayed job nor for a retry, nor for the queues that are not started here."""
    system.ask(StartWorker(Late))
    retried = system.ask(Enqueue(Late, {"who": 1, "fails": 1}))
    delayed = system.ask(Enqueue(Late, {"who": 2}, delay=1_000))
    other = system.ask(Enqueue("Other"))
    system.drain()
    assert [system.ask(GetJob(one)).state for one in (retried, delayed, other)] == ["waiting", "waiting", "ready"]


def test_a_drain_does_not_wait_for_dead_jobs(system: SystemRef, room: Room) -> None:
    """They stay until a person acts; one that is retried is waited for again."""
    room.open()
    system.ask(StartWorker(Fragile))
    system.ask(StartWorker(Visit))
    job_id = system.ask(Enqueue(Fragile))
    system.ask(Enqueue(Visit, {"who": 1}))
    system.drain()
    assert room.left == [1]
    assert queue_status(system, "Fragile").dead == 1
    system.tell(RetryDead(job_id))
    system.drain()
    status = queue_status(system, "Fragile")
    assert (status.dead, status.failed) == (1, 2)


def test_a_node_without_started_queues_is_drained(system: SystemRef) -> None:
    """Whatever others have to do."""
    system.ask(Enqueue("Other"))
    system.drain(timeout=0)


# -- what ends the waiting
@pytest.mark.parametrize("timeout", [0, 0.2])
def test_the_time_out_says_what_is_left(system: SystemRef, room: Room, timeout: float) -> None:
    """`AskTimeout` after that time, not before and not much later, and it names queue and numbers; the jobs go on."""
    system.ask(StartWorker(Visit))
    system.ask(EnqueueMany(Enqueue(Visit, {"who": who}) for who in range(3)))
    room.await_entered(1)
    begun = time.monotonic()
    with pytest.raises(AskTimeout, match=f"after {timeout:g} s: Visit has 2 ready and 1 running") as caught:
        system.drain(timeout=timeout)
    assert timeout <= time.monotonic() - begun < timeout + PATIENCE_S
    assert caught.value.stored is None
    room.open()
    system.drain()
    assert room.left == [0, 1, 2]


def test_without_a_time_out_ask_timeout_holds(url: str, namespace: str, room: Room) -> None:
    """A drain never waits for ever."""
    with ExqueueSystem.start(url, namespace=namespace, ask_timeout=0.2) as system:
        system.ask(StartWorker(Visit), timeout=PATIENCE_S)
        system.ask(Enqueue(Visit, {"who": 1}), timeout=PATIENCE_S)
        room.await_entered(1)
        with pytest.raises(AskTimeout, match=r"after 0\.2 s: Visit has 1 running"):
            system.drain()
        room.open()


def test_a_paused_queue_is_drained_when_nothing_is_in_it(system: SystemRef, room: Room) -> None:
    """What is ready there keeps a drain waiting, and the time-out says that the queue is paused."""
    room.open()
    system.ask(StartWorker(Visit))
    system.ask(PauseQueue("Visit"))
    system.drain()
    system.ask(Enqueue(Visit, {"who": 1}))
    with pytest.raises(AskTimeout, match="Visit has 1 ready and is paused"):
        system.drain(timeout=0.1)
    draining = Draining(system)
    system.ask(ResumeQueue("Visit"))
    draining.result()
    assert room.left == [1]


def test_a_stop_ends_a_drain(system: SystemRef, room: Room) -> None:
    """It says that the system was stopped, at once."""
    system.ask(StartWorker(Visit))
    system.ask(Enqueue(Visit, {"who": 1}))
    room.await_entered(1)
    system.ask(PauseQueue("Visit"))
    system.ask(Enqueue(Visit, {"who": 2}))
    draining = Draining(system)
    room.open()
    system.stop()
    with pytest.raises(SystemStopped, match="was stopped"):
        draining.result()


# -- the end of a `with`
def test_a_with_stops_at_its_end(url: str, namespace: str, room: Room) -> None:
    """What runs gets to end, and the lock is free."""
    with ExqueueSystem.start(url, namespace=namespace, node="after") as after:
        with ExqueueSystem.start(url, namespace=namespace) as system:
            system.ask(StartWorker(Visit))
            system.ask(Enqueue(Visit, {"who": 1}))
            room.await_entered(1)
            eventually(lambda: after.ask(GetStatus()).leader)
            room.open()
        assert not system.is_alive()
        assert room.left == [1]
        assert after.ask(GetStatus()).leader is None


def test_a_with_stops_on_an_error_too(url: str, namespace: str, room: Room, caplog: pytest.LogCaptureFixture) -> None:
    """And the error goes on to who is to see it."""
    room.open()
    systems = []

    def fail() -> None:
        with ExqueueSystem.start(url, namespace=namespace) as system:
            systems.append(system)
            system.ask(StartWorker(Visit))
            system.ask(Enqueue(Visit, {"who": 1}))
            room.await_entered(1)
            raise ZeroDivisionError("of the block")

    with pytest.raises(ZeroDivisionError, match="of the block"):
        fail()
    assert not systems[0].is_alive()
    assert room.left == [1]
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
