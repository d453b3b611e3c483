"""Stored jobs that this node can't run as they are: never dropped, and never in the way of others."""

import logging
from collections.abc import Iterator

import pytest

from exqueue import Enqueue, GetJob, JobInfo, RetryDead, StartWorker, SystemRef
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import NewJob, Push
from tests.system.helpers import eventually, queue_status


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


@pytest.fixture
def store(url: str, namespace: str) -> Iterator[Store]:
    """The store of the system under test."""
    store = Store(url, namespace)
    yield store
    store.persistence.close()


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


def test_a_job_of_an_unknown_class_fails_and_is_retried(system: SystemRef) -> None:
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


def test_a_job_with_old_arguments_dies_with_a_clear_reason(system: SystemRef, caplog: pytest.LogCaptureFixture) -> None:
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


@pytest.mark.parametrize("record", [b"", b"\x01", b"\x01" + bytes(40), b"\x00rubbish"], ids=repr)
def test_corrupt_bytes_are_dead_at_once(
    system: SystemRef, store: Store, caplog: pytest.LogCaptureFixture, record: bytes
) -> None:
    """A record that can't be decoded is dead without a retry, is shown with what is known, and can be retried."""
    work = Work()
    job = work.job()
    store.push("Known", "corrupt", record)
    system.ask(Enqueue(job, {"number": 1}))
    system.ask(StartWorker(job))
    system.drain()

    assert work.seen == [1]
    info: JobInfo = system.ask(GetJob("corrupt"))
    assert (info.state, info.job, info.kwargs, info.enqueued_at) == ("dead", "", None, None)
    error = eventually(lambda: [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR])
    assert len(error) == 1
    assert "corrupt" in error[0]
    assert "can't be decoded" in error[0]
    system.ask(RetryDead("corrupt"))
    eventually(lambda: system.ask(GetJob("corrupt")).state == "dead")


def test_a_record_of_a_newer_format_waits(system: SystemRef, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """It is offered again in a minute, is counted as waiting, has no failure, and others go on."""
    work = Work()
    job = work.job()
    store.push("Known", "newer", b"\x63of the future")
    system.ask(Enqueue(job, {"number": 1}))
    system.ask(StartWorker(job))
    system.drain()

    assert work.seen == [1]
    info: JobInfo = system.ask(GetJob("newer"))
    assert (info.state, info.failures, info.errors, info.kwargs) == ("waiting", 0, (), None)
    assert info.due_at is not None
    status = queue_status(system, "Known")
    assert (status.waiting, status.failed) == (1, 0)
    warning = eventually(lambda: [one.getMessage() for one in caplog.records if "newer" in one.getMessage()])
    assert len(warning) == 1
    assert "waits for a newer Exqueue" in warning[0]
