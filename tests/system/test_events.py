"""Events: each type with its fields, to those who asked for it, whatever becomes of a subscriber."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from exqueue import (
    ActorRestarted,
    Enqueue,
    EnqueueMany,
    ExqueueSystem,
    GetJob,
    JobDied,
    JobEnqueued,
    JobFailed,
    JobInterrupted,
    JobStarted,
    JobSucceeded,
    LeadershipGained,
    LeadershipLost,
    StartWorker,
    StopWorker,
    Subscribe,
    Unsubscribe,
)
from exqueue.testing import crash
from tests.system.ears import Listener
from tests.system.helpers import PATIENCE_S, Room, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef


@pytest.fixture
def ear() -> Iterator[Listener]:
    """A listener that is not subscribed yet."""
    made = Listener()
    yield made
    made.ref.stop(timeout=PATIENCE_S)


@pytest.fixture
def system(url: str, namespace: str) -> Iterator[SystemRef]:
    """A node of a known name, which gives running jobs next to no time when it stops."""
    with ExqueueSystem.start(url, namespace=namespace, node="teller", shutdown_timeout=0.1) as started:
        yield started


class Mail:
    """Does as it is told, in a queue of another name."""

    queue = "outgoing"
    max_retries = 1
    backoff = 0.01

    def perform(self, *, fails: int = 0) -> None:
        if fails:
            raise ValueError("mailbox full")


class Held:
    """Stays in the room of the test."""

    room: ClassVar[Room]

    def perform(self) -> None:
        type(self).room.visit()


def fields(event: Any, *names: str) -> tuple[Any, ...]:
    """These fields of an event; and its time must be now."""
    assert event.at == pytest.approx(time.time(), abs=PATIENCE_S)
    return tuple(getattr(event, name) for name in names)


# -- each type
def test_enqueued(system: SystemRef, ear: Listener) -> None:
    """One for each stored job, also of those stored together; `due_at` only where it is for later."""
    system.ask(Subscribe(ear.ref, JobEnqueued))
    first = system.ask(Enqueue(Mail))
    second = system.ask(Enqueue(Mail, delay=60))
    many = system.ask(EnqueueMany([Enqueue(Mail), Enqueue("Other")]))
    eventually(lambda: len(ear.heard) == 4)

    told = {event.id: fields(event, "job", "queue", "node") for event in ear.heard}
    mail = ("Mail", "outgoing", "teller")
    assert told == {first: mail, second: mail, many[0]: mail, many[1]: ("Other", "Other", "teller")}
    due = {event.id: event.due_at for event in ear.heard}
    assert due.pop(second) == pytest.approx(time.time() + 60, abs=PATIENCE_S)
    assert set(due.values()) == {None}


def test_started_and_succeeded(system: SystemRef, ear: Listener) -> None:
    """Which worker has it, and how long it took; the start is told before the end."""
    system.ask(Subscribe(ear.ref, JobStarted, JobSucceeded))
    system.ask(StartWorker(Mail))
    job_id = system.ask(Enqueue(Mail))
    succeeded = ear.one(JobSucceeded)

    started = ear.heard[0]
    common = (job_id, "Mail", "outgoing", "teller", 1)
    assert type(started) is JobStarted
    assert fields(started, "id", "job", "queue", "node", "attempt") == common
    assert started.worker == "queues/outgoing/worker-1"
    assert fields(succeeded, "id", "job", "queue", "node", "attempt") == common
    assert 0 <= succeeded.duration_s < PATIENCE_S


def test_a_start_is_told_while_the_job_runs(system: SystemRef, ear: Listener) -> None:
    """Not only when it has ended."""
    with Room() as room:
        Held.room = room
        system.ask(Subscribe(ear.ref, JobStarted))
        system.ask(StartWorker(Held))
        system.ask(Enqueue(Held))
        assert ear.one(JobStarted).worker == "queues/Held/worker-1"
        assert room.left == []


def test_failed_and_died(system: SystemRef, ear: Listener) -> None:
    """A failure tells its error and when it is tried again, the death how often it was tried and why no more."""
    system.ask(Subscribe(ear.ref, JobStarted, JobFailed, JobDied))
    system.ask(StartWorker(Mail))
    job_id = system.ask(Enqueue(Mail, {"fails": 1}))
    died = ear.one(JobDied)

    assert [type(event) for event in ear.heard] == [JobStarted, JobFailed, JobStarted, JobDied]
    assert [event.attempt for event in ear.heard if type(event) is JobStarted] == [1, 2]
    failed = ear.one(JobFailed)
    names = ("id", "job", "queue", "node")
    assert fields(failed, *names) == fields(died, *names) == (job_id, "Mail", "outgoing", "teller")
    assert (failed.attempt, failed.failures, failed.retry_in_s, failed.note) == (1, 1, 0.01, None)
    assert (died.attempts, died.recoveries) == (2, 0)
    assert died.reason == "it failed 2 times: all of its retries are used up"
    for event in (failed, died):
        assert (event.error.type, event.error.message, event.error.node) == ("ValueError", "mailbox full", "teller")
        assert 'raise ValueError("mailbox full")' in event.error.traceback


def test_interrupted(system: SystemRef, ear: Listener) -> None:
    """A stop that outlasts its patience tells which runs it cut short, and the job is ready again."""
    with Room() as room:
        Held.room = room
        system.ask(Subscribe(ear.ref, JobInterrupted, JobSucceeded))
        system.ask(StartWorker(Held))
        job_id = system.ask(Enqueue(Held))
        room.await_entered(1)
        system.ask(StopWorker(Held))
        event = ear.one(JobInterrupted)

        assert fields(event, "id", "job", "queue", "node", "attempt") == (job_id, "Held", "Held", "teller", 1)
        assert "stop" in event.reason
        assert system.ask(GetJob(job_id)).state == "ready"
    assert len(ear.heard) == 1


def test_leadership_gained_and_lost(system: SystemRef, ear: Listener) -> None:
    """With the first started queue and with the last stopped one; each leadership has a higher epoch."""
    system.ask(Subscribe(ear.ref, LeadershipGained, LeadershipLost))
    for epoch in (1, 2):
        system.ask(StartWorker(Mail))
        gained = ear.nth(1)
        assert type(gained) is LeadershipGained
        assert fields(gained, "node") == ("teller",)
        assert gained.fence.epoch == epoch
        system.ask(StopWorker(Mail))
        lost = ear.nth(2)
        assert type(lost) is LeadershipLost
        assert fields(lost, "node", "fence") == ("teller", gained.fence)
        assert lost.reason == "the lock is given back"
        ear.heard.clear()


def test_a_stop_of_the_system_tells_that_leadership_is_lost(system: SystemRef, ear: Listener) -> None:
    """The last event of a system that led."""
    system.ask(Subscribe(ear.ref, LeadershipGained, LeadershipLost))
    system.ask(StartWorker(Mail))
    ear.one(LeadershipGained)
    system.stop()
    assert ear.one(LeadershipLost).node == "teller"


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("reporter", "Reporter"),
        ("operator", "Operator"),
        ("queues", "Queues"),
        ("queues/outgoing", "QueueSupervisor"),
        ("queues/outgoing/fetcher", "Fetcher"),
        ("queues/outgoing/worker-1", "Worker"),
    ],
)
def test_restarted(system: SystemRef, ear: Listener, path: str, role: str) -> None:
    """Whatever its supervisor: path, role, how often, and what it raised; its children are no news."""
    system.ask(StartWorker(Mail))
    system.ask(Subscribe(ear.ref, ActorRestarted))
    for restarts in (1, 2):
        crash(system, path)
        event = ear.nth(restarts)
        assert fields(event, "name", "role", "node", "restarts") == (path, role, "teller", restarts)
        assert f"exqueue.testing.crash({path!r})" in event.reason
        eventually(lambda: system.urn_of(path))


# -- who hears what
def test_only_the_types_asked_for_arrive(system: SystemRef, ear: Listener) -> None:
    """Without a type, all do."""
    everything = Listener()
    system.ask(Subscribe(ear.ref, JobSucceeded))
    assert system.ask(Subscribe(everything.ref)) is True
    system.ask(StartWorker(Mail))
    system.ask(Enqueue(Mail))
    everything.one(JobSucceeded)
    ear.one(JobSucceeded)

    assert {type(event) for event in everything.heard} == {LeadershipGained, JobEnqueued, JobStarted, JobSucceeded}
    assert [type(event) for event in ear.heard] == [JobSucceeded]
    everything.ref.stop(timeout=PATIENCE_S)


def test_subscribing_again_changes_what_arrives(system: SystemRef, ear: Listener) -> None:
    """The types of the last time hold; nothing arrives twice."""
    system.ask(Subscribe(ear.ref, JobEnqueued, JobSucceeded))
    system.ask(Subscribe(ear.ref, JobSucceeded))
    system.ask(StartWorker(Mail))
    job_id = system.ask(Enqueue(Mail))
    ear.one(JobSucceeded)
    await_the_reporter(system)
    assert [(type(event), event.id) for event in ear.heard] == [(JobSucceeded, job_id)]


def await_the_reporter(system: SystemRef) -> None:
    """Return when the Reporter has handed on what it was told so far."""
    last = Listener()
    system.ask(Subscribe(last.ref, JobEnqueued))
    job_id = system.ask(Enqueue("Marker"))
    eventually(lambda: [event.id for event in last.heard] == [job_id])
    system.ask(Unsubscribe(last.ref))
    last.ref.stop(timeout=PATIENCE_S)


def test_unsubscribing_stops_the_events(system: SystemRef, ear: Listener) -> None:
    """Answers whether there was a subscription; nothing comes after the answer."""
    system.ask(Subscribe(ear.ref, JobEnqueued))
    system.ask(Enqueue(Mail))
    ear.one(JobEnqueued)
    assert system.ask(Unsubscribe(ear.ref)) is True
    assert system.ask(Unsubscribe(ear.ref)) is False
    system.ask(Enqueue(Mail))
    await_the_reporter(system)
    assert len(ear.heard) == 1
