"""Subscribers that are in trouble: they cost neither a death, nor a job, nor another subscriber anything."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Any

import pykka
import pytest

from exqueue import (
    Enqueue,
    EnqueueMany,
    ExqueueSystem,
    JobDied,
    JobEnqueued,
    JobSucceeded,
    StartWorker,
    Subscribe,
    Unsubscribe,
)
from exqueue.actors import audience
from exqueue.testing import crash
from tests.system.ears import Listener
from tests.system.helpers import PATIENCE_S, Room, eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef


@pytest.fixture
def ear() -> Iterator[Listener]:
    """A listener that is not subscribed yet."""
    made = Listener()
    yield made
    made.ref.stop(timeout=PATIENCE_S)


class Mail:
    """Ends, in a queue of another name."""

    queue = "outgoing"

    def perform(self) -> None:
        pass


def test_a_subscriber_that_ended_is_forgotten(
    system: SystemRef, ear: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    """The others hear on, the jobs run, no actor is the worse for it, and it is not worth a line in the log."""
    gone = Listener()
    for listener in (gone, ear):
        system.ask(Subscribe(listener.ref))
    reporter = system.urn_of("reporter")
    gone.ref.stop(timeout=PATIENCE_S)
    system.ask(StartWorker(Mail))
    system.ask(Enqueue(Mail))
    ear.one(JobSucceeded)
    assert system.urn_of("reporter") == reporter
    assert system.ask(Unsubscribe(gone.ref)) is False
    assert system.ask(Unsubscribe(ear.ref)) is True
    assert caplog.text == ""


class Unkind:
    """Raises whatever it is told."""

    actor_urn = "urn:of-an-unkind-one"

    def __init__(self, raised: BaseException) -> None:
        self.raised = raised

    def tell(self, message: object) -> None:
        raise self.raised


class Unspeakable(Exception):
    """Can't be shown."""

    def __str__(self) -> str:
        raise SystemExit(5)


def warnings(caplog: pytest.LogCaptureFixture, urn: str) -> list[str]:
    """What the log warns of this subscriber."""
    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    return [line for line in lines if urn in line]


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, BaseException, Unspeakable])
def test_fault_031_a_subscriber_that_raises_is_forgotten(
    system: SystemRef, ear: Listener, caplog: pytest.LogCaptureFixture, kind: type[BaseException]
) -> None:
    """As one that ended; one WARNING names it and what it raised, as far as that can be said."""
    unkind = Unkind(kind("no more events, please"))
    for ref in (unkind, ear.ref):
        system.ask(Subscribe(ref))
    reporter = system.urn_of("reporter")
    system.ask(StartWorker(Mail))
    system.ask(Enqueue(Mail))
    ear.one(JobSucceeded)
    eventually(lambda: warnings(caplog, Unkind.actor_urn))
    assert system.urn_of("reporter") == reporter
    assert system.ask(Unsubscribe(unkind)) is False
    (said,) = warnings(caplog, Unkind.actor_urn)
    assert kind.__name__ in said
    assert ("no more events, please" in said) is (kind is not Unspeakable)


def threads_of_subscribers() -> list[str]:
    """The threads in which those are told that are no actors."""
    return [thread.name for thread in threading.enumerate() if "+subscriber-" in thread.name]


class Visitor:
    """Takes each event into the room of the test, and stays there."""

    actor_urn = "urn:of-a-visitor"

    def __init__(self, room: Room) -> None:
        self.room = room

    def tell(self, message: object) -> None:
        assert isinstance(message, JobEnqueued | JobDied)
        self.room.visit(message.id)


class Dies:
    """Fails for good at once."""

    max_retries = 0

    def perform(self) -> None:
        raise ValueError("can't be done")


