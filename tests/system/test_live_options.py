"""`StartWorker` again for the same class: its options change while jobs run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from exqueue import (
    DeleteDead,
    Enqueue,
    EnqueueMany,
    GetJob,
    GetTree,
    ListJobs,
    StartWorker,
)
from tests.system.helpers import Room, eventually, queue_status

if TYPE_CHECKING:
    from exqueue import SystemRef


def held_in(room: Room) -> type:
    """A job class whose jobs stay in the room; 13 fails."""

    class Held:
        max_retries = 0

        def perform(self, *, who: int) -> None:
            room.visit(who)
            if who == 13:
                raise ValueError("unlucky")

    return Held


def workers(system: SystemRef) -> int:
    """How many stand in the only queue."""
    queues = next(child for child in system.ask(GetTree()).children if child.name == "queues")
    return sum(1 for one in queues.children[0].children if one.role == "Worker")


def test_concurrency_goes_up_and_down_again(system: SystemRef) -> None:
    """1, 20, 3 and 1 workers, each as soon as it is asked for; the status says so, and no job is lost."""
    with Room() as room:
        job = held_in(room)
        system.ask(StartWorker(job))
        system.ask(EnqueueMany(Enqueue(job, {"who": 100 + who}) for who in range(40)))
        room.await_entered(1)
        system.ask(StartWorker(job, concurrency=20))
        room.await_entered(20)
        assert workers(system) == 20
        eventually(lambda: queue_status(system, "Held").concurrency == 20)

        system.ask(StartWorker(job, concurrency=3))
        room.let_out(*(100 + who for who in range(20)))
        room.await_entered(23)
        assert len(room.inside) == 3
        eventually(lambda: workers(system) == 3)

        system.ask(StartWorker(job, concurrency=1))
        room.open()
        system.drain()
        eventually(lambda: workers(system) == 1)
        assert sorted(room.left, key=str) == [100 + who for who in range(40)]


def test_a_queue_becomes_serial_when_all_that_runs_has_ended(system: SystemRef) -> None:
    """Until then nothing begins, from then on one at a time and in order."""
    with Room() as room:
        job = held_in(room)
        system.ask(StartWorker(job, concurrency=3))
        system.ask(EnqueueMany(Enqueue(job, {"who": who}) for who in range(8)))
        room.await_entered(3)
        system.ask(StartWorker(job, concurrency=3, serial=True))
        room.let_out(0, 1)
        room.await_left(2)
        eventually(lambda: queue_status(system, "Held").running == 1)
        assert room.inside == [2]
        assert len(room.entered) == 3

        room.open()
        system.drain()
        assert room.entered[3:] == [3, 4, 5, 6, 7]
        assert room.crowds[3:] == [1] * 5
        assert queue_status(system, "Held").serial is True


def test_a_queue_is_serial_no_longer(system: SystemRef) -> None:
    """As many run as it has workers, at once."""
    with Room() as room:
        job = held_in(room)
        system.ask(StartWorker(job, concurrency=3, serial=True))
        system.ask(EnqueueMany(Enqueue(job, {"who": who}) for who in range(3)))
        room.await_entered(1)
        system.ask(StartWorker(job, concurrency=3))
        room.await_entered(3)
        eventually(lambda: queue_status(system, "Held").serial is False)


def test_a_halted_queue_goes_on_when_it_is_serial_no_longer(system: SystemRef) -> None:
    """Its dead head holds up nothing, is not shown as if it did, and a drain waits for the others."""
    with Room() as room:
        room.open()
        job = held_in(room)
        system.ask(StartWorker(job, serial=True))
        head, *_ = system.ask(EnqueueMany(Enqueue(job, {"who": who}) for who in (13, 1, 2)))
        eventually(lambda: queue_status(system, "Held").halted_by == head)

        system.ask(StartWorker(job))
        eventually(lambda: room.left == [13, 1, 2])
        system.drain()
        status = queue_status(system, "Held")
        assert (status.halted_by, status.dead, status.processed) == (None, 1, 2)


def test_a_queue_that_is_serial_again_is_halted_by_its_old_head(system: SystemRef) -> None:
    """Nobody has decided about it yet; deleting it lets the queue go on."""
    with Room() as room:
        room.open()
        job = held_in(room)
        system.ask(StartWorker(job, serial=True))
        head = system.ask(Enqueue(job, {"who": 13}))
        eventually(lambda: queue_status(system, "Held").halted_by == head)
        system.ask(StartWorker(job))
        system.ask(Enqueue(job, {"who": 1}))
        eventually(lambda: room.left == [13, 1])

        system.ask(StartWorker(job, serial=True))
        system.ask(Enqueue(job, {"who": 2}))
        eventually(lambda: queue_status(system, "Held").halted_by == head)
        assert [one.kwargs for one in system.ask(ListJobs("ready"))] == [{"who": 2}]
        system.ask(DeleteDead(head))
        eventually(lambda: room.left == [13, 1, 2])


def test_retries_and_backoff_hold_for_jobs_that_are_stored_already(system: SystemRef) -> None:
    """Options are read when a job runs: one that waits for its second try dies under the fewer retries."""
    mended = threading.Event()

    class Failing:
        def perform(self) -> None:
            if not mended.is_set():
                raise ValueError

    system.ask(StartWorker(Failing, backoff=1))
    job_id = system.ask(Enqueue(Failing))
    eventually(lambda: system.ask(GetJob(job_id)).failures == 1)
    assert system.ask(GetJob(job_id)).max_retries == 25

    system.ask(StartWorker(Failing, max_retries=1))
    assert system.ask(GetJob(job_id)).max_retries == 1
    eventually(lambda: system.ask(GetJob(job_id)).state == "dead")

    other = system.ask(Enqueue(Failing))
    eventually(lambda: system.ask(GetJob(other)).failures == 1)
    # What the first backoff was counted from is gone: without overrides those of the class hold.
    due_at = system.ask(GetJob(other)).due_at
    assert due_at is not None
    assert due_at - system.ask(GetJob(other)).errors[0].at > 5
    mended.set()


def test_other_options_of_one_of_two_classes_leave_the_other_alone(system: SystemRef) -> None:
    """Retries belong to the class, although both are in one queue."""

    class One:
        queue = "shared"

        def perform(self) -> None:
            raise ValueError

    class Two(One):
        pass

    for job in (One, Two):
        system.ask(StartWorker(job, max_retries=0))
    system.ask(StartWorker(Two, backoff=1_000))
    first, second = system.ask(EnqueueMany([Enqueue(One), Enqueue(Two)]))
    eventually(lambda: queue_status(system, "shared").failed == 2)
    assert [system.ask(GetJob(one)).state for one in (first, second)] == ["dead", "waiting"]
