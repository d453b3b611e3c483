"""Abandoned threads: they are counted, their jobs shown, and too many of them halt the queue."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

import pytest

from exqueue import Enqueue, ExqueueSystem, GetStatus, StartWorker, StopWorker
from exqueue.testing import crash
from tests.system.helpers import Room, eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import RunningJob, SystemRef, SystemStatus

MOST = 1


class Visit:
    """Visits the room of the test."""

    room: ClassVar[Room]
    concurrency = 2

    def perform(self) -> None:
        """Stay until let out."""
        type(self).room.visit()


@pytest.fixture
def room() -> Iterator[Room]:
    """Where the jobs stay."""
    with Room() as opened:
        Visit.room = opened
        yield opened


@pytest.fixture
def system(room: Room, url: str, namespace: str) -> Iterator[SystemRef]:
    """A system that does not wait for what runs, and bears one abandoned thread."""
    with ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=0.1, max_abandoned=MOST) as started:
        yield started
        room.open()


def abandon(system: SystemRef, room: Room, count: int) -> None:
    """Stop the queue while so many jobs run."""
    system.ask(StartWorker(Visit))
    for _ in range(count):
        system.ask(Enqueue(Visit))
    room.await_entered(count)
    system.ask(StopWorker(Visit))
    eventually(lambda: system.urn_of("queues/Visit") is None)
    system.ask(StartWorker(Visit))


def running(system: SystemRef) -> tuple[RunningJob, ...]:
    """The jobs in somebody's hands."""
    status: SystemStatus = system.ask(GetStatus())
    return status.running


def lines(caplog: pytest.LogCaptureFixture, level: int, words: str) -> int:
    """How often it was said."""
    return sum(record.levelno == level and words in record.getMessage() for record in caplog.records)


def test_a_job_in_an_abandoned_thread_is_shown_until_it_ends(system: SystemRef, room: Room) -> None:
    """Its queue's actors were started anew, and what it brings still counts."""
    system.ask(StartWorker(Visit))
    job_id = system.ask(Enqueue(Visit))
    room.await_entered(1)
    assert [one.abandoned for one in running(system)] == [False]
    crash(system, "queues/Visit")
    eventually(lambda: [(one.id, one.abandoned) for one in running(system)] == [(job_id, True)])
    assert queue_status(system, "Visit").abandoned == 1
    room.open()
    eventually(lambda: queue_status(system, "Visit").processed == 1)
    eventually(lambda: queue_status(system, "Visit").abandoned == 0)
    assert (len(room.entered), running(system)) == (1, ())


def test_a_queue_bears_as_many_as_it_may(system: SystemRef, room: Room, caplog: pytest.LogCaptureFixture) -> None:
    """The job that was given back is run by a new Worker, beside the thread that still executes it."""
    abandon(system, room, MOST)
    room.await_entered(MOST + 1)
    # What is told of the thread is not true of the new run.
    assert [one.abandoned for one in running(system)] == [False]
    eventually(lambda: queue_status(system, "Visit").abandoned == MOST)
    assert lines(caplog, logging.ERROR, "fetches nothing more") == 0
    # Its new run is in the hands of a Worker.
    eventually(
        lambda: [(one.worker[:-1], one.abandoned) for one in running(system)] == [("queues/Visit/worker-", False)]
    )


def test_past_that_it_fetches_nothing_until_they_have_ended(
    system: SystemRef, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    """One ERROR; other queues go on; when the threads have ended the jobs are run."""
    caplog.set_level(logging.INFO, "exqueue")
    abandon(system, room, MOST + 1)
    eventually(lambda: lines(caplog, logging.ERROR, "fetches nothing more"))
    eventually(lambda: queue_status(system, "Visit").abandoned == MOST + 1)
    status = queue_status(system, "Visit")
    assert (status.ready, status.running) == (MOST + 1, 0)

    class Other:
        def perform(self) -> None:
            """Nothing."""

    system.ask(StartWorker(Other))
    system.ask(Enqueue(Other))
    eventually(lambda: queue_status(system, "Other").processed == 1)
    assert len(room.entered) == MOST + 1

    room.open()
    eventually(lambda: queue_status(system, "Visit").processed == MOST + 1)
    assert lines(caplog, logging.ERROR, "fetches nothing more") == 1
    assert lines(caplog, logging.INFO, "fetches again") == 1
    assert system.ask(GetStatus()).failed == ()
