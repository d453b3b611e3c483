"""Arguments of a type that this node does not know: the job is shown, kept, retried and moved, and loses no byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from exqueue import (
    CancelJob,
    Enqueue,
    GetJob,
    JobInfo,
    ListJobs,
    RetryAllDead,
    RetryDead,
    StartWorker,
    SystemRef,
    Unknown,
    register_type,
)
from exqueue.codec import Codec
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import NewJob, Push
from exqueue.record import encode_record
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue.persistence.base import Session


@dataclass(frozen=True)
class Money:
    """A type of the program that enqueues."""

    cents: int
    currency: str


@pytest.fixture
def type_name(namespace: str) -> str:
    """Under which the other program stores its type: each test has its own, as types are registered for good."""
    return f"shop.{namespace}.Money"


@pytest.fixture
def session(url: str, namespace: str) -> Iterator[Session]:
    """What the store itself has."""
    persistence = open_persistence(url, namespace=namespace)
    opened = persistence.session(timeout=5)
    yield opened
    opened.close()
    persistence.close()


@pytest.fixture
def stored(session: Session, type_name: str) -> bytes:
    """The record of the job ``bill`` in queue ``Charge``, as a program that knows the type has stored it."""
    elsewhere = Codec()
    elsewhere.register(Money, type_name)
    kwargs = {"amounts": [Money(250, "EUR"), Money(99, "SEK")], "to": "ann"}
    record = encode_record("Charge", kwargs, 1_700_000_000.0, elsewhere)
    assert session.push("elsewhere", [Push("Charge", 1, (NewJob("bill", record),))]) == (None,)
    return record


class Charges:
    """What the jobs that ran were given."""

    def __init__(self) -> None:
        self.made: list[tuple[object, str]] = []

    def job(self) -> type:
        """The job class."""
        made = self.made

        class Charge:
            max_retries = 0

            def perform(self, *, amounts: object, to: str) -> None:
                made.append((amounts, to))

        return Charge


def bytes_of(session: Session, job_id: str, queue: str = "Charge") -> bytes:
    """What is stored of a job."""
    (job,) = session.get_jobs(job_id, [queue])
    return job.record


def test_an_unknown_value_is_shown_as_far_as_it_is_known(system: SystemRef, stored: bytes, type_name: str) -> None:
    """`GetJob` and `ListJobs` tell its type's name and its plain data, beside what is known."""
    info: JobInfo = system.ask(GetJob("bill"))
    assert info.kwargs is not None
    amounts = info.kwargs["amounts"]
    assert isinstance(amounts, list)
    assert all(isinstance(amount, Unknown) for amount in amounts)
    assert [(amount.name, amount.data) for amount in amounts] == [
        (type_name, {"cents": 250, "currency": "EUR"}),
        (type_name, {"cents": 99, "currency": "SEK"}),
    ]
    assert info.kwargs["to"] == "ann"
    assert (info.job, info.enqueued_at, info.max_retries) == ("Charge", 1_700_000_000.0, None)
    assert system.ask(ListJobs("ready")) == (info,)


def test_a_job_with_an_unknown_value_fails_and_runs_where_it_is_known(
    system: SystemRef, session: Session, stored: bytes, type_name: str
) -> None:
    """It is not run with what it does not expect, dies with a clear reason, and is stored as it was all the time."""
    charges = Charges()
    job = charges.job()
    system.ask(StartWorker(job))
    eventually(lambda: system.ask(GetJob("bill")).state == "dead")
    error = system.ask(GetJob("bill")).errors[0]
    assert error.type == "exqueue.errors.UnknownValue"
    assert type_name in error.message
    assert "register_type" in error.message
    assert charges.made == []
    assert bytes_of(session, "bill") == stored

    assert system.ask(RetryDead("bill")) is True
    eventually(lambda: len(system.ask(GetJob("bill")).errors) == 2)
    assert bytes_of(session, "bill") == stored

    register_type(Money, type_name)
    eventually(lambda: system.ask(GetJob("bill")).state == "dead")
    assert system.ask(RetryAllDead()) == 1
    system.drain()
    assert charges.made == [([Money(250, "EUR"), Money(99, "SEK")], "ann")]


def test_an_unknown_value_is_enqueued_again_byte_by_byte(
    system: SystemRef, session: Session, stored: bytes, type_name: str
) -> None:
    """A tool without the type moves a job to another queue, and the node that has it builds the value again."""
    info: JobInfo = system.ask(GetJob("bill"))
    assert info.kwargs is not None
    system.ask(Enqueue(info.job, info.kwargs, id="bill", queue="urgent"))
    system.ask(CancelJob("bill", queue="Charge"))

    moved = bytes_of(session, "bill", "urgent")
    # All but the time of enqueueing, which is a new one.
    assert (moved[0], moved[9:]) == (stored[0], stored[9:])
    charges = Charges()
    register_type(Money, type_name)
    system.ask(StartWorker(type("Charge", (charges.job(),), {"queue": "urgent"})))
    system.drain()
    assert charges.made == [([Money(250, "EUR"), Money(99, "SEK")], "ann")]


def test_an_unknown_value_blocks_nobody(system: SystemRef, stored: bytes) -> None:
    """The job behind it runs."""
    charges = Charges()
    job = charges.job()
    system.ask(Enqueue(job, {"amounts": [1], "to": "bob"}))
    system.ask(StartWorker(job))
    system.drain()
    assert charges.made == [([1], "bob")]
    assert (queue_status(system, "Charge").dead, queue_status(system, "Charge").processed) == (1, 1)


def test_a_job_of_an_unknown_class_with_unknown_values_is_moved_too(
    system: SystemRef, session: Session, stored: bytes
) -> None:
    """Neither has to be known to retry it: both kinds of not knowing keep the same bytes."""

    class Another:
        queue = "Charge"

        def perform(self) -> None:
            """Never run here."""

    system.ask(StartWorker(Another))
    eventually(lambda: system.ask(GetJob("bill")).failures == 1)
    assert "no job class named 'Charge'" in system.ask(GetJob("bill")).errors[0].message
    assert bytes_of(session, "bill") == stored