def deaths(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The ids of the jobs whose death is in the log."""
    return [record.getMessage().split()[1] for record in caplog.records if record.name == "exqueue.deaths"]


def test_a_tell_that_blocks_delays_no_death_and_no_other_subscriber(
    system: SystemRef, ear: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    """It gets its events in their order, as soon as it takes them."""
    with Room() as room:
        visitor = Visitor(room)
        system.ask(Subscribe(visitor, JobDied))
        system.ask(Subscribe(ear.ref, JobDied))
        system.ask(StartWorker(Dies))
        ids = system.ask(EnqueueMany(Enqueue(Dies) for _ in range(20)))
        room.await_entered(1)
        eventually(lambda: len(deaths(caplog)) == 20)
        eventually(lambda: len(ear.heard) == 20)
        assert len(room.entered) == 1
        room.open()
        room.await_left(20)
        assert room.entered == deaths(caplog)
        assert sorted(map(str, room.entered)) == sorted(ids)
        assert system.ask(Unsubscribe(visitor)) is True


def test_after_an_unsubscribe_a_tell_that_blocks_hears_nothing_that_waited(system: SystemRef) -> None:
    """What is under way is all that it still gets."""
    with Room() as room:
        visitor = Visitor(room)
        system.ask(Subscribe(visitor, JobEnqueued))
        system.ask(EnqueueMany(Enqueue(Mail) for _ in range(5)))
        room.await_entered(1)
        assert system.ask(Unsubscribe(visitor)) is True
        room.open()
        eventually(lambda: not threads_of_subscribers())
        assert len(room.entered) == 1


def test_a_tell_that_is_too_far_behind_is_told_no_more(
    system: SystemRef, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for it would fill the memory."""
    monkeypatch.setattr(audience, "MOST_EVENTS", 5)
    with Room() as room:
        visitor = Visitor(room)
        system.ask(Subscribe(visitor, JobEnqueued))
        system.ask(Enqueue(Mail))
        room.await_entered(1)
        system.ask(EnqueueMany(Enqueue(Mail) for _ in range(10)))
        eventually(lambda: warnings(caplog, Visitor.actor_urn))
        assert system.ask(Unsubscribe(visitor)) is False
        (said,) = warnings(caplog, Visitor.actor_urn)
        assert "its tell is 5 events behind" in said


def test_a_stop_waits_a_moment_for_a_tell(url: str, namespace: str, caplog: pytest.LogCaptureFixture) -> None:
    """One that ends gets all that waits for it; of one that does not it is said."""
    with Room() as room, Room() as open_room:
        open_room.open()
        system = ExqueueSystem.start(url, namespace=namespace)
        quick = Visitor(open_room)
        quick.actor_urn = "urn:of-a-quick-one"
        for visitor in (Visitor(room), quick):
            system.ask(Subscribe(visitor, JobEnqueued))
        system.ask(EnqueueMany(Enqueue(Mail) for _ in range(500)))
        room.await_entered(1)
        begun_at = time.monotonic()
        assert system.stop()
        assert time.monotonic() - begun_at < audience.LAST_EVENTS_S + 3.0
        assert len(open_room.left) == 500
        (said,) = warnings(caplog, Visitor.actor_urn)
        assert "was not told its last events" in said
        assert warnings(caplog, quick.actor_urn) == []


class Slow(pykka.ThreadingActor):
    """Blocks at its first event."""

    use_daemon_thread = True

    def __init__(self, blocked: threading.Event, let_go: threading.Event) -> None:
        super().__init__()
        self.blocked = blocked
        self.let_go = let_go

    def on_receive(self, message: Any) -> None:
        self.blocked.set()
        assert self.let_go.wait(3 * PATIENCE_S)


def test_a_subscriber_that_blocks_delays_nobody(system: SystemRef, ear: Listener) -> None:
    """The events wait in its own inbox: jobs are stored, run and settled, and the other subscribers hear of it."""
    blocked, let_go = threading.Event(), threading.Event()
    slow = Slow.start(blocked, let_go)
    try:
        system.ask(Subscribe(slow))
        system.ask(Subscribe(ear.ref, JobSucceeded))
        system.ask(StartWorker(Mail))
        system.ask(Enqueue(Mail))
        assert blocked.wait(PATIENCE_S)
        system.ask(EnqueueMany(Enqueue(Mail) for _ in range(50)))
        system.drain()
        eventually(lambda: len(ear.heard) == 51)
        assert queue_status(system, "outgoing").processed == 51
    finally:
        let_go.set()
        slow.stop(timeout=PATIENCE_S)


def test_a_reporter_that_crashes_leaves_no_thread_behind(system: SystemRef) -> None:
    """Who is no actor is found by no other Reporter, so nobody would tell it anything there."""
    system.ask(Subscribe(Unkind(ValueError()), JobDied))
    assert len(threads_of_subscribers()) == 1
    crash(system, "reporter")
    eventually(lambda: not threads_of_subscribers())


class Narrow(Slow):
    """Has room for one message, and whoever brings another one waits."""

    @staticmethod
    def _create_actor_inbox() -> Any:
        return queue.Queue(1)


def test_an_inbox_with_a_bound_delays_nobody(system: SystemRef, ear: Listener) -> None:
    """It is a tell that blocks, though an actor's."""
    blocked, let_go = threading.Event(), threading.Event()
    narrow = Narrow.start(blocked, let_go)
    try:
        system.ask(Subscribe(narrow, JobEnqueued))
        system.ask(Subscribe(ear.ref, JobEnqueued))
        system.ask(EnqueueMany(Enqueue(Mail) for _ in range(10)))
        assert blocked.wait(PATIENCE_S)
        eventually(lambda: len(ear.heard) == 10)
        assert system.ask(Unsubscribe(narrow)) is True
    finally:
        let_go.set()
        narrow.stop(timeout=PATIENCE_S)


def test_a_subscription_outlives_the_crash_of_the_reporter(system: SystemRef, ear: Listener) -> None:
    """With its types, and it can be ended as before."""
    system.ask(Subscribe(ear.ref, JobSucceeded))
    before = system.urn_of("reporter")
    crash(system, "reporter")
    eventually(lambda: system.urn_of("reporter") not in (before, None))
    system.ask(StartWorker(Mail))
    job_id = system.ask(Enqueue(Mail))
    assert ear.one(JobSucceeded).id == job_id
    assert [type(event) for event in ear.heard] == [JobSucceeded]
    assert system.ask(Unsubscribe(ear.ref)) is True
