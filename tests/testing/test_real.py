"""Mode ``real``: a whole system, whose workers run the jobs."""

from __future__ import annotations

import threading

import pytest

from exqueue import (
    ActorInfo,
    Enqueue,
    EnqueueMany,
    ExqueueSystem,
    GetTree,
    PayloadError,
    StartWorker,
    SystemStopped,
    current_job,
    job,
)
from exqueue.testing import Drained, RealSystem, crash, use
from tests.system.helpers import eventually

ran: list[tuple[str, object]] = []


class Mail:
    """Fails for ``nobody``."""

    def perform(self, *, to: str) -> None:
        if to == "nobody":
            raise LookupError(to)
        ran.append((to, threading.current_thread()))


class Parent:
    """Enqueues a mail."""

    system: RealSystem

    def perform(self) -> None:
        self.system.enqueue(Mail, to="child")


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    """Each test sees its own jobs only."""
    ran.clear()


def test_jobs_run_in_workers() -> None:
    """From `drain` on, which starts what was enqueued; what jobs enqueue runs, too."""
    with use("real") as system:
        system.enqueue(Mail, to="ann")
        system.ask(EnqueueMany([Enqueue(Mail, {"to": "bob"})]))
        assert ran == []
        assert system.drain() == Drained(succeeded=2)
        Parent.system = system
        system.enqueue(Parent)
        assert system.drain() == Drained(succeeded=2)
        assert system.assert_enqueued(Mail, to="child", delay=0).job == "Mail"

    assert threading.current_thread() not in {thread for _, thread in ran}


def test_failures_are_counted() -> None:
    """As on the bench; the dead are found, however many there are."""

    @job(max_retries=0)
    def dies(number: int) -> None:
        raise ValueError(number)

    with use("real") as system:
        system.enqueue(Mail, to="nobody")
        assert system.drain() == Drained(failed=1)
        system.ask(EnqueueMany([Enqueue(dies, {"number": number}) for number in range(120)]))
        assert system.drain() == Drained(died=120)
        assert system.assert_dead(dies, number=119).errors[-1].message == "119"
        with pytest.raises(AssertionError, match="no dies"):
            system.assert_dead(dies, number=120)


def test_a_class_that_is_started_stays_as_it_is() -> None:
    """With the options that its start gave it."""
    with use("real") as system:
        system.ask(StartWorker(Mail, max_retries=0, concurrency=3))
        system.enqueue(Mail, to="nobody")
        assert system.drain() == Drained(died=1)
        tree: ActorInfo = system.ask(GetTree())
        queues = next(child for child in tree.children if child.name == "queues")
        workers = [child.name for child in queues.children[0].children if child.role == "Worker"]
        assert len(workers) == 3


def test_start_answers_the_system() -> None:
    """And it ends with its test."""
    before = set(threading.enumerate())
    with use("real") as system:
        assert ExqueueSystem.start("redis://nowhere.invalid") is system
        assert set(threading.enumerate()) - before
    with pytest.raises(SystemStopped):
        system.enqueue(Mail, to="ann")


def test_perform_runs_in_the_thread_of_the_test() -> None:
    """In every mode, with the job known; refused is what would be refused anyhow."""

    @job
    async def later(name: str) -> None:
        running = current_job()
        assert running is not None
        ran.append((name, running.attempt))

    with use("real") as system:
        assert system.perform(Mail, to="ann").verdict == "succeeded"
        assert system.perform(later, "bob").verdict == "succeeded"
        error = system.perform(Mail, to="nobody").error
        assert error is not None
        assert (error.type, error.message) == ("LookupError", "nobody")
        with pytest.raises(PayloadError):
            system.perform(Mail, to=object())  # type: ignore[arg-type] # what is tested
        assert system.enqueued() == ()

    assert ran == [("ann", threading.current_thread()), ("bob", 1)]


def restarts(system: RealSystem, name: str) -> int:
    """How often an actor below the root was started again."""
    tree: ActorInfo = system.ask(GetTree())
    return next(child.restarts for child in tree.children if child.name == name)


def test_actors_can_be_crashed() -> None:
    """`crash` takes it for the system that it is."""
    with use("real") as system:
        crash(system, "operator")
        eventually(lambda: restarts(system, "operator") == 1)
