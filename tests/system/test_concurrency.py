"""How many jobs run at once, in which order, and that no queue waits for another."""

import threading

import pytest

from exqueue import Enqueue, EnqueueMany, ExqueueSystem, PauseQueue, ResumeQueue, StartWorker, SystemRef
from exqueue.actors import listener, pace
from tests.system.helpers import PATIENCE_S, Room


def test_one_worker_runs_jobs_in_the_order_in_which_they_were_stored(system: SystemRef) -> None:
    """First in, first out, whether stored one by one or many at once."""
    seen: list[int] = []

    class Noted:
        def perform(self, *, number: int) -> None:
            seen.append(number)

    for number in range(20):
        system.ask(Enqueue(Noted, {"number": number}))
    system.ask(EnqueueMany(Enqueue(Noted, {"number": number}) for number in range(20, 60)))
    system.ask(StartWorker(Noted))
    for number in range(60, 80):
        system.ask(Enqueue(Noted, {"number": number}))
    system.drain()

    assert seen == list(range(80))


def test_never_more_jobs_run_at_once_than_the_concurrency(system: SystemRef) -> None:
    """Three workers run three jobs at once, and never a fourth, however many are ready."""
    together = threading.Barrier(3)

    class Counted:
        def perform(self) -> None:
            with gauge:
                running.append(1)
                most.append(len(running))
            together.wait(PATIENCE_S)
            with gauge:
                running.pop()

    gauge = threading.Lock()
    running: list[int] = []
    most: list[int] = []
    system.ask(EnqueueMany(Enqueue(Counted) for _ in range(60)))
    system.ask(StartWorker(Counted, concurrency=3))
    system.drain()

    assert len(most) == 60
    assert max(most) == 3


@pytest.fixture
def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes to the help of a Fetcher that stops."""
    monkeypatch.setattr(listener, "SWEEP_EVERY_S", 600.0)
    monkeypatch.setattr(pace, "AUDIT_EVERY_S", 600.0)


@pytest.mark.usefixtures("no_second_look")
def test_more_workers_than_one_exchange_serves_are_all_given_work(url: str, namespace: str) -> None:
    """What one exchange could not bring, the next does at once: nobody waits for somebody else's job to end."""
    count = pace.MOST_A_CALL + 20
    with ExqueueSystem.start(url, namespace=namespace) as system, Room() as room:

        class Crowded:
            concurrency = count

            def perform(self, *, who: int) -> None:
                room.visit(who)

        for start in range(0, count, 500):
            many = range(start, min(start + 500, count))
            system.ask(EnqueueMany(Enqueue(Crowded, {"who": who}) for who in many))
        system.ask(PauseQueue("Crowded"))
        system.ask(StartWorker(Crowded))
        system.ask(ResumeQueue("Crowded"))
        room.await_entered(count)


def test_ten_workers_run_ten_jobs_at_once(system: SystemRef) -> None:
    """Jobs that only end together end: all ten slots are used."""
    with Room() as room:

        class Held:
            concurrency = 10

            def perform(self, *, who: int) -> None:
                room.visit(who)

        system.ask(StartWorker(Held))
        system.ask(EnqueueMany(Enqueue(Held, {"who": who}) for who in range(12)))

        room.await_entered(10)
        assert sorted(room.inside, key=str) == list(range(10))
        assert max(room.crowds) == 10


def test_a_blocked_worker_delays_no_other_queue(system: SystemRef) -> None:
    """While one queue's only worker is busy, others run their jobs."""
    with Room() as room:
        other = Room()
        other.open()

        class Blocked:
            def perform(self) -> None:
                room.visit()

        class Quick:
            def perform(self) -> None:
                other.visit()

        system.ask(StartWorker(Blocked))
        system.ask(StartWorker(Quick))
        system.ask(Enqueue(Blocked))
        room.await_entered(1)
        system.ask(EnqueueMany(Enqueue(Quick) for _ in range(50)))

        other.await_left(50)
        assert room.left == []
