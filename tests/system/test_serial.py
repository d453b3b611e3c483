"""A serial queue: each job waits for the success of the one before."""

import pytest

from exqueue import DeleteDead, Enqueue, EnqueueMany, GetJob, RetryDead, StartWorker, SystemRef
from tests.system.helpers import eventually, queue_status


class Ledger:
    """Jobs that fail for as long as their number stands in ``failing``, and note each run."""

    def __init__(self) -> None:
        self.failing: dict[int, int] = {}
        self.runs: list[int] = []

    def job(self) -> type:
        """The job class of this ledger."""
        ledger = self

        class Booking:
            serial = True

            def perform(self, *, number: int) -> None:
                ledger.runs.append(number)
                if ledger.failing.get(number, 0) > 0:
                    ledger.failing[number] -= 1
                    raise ValueError(number)

        return Booking


def test_a_serial_queue_retries_its_head_in_place(system: SystemRef) -> None:
    """While the head waits for its retry, nothing passes it."""
    ledger = Ledger()
    ledger.failing = {1: 2}
    job = ledger.job()
    system.ask(StartWorker(job, backoff=0.05))
    system.ask(EnqueueMany(Enqueue(job, {"number": number}) for number in range(4)))
    eventually(lambda: queue_status(system, "Booking").processed == 4)

    assert ledger.runs == [0, 1, 1, 1, 2, 3]


def test_a_serial_queue_runs_one_job_at_a_time_whatever_its_workers(system: SystemRef) -> None:
    """`serial` goes before `concurrency`."""
    ledger = Ledger()
    job = ledger.job()
    system.ask(StartWorker(job, concurrency=5))
    system.ask(EnqueueMany(Enqueue(job, {"number": number}) for number in range(50)))
    system.drain()

    assert ledger.runs == list(range(50))


@pytest.mark.parametrize("message", [RetryDead, DeleteDead])
def test_a_serial_queue_halts_at_a_dead_head_until_a_person_acts(
    system: SystemRef, message: type[RetryDead | DeleteDead]
) -> None:
    """`halted_by` names the dead head; retried it returns to the head, deleted the next one goes on."""
    ledger = Ledger()
    ledger.failing = {1: 1}
    job = ledger.job()
    system.ask(StartWorker(job, max_retries=0))
    ids = system.ask(EnqueueMany(Enqueue(job, {"number": number}) for number in range(4)))
    eventually(lambda: queue_status(system, "Booking").halted_by)

    status = queue_status(system, "Booking")
    assert (status.halted_by, status.ready, status.running, status.dead) == (ids[1], 2, 0, 1)
    system.ask(Enqueue(job, {"number": 4}))
    system.drain()
    assert ledger.runs == [0, 1]
    assert system.ask(GetJob(ids[2])).state == "ready"

    system.ask(message(ids[1]))
    system.drain()
    assert ledger.runs == [0, 1, *([1] if message is RetryDead else []), 2, 3, 4]
    assert queue_status(system, "Booking").halted_by is None
