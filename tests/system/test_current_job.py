"""What a job can find out about itself while it runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

import exqueue
from exqueue import CurrentJob, Enqueue, EnqueueMany, ExqueueSystem, GetJob, GetStatus, StartWorker, current_job
from tests.system.helpers import PATIENCE_S, Room, eventually

if TYPE_CHECKING:
    from exqueue import SystemRef


def test_every_field_is_that_of_the_run(system: SystemRef) -> None:
    """Id, queue, epoch and run, and an attempt that grows with each failure; none of it can be had outside."""
    seen: list[CurrentJob] = []

    @exqueue.job(queue="tries", backoff=0)
    def tries() -> None:
        now = current_job()
        assert now is not None
        seen.append(now)
        if len(seen) < 3:
            raise ValueError

    system.ask(StartWorker(tries))
    job_id = system.ask(Enqueue(tries))
    eventually(lambda: len(seen) == 3)
    system.drain()

    assert current_job() is None
    assert [(one.id, one.queue, one.attempt) for one in seen] == [(job_id, "tries", number) for number in (1, 2, 3)]
    assert {one.epoch for one in seen} == {system.ask(GetStatus()).epoch}
    fences = [(one.epoch, *one.run) for one in seen]
    assert fences == sorted(set(fences))
    assert not any(one.cancelled for one in seen)


def test_the_fence_grows_over_leaderships(url: str, namespace: str) -> None:
    """(epoch, run) of a later node is above that of the one before, so that it can be passed on as a fencing token."""
    seen: list[tuple[int, tuple[int, int]]] = []

    class Fenced:
        def perform(self) -> None:
            now = current_job()
            assert now is not None
            seen.append((now.epoch, now.run))

    with ExqueueSystem.start(url, namespace=namespace) as standby:
        for _ in range(3):
            with ExqueueSystem.start(url, namespace=namespace) as system:
                system.ask(StartWorker(Fenced))
                system.ask(EnqueueMany([Enqueue(Fenced), Enqueue(Fenced)]))
                system.drain()
                eventually(lambda: len(seen) % 2 == 0)
        assert standby.ask(GetStatus()).leader is None
    assert len(seen) == 6
    assert seen == sorted(set(seen))
    assert len({epoch for epoch, _ in seen}) == 3


def test_a_run_that_is_over_for_the_persistence_is_cancelled(url: str, namespace: str) -> None:
    """A stop that outlasts its patience gives the job back: what the thread still does will be done again elsewhere."""
    seen: list[tuple[bool, bool]] = []
    with Room() as room, ExqueueSystem.start(url, namespace=namespace) as office:

        class Held:
            def perform(self) -> None:
                now = current_job()
                assert now is not None
                before = now.cancelled
                room.visit()
                seen.append((before, now.cancelled))

        system = ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=0)
        system.ask(StartWorker(Held))
        job_id = system.ask(Enqueue(Held))
        room.await_entered(1)
        system.stop()
        assert office.ask(GetJob(job_id)).state == "ready"
        room.open()
        eventually(lambda: seen)
    assert seen == [(False, True)]


@pytest.mark.parametrize("is_async", [False, True], ids=["thread", "async"])
def test_two_jobs_at_once_each_see_themselves(system: SystemRef, *, is_async: bool) -> None:
    """Whichever thread or task asks."""
    both = threading.Barrier(2)
    seen: dict[int, str | None] = {}

    def look(number: int) -> None:
        both.wait(PATIENCE_S)
        now = current_job()
        seen[number] = None if now is None else now.id

    class Plain:
        concurrency = 2

        def perform(self, *, number: int) -> None:
            look(number)

    class Awaiting:
        concurrency = 2

        async def perform(self, *, number: int) -> None:
            look(number)

    job = Awaiting if is_async else Plain
    system.ask(StartWorker(job))
    ids = [system.ask(Enqueue(job, {"number": number})) for number in range(2)]
    system.drain()
    assert seen == dict(enumerate(ids))


def test_a_thread_that_a_job_starts_is_no_job(system: SystemRef) -> None:
    """It may outlive the run; who needs it there hands it on."""
    seen: list[CurrentJob | None] = []

    class Starting:
        def perform(self) -> None:
            thread = threading.Thread(target=lambda: seen.append(current_job()))
            thread.start()
            thread.join(PATIENCE_S)

    system.ask(StartWorker(Starting))
    system.ask(Enqueue(Starting))
    system.drain()
    assert seen == [None]
