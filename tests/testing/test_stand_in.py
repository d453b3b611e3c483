"""The stand-in: what a test sees of the jobs that a program enqueues, and how they run."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

import exqueue
from exqueue import (
    Enqueue,
    EnqueueMany,
    ExqueueSystem,
    ListJobs,
    RetryDead,
    StartWorker,
    StopWorker,
    SystemStopped,
    current_job,
)
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


def test_more_jobs_than_a_page_are_drained() -> None:
    """Each that there is, and no other; those for later at their times."""
    with use() as system:
        system.ask(EnqueueMany([Enqueue(Mail, {"to": "ann"}) for _ in range(1_200)]))
        system.ask(EnqueueMany([Enqueue(Mail, {"to": "bob"}, delay=60) for _ in range(150)]))
        assert system.drain(recursive=False) == Drained(succeeded=1_200)
        system.ask(Enqueue(Mail, {"to": "cas"}, id="last", delay=120))
        system.ask(EnqueueMany([Enqueue(Mail, {"to": "dan"}, delay=90) for _ in range(150)]))
        assert system.drain(recursive=False, scheduled=True) == Drained(succeeded=301)
    assert [each.partition(" ")[0] for each in ran[1_200:]] == ["bob"] * 150 + ["dan"] * 150 + ["cas"]


def test_the_coroutines_of_jobs_share_a_loop() -> None:
    """As those of a Worker do: what a job keeps of it serves the next; it is closed with the test."""
    loops: list[asyncio.AbstractEventLoop] = []

    class Keep:
        async def perform(self) -> None:
            loops.append(asyncio.get_running_loop())

    async def as_in_an_async_test() -> None:
        with use("inline") as system:
            system.enqueue(Keep)
            system.enqueue(Keep)

    with use() as system:
        system.enqueue(Keep)
        system.enqueue(Keep)
        system.drain()
    asyncio.run(as_in_an_async_test())

    assert loops[0] is loops[1] is not loops[2] is loops[3]
    assert [loop.is_closed() for loop in loops] == [True] * 4


def test_two_threads_run_coroutines_at_once() -> None:
    """Of which each waits for the other."""
    barrier = threading.Barrier(2)

    class Meet:
        async def perform(self) -> None:
            await asyncio.to_thread(barrier.wait, 10.0)
            ran.append("met")

    with use("inline") as system:
        threads = [threading.Thread(target=system.enqueue, args=[Meet]) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert ran == ["met", "met"]


def test_what_is_put_off_is_met_once() -> None:
    """A drain of what is scheduled would wait for ever for a class that is stopped."""

    class Other:
        queue = "Mail"

        def perform(self) -> None:
            ran.append("other")

    with use() as system:
        for started in (Mail, Other):
            system.ask(StartWorker(started))
        system.enqueue(Mail, to="ann")
        system.enqueue(Other)
        system.ask(StopWorker(Mail))
        assert system.drain(scheduled=True) == Drained(succeeded=1, postponed=1)


def test_the_nearest_job_is_shown_first() -> None:
    """Of those that differ from what was expected."""
    with use() as system:
        far = system.enqueue(Mail, to="bob", copies=3)
        near = system.enqueue(Mail, to="ann", copies=3)
        with pytest.raises(AssertionError) as failed:
            system.assert_enqueued(Mail, to="ann", copies=2)
    lines = str(failed.value).splitlines()
    assert lines[0] == "no Mail(to='ann', copies=2) is enqueued"
    assert lines[1] == f"  {near}: copies=3, wanted was 2"
    assert lines[2] == f"  {far}: to='bob', wanted was 'ann'; copies=3, wanted was 2"


def test_dead_jobs_are_found_among_many() -> None:
    """Also beyond the first page of them."""
    with use() as system:
        system.ask(StartWorker(Mail, max_retries=0))
        system.ask(EnqueueMany([Enqueue(Mail, {"to": "nobody", "copies": copies}) for copies in range(1_100)]))
        assert system.drain() == Drained(died=1_100)
        assert system.assert_dead(Mail, copies=1_099).failures == 1
