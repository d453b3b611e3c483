"""`CancelJob`: a job that does not run is removed, whatever state it is in, and what stood behind it goes on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from exqueue import (
    CancelJob,
    CancelResult,
    Enqueue,
    EnqueueMany,
    GetJob,
    JobNotFound,
    ListJobs,
    PauseQueue,
    ResumeQueue,
    StartWorker,
)
from tests.system.helpers import Room, eventually, queue_status

if TYPE_CHECKING:
    from exqueue import SystemRef
    from exqueue.persistence.values import State


class Fragile:
    max_retries = 0

    def perform(self) -> None:
        raise ValueError("always")


class Late(Fragile):
    max_retries = 5
    backoff = 1_000


class Unstarted:
    def perform(self) -> None:
        """Never run here."""


class Numbers:
    """Notes in which order its jobs run."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def job(self, *, serial: bool = False) -> type:
        """The job class; 13 fails."""
        seen, is_serial = self.seen, serial

        class Numbered:
            serial = is_serial
            max_retries = 5
            backoff = 1_000

            def perform(self, *, number: int) -> None:
                seen.append(number)
                if number == 13:
                    raise ValueError("unlucky")

        return Numbered


def bring_into(state: State, system: SystemRef) -> str:
    """Have a job in this state."""
    job = {"ready": Unstarted, "waiting": Late, "dead": Fragile}[state]
    if job is not Unstarted:
        system.ask(StartWorker(job))
    job_id: str = system.ask(Enqueue(job))
    eventually(lambda: system.ask(GetJob(job_id)).state == state)
    return job_id


@pytest.mark.parametrize("state", ["ready", "waiting", "dead"])
def test_a_job_is_removed_and_its_state_told(system: SystemRef, state: State) -> None:
    """In line, waiting for its retry, or dead: nothing is left of it, and the same command finds nothing any more."""
    job_id = bring_into(state, system)
    queue = system.ask(GetJob(job_id)).queue

    assert system.ask(CancelJob(job_id)) == CancelResult(id=job_id, queue=queue, state=state)

    assert system.ask(ListJobs(state)) == ()
    assert getattr(queue_status(system, queue), state) == 0
    for message in (GetJob(job_id), CancelJob(job_id), CancelJob(job_id, queue=queue)):
        with pytest.raises(JobNotFound, match=f"no stored job has the id {job_id}"):
            system.ask(message)


def test_a_scheduled_job_is_removed(system: SystemRef) -> None:
    """It is told as waiting, and never runs."""
    job_id = system.ask(Enqueue(Unstarted, delay=1_000))
    assert system.ask(CancelJob(job_id, queue="Unstarted")).state == "waiting"
    assert queue_status(system, "Unstarted").waiting == 0


def test_what_cannot_be_cancelled_is_one_warning_when_told(system: SystemRef, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for the answer to a `tell`."""
    system.tell(CancelJob("no-such-job"))
    said = eventually(lambda: [one for one in caplog.records if "no-such-job" in one.getMessage()])
    assert [one.levelno for one in said] == [logging.WARNING]


def test_a_job_that_succeeded_is_not_there_to_cancel(system: SystemRef) -> None:
    """Its success was first."""
    job_id = system.ask(Enqueue(Unstarted))
    system.ask(StartWorker(Unstarted))
    system.drain()
    with pytest.raises(JobNotFound):
        system.ask(CancelJob(job_id))


def test_what_is_left_between_cancelled_jobs_runs_in_order(system: SystemRef) -> None:
    """The entries that cancelled jobs leave in the line are skipped, counted nowhere and shown nowhere."""
    numbers = Numbers()
    job = numbers.job()
    ids = system.ask(EnqueueMany(Enqueue(job, {"number": 100 + number}) for number in range(600)))
    kept = [number for number in range(600) if number % 100 == 7]
    replies = [system.ask(CancelJob(job_id), block=False) for n, job_id in enumerate(ids) if n not in kept]

    assert {reply.get(timeout=30).state for reply in replies} == {"ready"}
    assert queue_status(system, "Numbered").ready == len(kept)
    assert [one.id for one in system.ask(ListJobs("ready"))] == [ids[number] for number in kept]
    assert [one.id for one in system.ask(ListJobs("ready", limit=2, offset=1))] == [ids[number] for number in kept[1:3]]
    system.ask(StartWorker(job))
    system.drain()
    assert numbers.seen == [100 + number for number in kept]
    assert queue_status(system, "Numbered").processed == len(kept)


def test_a_cancelled_id_may_be_enqueued_again(system: SystemRef) -> None:
    """The new job runs once, at the place where it came last, however often the id was cancelled."""
    numbers = Numbers()
    job = numbers.job()
    for number in range(3):
        system.ask(Enqueue(job, {"number": number}, id="again"))
        system.ask(CancelJob("again"))
    system.ask(Enqueue(job, {"number": 3}))
    system.ask(Enqueue(job, {"number": 4}, id="again"))
    assert [one.kwargs for one in system.ask(ListJobs("ready"))] == [{"number": 3}, {"number": 4}]

    system.ask(StartWorker(job))
    system.drain()
    assert numbers.seen == [3, 4]


@pytest.mark.parametrize("max_retries", [5, 0], ids=["waiting", "dead"])
def test_a_cancelled_head_lets_its_serial_queue_go_on(system: SystemRef, max_retries: int) -> None:
    """Whether it waits for its retry or is dead; nothing has to happen beside the command."""
    numbers = Numbers()
    job = numbers.job(serial=True)
    head, *_ = system.ask(EnqueueMany(Enqueue(job, {"number": number}) for number in (13, 1, 2)))
    system.ask(StartWorker(job, max_retries=max_retries))
    eventually(lambda: system.ask(GetJob(head)).failures == 1)

    result = system.ask(CancelJob(head))

    assert result.state == ("waiting" if max_retries else "dead")
    eventually(lambda: numbers.seen == [13, 1, 2])
    eventually(lambda: queue_status(system, "Numbered").processed == 2)
    assert queue_status(system, "Numbered").halted_by is None


def test_a_job_of_a_paused_queue_is_cancelled(system: SystemRef) -> None:
    """The flood that a pause stops can be thinned out before it goes on."""
    with Room() as room:

        class Visit:
            def perform(self, *, who: int) -> None:
                room.visit(who)

        room.open()
        ids = system.ask(EnqueueMany(Enqueue(Visit, {"who": who}) for who in range(4)))
        system.ask(PauseQueue("Visit"))
        system.ask(StartWorker(Visit))
        for job_id in ids[1:3]:
            assert system.ask(CancelJob(job_id)).state == "ready"
        system.ask(ResumeQueue("Visit"))
        system.drain()
        assert room.left == [0, 3]
