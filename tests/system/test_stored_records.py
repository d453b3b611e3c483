"""Stored jobs that this node can't run as they are: never dropped, and never in the way of others."""

import logging
import time
from collections.abc import Iterator
from typing import Any

import pykka
import pytest

from exqueue import (
    ActorRestarted,
    Enqueue,
    GetJob,
    GetStatus,
    JobInfo,
    JobStarted,
    RetryDead,
    StartWorker,
    Subscribe,
    SystemRef,
    execution,
)
from exqueue.codec import Codec
from exqueue.execution import Outcome, Run, Workshop, perform
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import NewJob, Push
from exqueue.record import encode_record
from tests.system.helpers import PATIENCE_S, eventually, queue_status

WHOLE = encode_record("Known", {"number": 1, "name": "x" * 20}, 1.0, Codec())
HEADER = encode_record("Known", {}, 1.0, Codec())[:-1]


class Store:
    """Puts raw records into a queue, as a program of another version might."""

    def __init__(self, url: str, namespace: str) -> None:
        self.persistence = open_persistence(url, namespace=namespace)
        self.number = 0

    def push(self, queue: str, job_id: str, record: bytes) -> None:
        """Store a record as it is."""
        self.number += 1
        session = self.persistence.session(timeout=5.0)
        assert session.push("raw", [Push(queue, self.number, (NewJob(job_id, record),))]) == (None,)
        session.close()

    def record(self, queue: str, job_id: str) -> bytes:
        """What is stored of a job."""
        session = self.persistence.session(timeout=5.0)
        (job,) = session.get_jobs(job_id, [queue])
        session.close()
        return job.record


@pytest.fixture
def store(url: str, namespace: str) -> Iterator[Store]:
    """The store of the system under test."""
    store = Store(url, namespace)
    yield store
    store.persistence.close()


class Ear(pykka.ThreadingActor):
    """A subscriber that keeps what it hears."""

    use_daemon_thread = True

    def __init__(self, heard: list[Any]) -> None:
        super().__init__()
        self.heard = heard

    def on_receive(self, message: Any) -> None:
        self.heard.append(message)


@pytest.fixture
def heard(system: SystemRef) -> Iterator[list[Any]]:
    """All events of the system, to which somebody is subscribed."""
    events: list[Any] = []
    ref = Ear.start(events)
    system.ask(Subscribe(ref))
    yield events
    ref.stop(timeout=PATIENCE_S)


class Work:
    """What the tests start; its jobs note their numbers."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def job(self) -> type:
        """The job class."""
        work = self

        class Known:
            def perform(self, *, number: int) -> None:
                work.seen.append(number)

        return Known


def test_fault_034_a_job_of_an_unknown_class_fails_and_is_retried(system: SystemRef) -> None:
    """The error names the class and those that are started; the next job goes on."""
    work = Work()
    job = work.job()
    lost = system.ask(Enqueue("Renamed", {"number": 0}, queue="Known"))
    system.ask(Enqueue(job, {"number": 1}))
    system.ask(StartWorker(job))
    system.drain()

    assert work.seen == [1]
    info: JobInfo = system.ask(GetJob(lost))
    assert (info.state, info.failures, info.max_retries, info.kwargs) == ("waiting", 1, None, {"number": 0})
    assert "'Renamed'" in info.errors[0].message
    assert "Known" in info.errors[0].message


def test_fault_035_a_job_with_old_arguments_dies_with_a_clear_reason(
    system: SystemRef, caplog: pytest.LogCaptureFixture
) -> None:
    """It fails, is retried, dies; its ERROR names the argument. After a change of the class it could be retried."""
    work = Work()
    job = work.job()
    old = system.ask(Enqueue("Known", {"amount": 0}))
    system.ask(Enqueue(job, {"number": 1}))
    system.ask(StartWorker(job, max_retries=1, backoff=0))
    eventually(lambda: system.ask(GetJob(old)).state == "dead")

    eventually(lambda: work.seen == [1])
    info: JobInfo = system.ask(GetJob(old))
    assert (info.failures, info.kwargs) == (2, {"amount": 0})
    reason = "the stored arguments do not fit any more: Known takes no 'amount' and needs 'number'"
    assert reason in info.errors[-1].message
    error = eventually(lambda: [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR])
    assert len(error) == 1
    assert "needs 'number'" in error[0]


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"\x01",
        b"\x01" + bytes(40),
        b"\x00rubbish",
        WHOLE[:-1],
        WHOLE + b"\xc0",
        WHOLE[:-9] + b"\xc1" * 9,
        HEADER + b"\xdd\xff\xff\xff\xff",
    ],
    ids=["empty", "version only", "zeros", "rubbish", "cut short", "trailing", "reserved bytes", "array bomb"],
)
def test_fault_032_corrupt_bytes_are_dead_at_once(
    system: SystemRef, store: Store, caplog: pytest.LogCaptureFixture, record: bytes
) -> None:
    """A record that can't be decoded is dead without a retry, is kept and shown as it is, and can be retried."""
    work = Work()
    job = work.job()
    store.push("Known", "corrupt", record)
    system.ask(Enqueue(job, {"number": 1}))
    system.ask(StartWorker(job))
    system.drain()

    assert work.seen == [1]
    info: JobInfo = system.ask(GetJob("corrupt"))
    assert (info.state, info.kwargs, info.failures) == ("dead", None, 1)
    assert store.record("Known", "corrupt") == record
    error = eventually(lambda: [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR])
    assert len(error) == 1
    assert "corrupt" in error[0]
    assert "can't be decoded" in error[0]
    system.ask(RetryDead("corrupt"))
    eventually(lambda: queue_status(system, "Known").failed == 2)
    assert system.ask(GetJob("corrupt")).state == "dead"


