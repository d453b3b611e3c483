"""The stand-in: what a test sees of the jobs that a program enqueues, and how they run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import exqueue
from exqueue import Enqueue, ExqueueSystem, ListJobs, RetryDead, StartWorker, StopWorker, SystemStopped, current_job
from exqueue.errors import ArgumentsError, ConfigError
from exqueue.testing import Drained, use

if TYPE_CHECKING:
    from exqueue import SystemRef

ran: list[str] = []


class Mail:
    max_retries = 1

    def perform(self, *, to: str, copies: int = 1) -> None:
        job = current_job()
        assert job is not None
        if to == "nobody":
            raise LookupError(to)
        ran.append(f"{to} {job.attempt}")


class Later:
    async def perform(self, *, to: str) -> None:
        await asyncio.sleep(0)
        assert current_job() is not None
        ran.append(to)


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    """Each test sees its own jobs only."""
    ran.clear()


def sign_up(system: SystemRef) -> None:
    """As a program does it."""
    system.enqueue(Mail, to="ann", copies=2)
    system.tell(Enqueue(Mail, {"to": "bob"}, delay=60))


def test_jobs_are_collected_and_run_when_drained() -> None:
    """Nothing runs before, and what is delayed waits for its time."""
    with use() as system:
        sign_up(system)
        assert ran == []
        assert system.drain() == Drained(succeeded=1)
        system.advance(59)
        assert system.drain() == Drained()
        system.advance(1)
        assert system.drain() == Drained(succeeded=1)
    assert ran == ["ann 1", "bob 1"]


def test_what_was_enqueued_is_asserted() -> None:
    """By as many of its arguments as matter, also after it has run."""
    with use() as system:
        sign_up(system)
        system.drain(scheduled=True)
        assert system.assert_enqueued(Mail, to="ann", delay=0).kwargs == {"to": "ann", "copies": 2}
        system.assert_enqueued(Mail, to="bob", delay=60)
        system.refute_enqueued(Mail, to="bob", delay=30)
        assert [one.kwargs["to"] for one in system.enqueued(Mail)] == ["ann", "bob"]
        with pytest.raises(AssertionError, match=r"to='bob'.* wanted was 'cas'"):
            system.assert_enqueued(Mail, to="cas")
        with pytest.raises(AssertionError, match="was enqueued 1 times"):
            system.refute_enqueued(Mail, to="ann")


def test_an_argument_that_is_none_is_refused() -> None:
    """Else a misspelt `refute_enqueued` would hold for ever."""
    with use() as system, pytest.raises(ArgumentsError, match="takes no 'too'"):
        system.refute_enqueued(Mail, too="ann")


def test_failures_are_recorded_as_a_worker_does() -> None:
    """A failed job is retried at its time, and dead when its retries are used up; then it can be revived."""
    with use() as system:
        system.enqueue(Mail, to="nobody")
        assert system.drain() == Drained(failed=1)
        assert system.drain(scheduled=True) == Drained(died=1)
        dead = system.assert_dead(Mail, to="nobody")
        assert [error.type for error in dead.errors] == ["LookupError", "LookupError"]
        assert system.ask(RetryDead(dead.id))
        assert system.drain() == Drained(failed=1)
        with pytest.raises(AssertionError, match="no Mail is"):
            system.assert_dead(Mail)


def test_inline_runs_at_once_and_raises() -> None:
    """What the job raises comes out where it was enqueued, after it was recorded."""
    with use("inline") as system:
        sign_up(system)
        assert ran == ["ann 1"]
        with pytest.raises(LookupError, match="nobody"):
            system.enqueue(Mail, to="nobody")
        assert [job.failures for job in system.ask(ListJobs("waiting")) if job.kwargs == {"to": "nobody"}] == [1]


def test_inline_runs_what_falls_due_while_time_passes() -> None:
    """Each at its time."""
    with use("inline") as system:
        sign_up(system)
        system.advance(61)
        assert ran == ["ann 1", "bob 1"]


def test_jobs_of_jobs_run_with_them_unless_told_otherwise() -> None:
    """Not recursive: what there is now runs once, and what it enqueues stays in its place."""
    with use() as system:

        class Parent:
            def perform(self) -> None:
                system.enqueue(Mail, to="child")

        system.enqueue(Parent)
        assert system.drain(recursive=False) == Drained(succeeded=1)
        assert [job.job for job in system.ask(ListJobs("ready"))] == ["Mail"]
        system.enqueue(Parent)
        assert system.drain() == Drained(succeeded=3)


def test_perform_runs_one_job_and_stores_nothing() -> None:
    """Its error is as it would be recorded, and arguments that do not fit are refused."""
    with use() as system:
        assert system.perform(Mail, to="ann").verdict == "succeeded"
        outcome = system.perform(Mail, to="nobody")
        assert outcome.error is not None
        assert (outcome.verdict, outcome.error.type, outcome.error.message) == ("failed", "LookupError", "nobody")
        assert system.enqueued() == ()
        with pytest.raises(ArgumentsError):
            system.perform(Mail)  # type: ignore[call-arg]


def test_start_answers_with_the_stand_in() -> None:
    """A program that starts its own system meets the stand-in, also a second time, and a stopped one refuses."""
    with use() as system:
        with ExqueueSystem.start("redis://nowhere.invalid") as started:
            sign_up(started)
        with pytest.raises(SystemStopped):
            started.enqueue(Mail, to="late")
        assert system.drain() == Drained(succeeded=1)
        ExqueueSystem.start().enqueue(Mail, to="again")
        assert len(system.enqueued(Mail)) == 3
    assert isinstance(system, exqueue.SystemRef)


def test_a_program_with_wrong_settings_hears_of_it() -> None:
    """The settings of a start are checked as ever."""
    with use(), pytest.raises(ConfigError):
        ExqueueSystem.start(lock_ttl=-1)


def test_async_jobs_run_in_sync_and_in_async_tests() -> None:
    """In a thread of their own where a loop runs already."""
    with use("inline") as system:
        system.enqueue(Later, to="sync")

        async def as_in_an_async_test() -> None:
            system.enqueue(Later, to="async")

        asyncio.run(as_in_an_async_test())
    assert ran == ["sync", "async"]


def test_an_interrupt_ends_the_test_and_not_the_job() -> None:
    """As does what a test tool raises: it is no failure of the job that could pass unseen."""

    class Interrupted:
        def perform(self) -> None:
            raise KeyboardInterrupt

    with use() as system:
        system.enqueue(Interrupted)
        with pytest.raises(KeyboardInterrupt):
            system.drain()


def test_a_stopped_class_is_not_run() -> None:
    """`StopWorker` and `StartWorker` count here too."""
    with use() as system:
        assert system.ask(StartWorker(Mail)) == "Mail"
        system.enqueue(Mail, to="ann")
        system.ask(StopWorker(Mail))
        assert system.drain() == Drained()
        system.ask(StartWorker(Mail))
        assert system.drain() == Drained(succeeded=1)


def test_jobs_without_end_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drain of jobs that enqueue themselves does not hang."""
    monkeypatch.setattr("exqueue.testing.stand_in.MOST_RUNS", 50)
    with use() as system:

        class Again:
            def perform(self) -> None:
                system.enqueue(Again)

        system.enqueue(Again)
        with pytest.raises(AssertionError, match="for ever"):
            system.drain()


def test_there_are_three_modes() -> None:
    """Any other is refused by name."""
    with pytest.raises(ConfigError, match="'manual', 'inline' or 'real'"), use("eager"):  # type: ignore[call-overload]
        pass


def test_a_system_that_is_kept_beyond_its_test_refuses() -> None:
    """A program that keeps it hears of that, instead of enqueueing where no test looks."""
    with use() as system:
        kept = ExqueueSystem.start()
    assert kept is system
    with pytest.raises(SystemStopped, match="its test is over"):
        kept.enqueue(Mail, to="ann")
