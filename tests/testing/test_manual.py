"""Mode ``manual``: what is enqueued is kept, and run by `drain`."""

import logging
import threading

import pytest

from exqueue import (
    CancelJob,
    DeleteAllDead,
    Enqueue,
    EnqueueMany,
    GetJob,
    GetStatus,
    GetTree,
    JobNotFound,
    ListJobs,
    PauseQueue,
    PayloadError,
    ResumeQueue,
    RetryAllDead,
    RetryDead,
    StartWorker,
    StopWorker,
    job,
)
from exqueue.errors import ConfigError
from exqueue.testing import Drained, JobsFailed, use
from tests.testing.jobs import Chain, SendEmail, done, fragile, in_a_loop, where


def test_nothing_runs_before_it_is_drained() -> None:
    """What is enqueued is stored, and `drain` runs it and counts it."""
    with use() as system:
        system.enqueue(SendEmail, to="ann")
        system.tell(Enqueue(SendEmail, {"to": "bob"}))
        system.ask(EnqueueMany([Enqueue(SendEmail, {"to": "cas"})]))
        assert done == []
        assert [info.kwargs for info in system.ask(ListJobs("ready"))] == [{"to": "ann"}, {"to": "bob"}, {"to": "cas"}]

        assert system.drain() == Drained(succeeded=3)

    assert done == ["ann", "bob", "cas"]


def test_jobs_run_in_the_thread_of_the_test() -> None:
    """So that they see its transactions, patches and thread-local state; no thread is started at all."""
    before = threading.active_count()
    with use() as system:
        system.enqueue(where)
        system.drain()
        assert threading.active_count() == before

    assert done == [threading.current_thread()]


def test_draining_runs_what_the_jobs_enqueue() -> None:
    """Unless it is told to run only what was there."""
    with use() as system:
        Chain.system = system
        system.enqueue(Chain, left=2)
        assert system.drain(recursive=False) == Drained(succeeded=1)
        assert done == ["begin 2", "end 2"]

        assert system.drain() == Drained(succeeded=2)


def test_what_is_not_to_be_drained_keeps_its_place() -> None:
    """A job that was enqueued by another one of its queue is still there afterwards, and runs but once."""
    with use() as system:
        Chain.system = system
        system.enqueue(Chain, left=1)
        system.enqueue(Chain, left=0)
        assert system.drain(recursive=False).runs == 2
        assert [info.kwargs for info in system.ask(ListJobs("ready"))] == [{"left": 0}]
        assert system.drain(recursive=False).runs == 1
        assert system.drain() == Drained()


def test_jobs_that_go_on_for_ever_are_found_out() -> None:
    """A job that always enqueues itself ends the drain with what to do about it."""

    @job(name="again")
    def again() -> None:
        system.enqueue(again)

    with use() as system:
        system.enqueue(again)
        with pytest.raises(AssertionError, match="recursive=False"):
            system.drain()


def test_jobs_that_go_on_for_ever_later_are_found_out() -> None:
    """The same of one that enqueues itself for another time."""

    @job(name="again")
    def again() -> None:
        system.ask(Enqueue(again, delay=60))

    with use() as system:
        system.enqueue(again)
        with pytest.raises(AssertionError, match="recursive=False"):
            system.drain(scheduled=True)
        assert system.drain(recursive=False, scheduled=True) == Drained(succeeded=1)


def test_jobs_for_later_wait_for_their_time() -> None:
    """`advance` makes them due; `drain` runs them then."""
    with use() as system:
        system.ask(Enqueue(SendEmail, {"to": "ann"}, delay=60))
        assert system.drain() == Drained()
        assert system.advance(30) == Drained()
        assert system.drain() == Drained()
        system.advance(30)

        assert system.drain() == Drained(succeeded=1)


def test_what_is_scheduled_is_drained_in_the_order_of_its_time() -> None:
    """With ``scheduled=True`` the clock goes on to each, and each finds it at its time."""

    @job
    def look() -> None:
        done.append(round(system.clock.time() - begin, -1))

    with use() as system:
        begin = system.clock.time()
        for delay in (300, 100, 200):
            system.ask(Enqueue(look, delay=delay))
        assert system.drain(scheduled=True) == Drained(succeeded=3)

    assert done == [100, 200, 300]


def test_retries_are_scheduled_too() -> None:
    """A job that fails always is retried at its times, until it is dead."""
    with use(check=False) as system:
        system.enqueue(fragile, name="a")
        assert system.drain() == Drained(failed=1)
        assert system.drain() == Drained()
        assert system.drain(scheduled=True) == Drained(died=1)
        info = system.assert_dead(fragile, name="a")

    assert (info.failures, info.errors[-1].type, info.errors[-1].message) == (2, "LookupError", "a")


def test_each_job_is_drained_once_without_recursion() -> None:
    """With ``scheduled=True`` neither is what it enqueued, nor its retry."""
    with use(check=False) as system:
        system.ask(Enqueue(fragile, {"name": "a"}, delay=60))
        assert system.drain(recursive=False, scheduled=True) == Drained(failed=1)
        assert system.drain(recursive=False, scheduled=True) == Drained(died=1)


def test_a_failed_job_fails_the_test() -> None:
    """After all have run; it is recorded, and the error says all that a person needs."""
    with use() as system:
        job_id = system.enqueue(SendEmail, to="nobody")
        system.enqueue(SendEmail, to="ann")
        with pytest.raises(JobsFailed, match=rf"(?s){job_id}.*attempt 1\).*tried again.*no such address") as failed:
            system.drain()

        assert done == ["ann"]
        assert [failure.error.type for failure in failed.value.failures if failure.error] == ["ValueError"]
        assert [info.id for info in system.ask(ListJobs("waiting"))] == [job_id]


