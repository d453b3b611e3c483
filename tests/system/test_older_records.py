"""Bytes that an older Exqueue has stored are read for ever: these here are never written anew by the test.

Each version that changes a format adds its own beside these.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from exqueue import (
    DeleteDead,
    Enqueue,
    GetJob,
    JobError,
    ListJobs,
    NewerRecordError,
    RecordError,
    RetryDead,
    StartWorker,
)
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import Bury, Fence, NewJob, Push
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef
    from exqueue.persistence.base import Session

RECORDS = {
    1: bytes.fromhex(
        "0141d954fc40100000044d61696c86a2746fa3616e6ea5636f756e7403a26174c7170593b3323032362d30312d303254"
        "30333a30343a30350000a57072696365c70509a4392e3930a474616773c7050292a161a162a3726177c40200ff"
    )
}
TRAILS = {
    1: bytes.fromhex(
        "01010000001a92b57265747269657320617265206578686175737465649195aa56616c75654572726f72ae6e6f207375"
        "636820706572736f6eae54726163656261636b202e2e2e0acb41d954fc40600000a86f6c642d6e6f6465"
    )
}
KWARGS = {
    "to": "ann",
    "count": 3,
    "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "price": Decimal("9.90"),
    "tags": ("a", "b"),
    "raw": b"\x00\xff",
}
ERROR = JobError("ValueError", "no such person", "Traceback ...\n", 1_700_000_001.5, "old-node")


@pytest.fixture
def session(url: str, namespace: str) -> Iterator[Session]:
    """The store, as a program of the older version uses it."""
    persistence = open_persistence(url, namespace=namespace)
    opened = persistence.session(timeout=5)
    yield opened
    opened.close()
    persistence.close()


class Mails:
    """What the jobs that ran were given."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def job(self) -> type:
        """The job class."""
        sent = self.sent

        class Mail:
            def perform(self, **kwargs: Any) -> None:
                sent.append(kwargs)

        return Mail


def store(session: Session, record: bytes) -> None:
    """Have the older version enqueue a job."""
    assert session.push("older", [Push("Mail", 1, (NewJob("old", record),))]) == (None,)


def bury(session: Session, trail: bytes) -> None:
    """Have it fail for good."""
    fence = session.acquire("old-node", "old-token", 60.0, 0)
    assert isinstance(fence, Fence)
    session.claim("Mail", fence, 1)
    (job,) = session.exchange("Mail", fence, 1, 1, [], 1, serial=False).jobs
    session.exchange("Mail", fence, 1, 2, [Bury(job.id, job.run, trail)], 0, serial=False)
    session.release(fence)


@pytest.mark.parametrize("version", RECORDS)
def test_a_job_of_an_older_version_is_shown_and_run(system: SystemRef, session: Session, version: int) -> None:
    """With every kind of argument, beside new jobs of its class."""
    store(session, RECORDS[version])
    info = system.ask(GetJob("old"))
    assert (info.job, info.kwargs, info.enqueued_at) == ("Mail", KWARGS, 1_700_000_000.25)
    mails = Mails()
    job = mails.job()
    system.ask(Enqueue(job, {"to": "bob"}))
    system.ask(StartWorker(job))
    system.drain()
    assert mails.sent == [KWARGS, {"to": "bob"}]


@pytest.mark.parametrize("version", TRAILS)
def test_a_dead_job_of_an_older_version_keeps_its_errors(system: SystemRef, session: Session, version: int) -> None:
    """It is shown with them, and runs again when it is retried."""
    store(session, RECORDS[1])
    bury(session, TRAILS[version])
    (info,) = system.ask(ListJobs("dead"))
    assert (info.failures, info.errors) == (26, (ERROR,))
    assert system.ask(RetryDead("old")) is True
    revived = system.ask(GetJob("old"))
    assert (revived.state, revived.failures, revived.errors) == ("ready", 0, (ERROR,))
    mails = Mails()
    system.ask(StartWorker(mails.job()))
    system.drain()
    assert mails.sent == [KWARGS]


def test_what_no_version_has_written_is_told_by_its_error(system: SystemRef, session: Session) -> None:
    """A damaged record dies of a `RecordError`, which a program can look for; it can be deleted."""
    store(session, b"\x00" + RECORDS[1][1:])
    system.ask(StartWorker(Mails().job()))
    eventually(lambda: system.ask(GetJob("old")).state == "dead")
    (error,) = system.ask(GetJob("old")).errors
    assert error.type == f"{RecordError.__module__}.{RecordError.__name__}"
    assert "cut short or damaged" in error.message
    assert system.ask(DeleteDead("old")) is True


def test_what_a_newer_version_has_written_is_no_damage(system: SystemRef, session: Session) -> None:
    """`NewerRecordError` is told from damage: it never makes a job fail."""
    assert issubclass(NewerRecordError, RecordError)
    store(session, b"\x02" + RECORDS[1][1:])
    system.ask(StartWorker(Mails().job()))
    eventually(lambda: system.ask(GetJob("old")).state == "waiting")
    assert system.ask(GetJob("old")).errors == ()