def test_fault_046_of_two_values_under_one_key_the_last_is_taken(system: SystemRef, store: Store) -> None:
    """As in msgpack itself; no program of this library writes such a record."""
    work = Work()
    store.push("Known", "twice", HEADER + b"\x82" + b"\xa6number\x06" + b"\xa6number\x07")
    system.ask(StartWorker(work.job()))
    system.drain()

    assert work.seen == [7]
    assert queue_status(system, "Known").processed == 1


@pytest.mark.parametrize("version", [2, 255])
def test_fault_036_a_record_of_a_newer_format_waits(
    system: SystemRef, store: Store, caplog: pytest.LogCaptureFixture, version: int
) -> None:
    """It is offered again in a minute, is counted as waiting, has no failure, and others go on."""
    work = Work()
    job = work.job()
    store.push("Known", "newer", bytes([version]) + b"of the future")
    system.ask(Enqueue(job, {"number": 1}))
    system.ask(StartWorker(job))
    system.drain()

    assert work.seen == [1]
    info: JobInfo = system.ask(GetJob("newer"))
    assert (info.state, info.failures, info.errors, info.kwargs) == ("waiting", 0, (), None)
    assert info.due_at == pytest.approx(time.time() + 60, abs=PATIENCE_S)
    status = queue_status(system, "Known")
    assert (status.waiting, status.failed) == (1, 0)
    assert info.unreadable is not None
    assert f"format {version} and this Exqueue reads up to" in info.unreadable
    (sentence,) = eventually(lambda: system.ask(GetStatus()).failed)
    assert sentence.startswith("queue Known: jobs that wait for a newer Exqueue: 1; ")
    assert f"format {version} and" in sentence
    warning = eventually(lambda: [one.getMessage() for one in caplog.records if "newer" in one.getMessage()])
    assert len(warning) == 1
    assert "waits for a newer Exqueue" in warning[0]


def test_fault_036_a_record_of_a_newer_format_never_dies(
    system: SystemRef, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is offered, its retries are not used up; it is kept as it is."""
    offers: list[Run] = []

    def counted(run: Run, shop: Workshop) -> Outcome:
        offers.append(run)
        return perform(run, shop)

    monkeypatch.setattr(execution, "PUT_OFF_S", 0.01)
    monkeypatch.setattr("exqueue.actors.worker.perform", counted)
    store.push("Known", "newer", b"\xffof the future")
    system.ask(StartWorker(Work().job(), max_retries=0))
    eventually(lambda: len(offers) >= 10)

    info: JobInfo = system.ask(GetJob("newer"))
    assert (info.failures, info.recoveries, info.errors) == (0, 0, ())
    status = queue_status(system, "Known")
    assert (status.dead, status.failed, status.processed) == (0, 0, 0)
    assert store.record("Known", "newer") == b"\xffof the future"


@pytest.mark.parametrize(("record", "state"), [(b"", "dead"), (b"\x63of the future", "waiting")], ids=repr)
def test_a_subscriber_does_not_change_what_becomes_of_a_record(
    system: SystemRef, store: Store, heard: list[Any], record: bytes, state: str
) -> None:
    """Events are made of what can be read: no actor is the worse for it, and no job is begun that can't be run."""
    work = Work()
    job = work.job()
    store.push("Known", "unreadable", record)
    ids = [system.ask(Enqueue(job, {"number": number})) for number in range(20)]
    system.ask(StartWorker(job))
    system.drain()

    assert sorted(work.seen) == list(range(20))
    eventually(lambda: {event.id for event in heard if type(event) is JobStarted} >= set(ids))
    info: JobInfo = system.ask(GetJob("unreadable"))
    assert (info.state, info.recoveries) == (state, 0)
    assert [event for event in heard if type(event) is ActorRestarted] == []
    assert {event.id for event in heard if type(event) is JobStarted} == set(ids)