def test_many_failures_are_not_all_told() -> None:
    """The first five with their tracebacks; all of them are there."""
    with use() as system:
        for number in range(7):
            system.ask(Enqueue(SendEmail, {"to": "nobody"}, id=f"mail-{number}"))
        with pytest.raises(JobsFailed, match=r"(?s)7 runs of jobs failed.*mail-4.*\.\.\. and 2 more") as failed:
            system.drain()
        assert "mail-5" not in str(failed.value)
        assert len(failed.value.failures) == 7


def test_a_test_says_whether_it_checks() -> None:
    """``check=False`` of the stand-in and ``check=`` of a call; the call counts."""
    with use(check=False) as system:
        system.enqueue(SendEmail, to="nobody")
        system.enqueue(SendEmail, to="nobody")
        assert system.drain() == Drained(failed=2)
        with pytest.raises(JobsFailed):
            system.drain(scheduled=True, check=True)


def test_coroutines_are_run() -> None:
    """In an event loop, with the job known."""
    with use() as system:
        system.enqueue(in_a_loop, name="a")
        system.enqueue(in_a_loop, name="b")
        system.drain()

    assert done == [("a", True), ("b", True)]


def test_what_is_wrong_is_refused_as_by_a_system() -> None:
    """Arguments that can't be stored, and unknown ids."""
    with use() as system:
        with pytest.raises(PayloadError):
            system.ask(Enqueue(SendEmail, {"to": object()}))
        with pytest.raises(JobNotFound):
            system.ask(RetryDead("none"))
        assert system.enqueued() == ()


def test_dead_jobs_are_retried_and_deleted() -> None:
    """By id and all at once."""
    with use(check=False) as system:
        ids = [system.enqueue(fragile, name=name) for name in "abc"]
        assert system.drain(scheduled=True) == Drained(failed=3, died=3)
        assert system.ask(RetryDead(ids[0])) is True
        assert system.ask(RetryAllDead()) == 2
        assert system.drain(scheduled=True).died == 3
        assert system.ask(DeleteAllDead("fragile")) == 3
        assert system.ask(ListJobs("dead")) == ()


def test_jobs_are_cancelled_and_queues_paused() -> None:
    """As on a system."""
    with use() as system:
        first, second = system.enqueue(SendEmail, to="a"), system.enqueue(SendEmail, to="b")
        assert system.ask(CancelJob(first)).state == "ready"
        system.ask(PauseQueue("SendEmail"))
        assert system.drain() == Drained()
        system.ask(ResumeQueue("SendEmail"))
        assert system.drain() == Drained(succeeded=1)
        with pytest.raises(JobNotFound):
            system.ask(GetJob(second))


def test_the_status_and_the_tree_are_answered() -> None:
    """The counts of a queue; the tree has nobody in it but the root."""
    with use() as system:
        system.enqueue(SendEmail, to="a")
        status = system.ask(GetStatus())
        tree = system.ask(GetTree())

    assert [(queue.name, queue.ready, queue.worked_by) for queue in status.queues] == [("SendEmail", 1, "test")]
    assert (tree.name, tree.children) == ("system", ())


def test_a_job_by_name_needs_its_class() -> None:
    """As on a node: it fails as long as nobody has started it; an alias will do."""

    @job(name="new", aliases=["old"], queue="old")
    def new() -> None:
        done.append("new")

    with use(check=False) as system:
        system.ask(Enqueue("old"))
        assert system.drain() == Drained(failed=1)
        system.ask(StartWorker(new))
        assert system.drain(scheduled=True) == Drained(succeeded=1)


def test_overrides_of_a_start_hold() -> None:
    """Also for what was enqueued before."""
    with use(check=False) as system:
        system.enqueue(SendEmail, to="nobody")
        system.ask(StartWorker(SendEmail, max_retries=0))
        assert system.drain() == Drained(died=1)


def test_a_stopped_class_puts_its_jobs_off() -> None:
    """While its queue goes on with another."""

    @job(queue="SendEmail")
    def other() -> None:
        done.append("other")

    with use() as system:
        system.enqueue(SendEmail, to="a")
        system.enqueue(other)
        system.ask(StopWorker(SendEmail))
        assert system.drain() == Drained(succeeded=1, postponed=1)
        assert system.drain(scheduled=True) == Drained(postponed=1)


def test_a_serial_queue_halts_at_its_head() -> None:
    """What stands behind a failed job of a serial queue waits for it."""

    @job(serial=True, max_retries=0)
    def in_order(number: int) -> None:
        done.append(number)
        if number == 1:
            raise ValueError

    with use(check=False) as system:
        for number in (0, 1, 2):
            system.enqueue(in_order, number)
        assert system.drain() == Drained(succeeded=1, died=1)

    assert done == [0, 1]


def test_the_log_says_what_a_systems_says(caplog: pytest.LogCaptureFixture) -> None:
    """One INFO a failure, one ERROR a death, with what to do about it."""
    caplog.set_level(logging.INFO)
    with use(check=False) as system:
        job_id = system.enqueue(fragile, name="a")
        system.drain(scheduled=True)

    assert [(record.levelname, record.name) for record in caplog.records] == [
        ("INFO", "exqueue"),
        ("ERROR", "exqueue.deaths"),
    ]
    assert f"job {job_id} (fragile, queue fragile) is dead after 2 failed attempts" in caplog.messages[-1]
    assert f"RetryDead('{job_id}')" in caplog.messages[-1]


def test_time_does_not_go_back() -> None:
    """What is no number of seconds is refused."""
    with use() as system:
        for seconds in (-1, float("nan"), "3"):
            with pytest.raises(ConfigError, match="forwards"):
                system.advance(seconds)  # type: ignore[arg-type] # what is tested
