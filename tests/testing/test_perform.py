"""`perform`: one job, here and now, as a worker runs it."""

import asyncio
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

import pytest

import exqueue
from exqueue import ArgumentsError, ListJobs, PayloadError, StartWorker
from exqueue.testing import JobsFailed, use
from tests.testing.jobs import SendEmail, done, in_a_loop, where


class Colour(Enum):
    """An argument of the user's own type."""

    RED = 1


@dataclass
class Order:
    """Another."""

    colour: Colour
    at: datetime


@exqueue.job
def parted(name: str) -> None:
    """Takes its argument by position, too."""
    done.append(name)


@exqueue.job
def paint(order: Order, tags: set[str]) -> None:
    """Notes what it got."""
    done.extend([order, tags])


def test_it_runs_and_stores_nothing() -> None:
    """Positional arguments may be given where `perform` has them."""
    with use() as system:
        system.perform(SendEmail, to="ann")
        system.perform(where)
        system.perform(parted, "b")
        assert system.ask(ListJobs("ready")) == ()
        assert system.enqueued() == ()

    assert done == ["ann", threading.current_thread(), "b"]


def test_the_job_is_known_to_itself() -> None:
    """`current_job` has an id, a queue and a first attempt, and a token that grows."""

    @exqueue.job(queue="mine")
    def look() -> None:
        job = exqueue.current_job()
        assert job is not None
        done.append((job.queue, job.attempt, job.cancelled, job.id))
        tokens.append((job.epoch, *job.run))

    tokens: list[tuple[int, ...]] = []
    with use() as system:
        system.perform(look)
        system.perform(look)

    assert [row[:3] for row in done] == [("mine", 1, False)] * 2  # type: ignore[index] # rows, here
    assert tokens[0] < tokens[1]
    assert exqueue.current_job() is None


def test_arguments_go_through_the_codec() -> None:
    """They arrive as new values of the same types, and what can't be stored is refused."""
    order = Order(Colour.RED, datetime.now(UTC))
    with use() as system:
        system.perform(paint, order, {"a"})
        with pytest.raises(PayloadError):
            system.perform(paint, object(), set())  # type: ignore[call-overload] # what is tested
        with pytest.raises(ArgumentsError, match="takes no 'too'"):
            system.perform(SendEmail, too="ann")  # type: ignore[call-overload] # what is tested

    assert done == [order, {"a"}]
    assert done[0] is not order


def test_a_failure_is_as_it_would_be_recorded() -> None:
    """Type, message and traceback as text."""
    with use() as system, pytest.raises(JobsFailed) as failed:
        system.perform(SendEmail, to="nobody")

    failure = failed.value.failures[0]
    assert failure.error is not None
    assert (failure.error.type, failure.error.message) == ("ValueError", "no such address")
    assert 'raise ValueError("no such address")' in failure.error.traceback
    assert (failure.attempt, failure.is_dead, failure.error.node) == (1, False, "test")


def test_an_alias_is_followed() -> None:
    """By name, of a class that is started."""

    @exqueue.job(name="new", aliases=["old"])
    def renamed(name: str) -> None:
        done.append(name)

    with use() as system:
        with pytest.raises(JobsFailed, match="no job class named 'old' is started"):
            system.perform("old", name="a")
        system.ask(StartWorker(renamed))
        system.perform("old", name="b")

    assert done == ["b"]


def test_what_it_makes_ready_runs_in_mode_inline() -> None:
    """After it."""

    @exqueue.job
    def parent() -> None:
        system.enqueue(SendEmail, to="ann")
        done.append("parent")

    with use("inline") as system:
        system.perform(parent)

    assert done == ["parent", "ann"]


def test_what_no_job_may_catch_comes_through() -> None:
    """Ctrl-C ends the tests, and is no failure of the job that it met."""

    @exqueue.job
    def interrupted() -> None:
        raise KeyboardInterrupt

    with use() as system, pytest.raises(KeyboardInterrupt):
        system.perform(interrupted)


def test_async_tests_run_jobs_of_both_kinds() -> None:
    """Beside the loop of the test, in a thread, as a job has it with a worker."""

    async def test() -> None:
        with use("inline") as system:
            system.enqueue(in_a_loop, name="a")
            system.enqueue(where)
            system.perform(in_a_loop, name="b")

    asyncio.run(test())

    assert done[0] == ("a", True)
    assert done[1] is not threading.current_thread()
    assert done[2] == ("b", True)


def test_coroutines_share_a_loop() -> None:
    """As those of one worker do: what a job keeps of it serves the next."""

    @exqueue.job
    async def keep() -> None:
        done.append(asyncio.get_running_loop())

    with use() as system:
        system.perform(keep)
        system.perform(keep)

    assert done[0] is done[1]
