"""Mode ``inline``: what is ready runs at once."""

import threading

import pytest

from exqueue import Enqueue, ListJobs, RetryDead, job
from exqueue.testing import Drained, JobsFailed, use
from tests.testing.jobs import Chain, SendEmail, done, fragile, where


def test_a_job_runs_when_it_is_enqueued() -> None:
    """In the thread that enqueues it, by whichever way."""
    with use("inline") as system:
        system.enqueue(SendEmail, to="ann")
        system.tell(Enqueue(SendEmail, {"to": "bob"}))
        assert done == ["ann", "bob"]
        system.enqueue(where)

    assert done[-1] is threading.current_thread()


def test_what_a_job_enqueues_runs_after_it() -> None:
    """As with a worker, which is busy; all of it before the first enqueue returns."""
    with use("inline") as system:
        Chain.system = system
        system.enqueue(Chain, left=2)

    assert done == ["begin 2", "end 2", "begin 1", "end 1", "begin 0", "end 0"]


def test_what_is_for_later_runs_at_its_time() -> None:
    """`advance` runs what falls due meanwhile, retries of it included."""
    with use("inline", check=False) as system:
        system.ask(Enqueue(fragile, {"name": "a"}, delay=60))
        assert system.advance(59) == Drained()
        assert system.advance(5) == Drained(failed=1)
        assert system.advance(30) == Drained(died=1)


def test_time_passes_in_steps() -> None:
    """A job that falls due finds the clock at its own time, and its retry is due by it."""
    seen: list[float] = []

    @job(max_retries=2, backoff=10)
    def looks() -> None:
        seen.append(round(system.clock.time() - begin))
        raise ValueError

    with use("inline", check=False) as system:
        begin = system.clock.time()
        system.ask(Enqueue(looks, delay=100))
        assert system.advance(1000) == Drained(failed=2, died=1)
        assert round(system.clock.time() - begin) == 1000

    assert seen == [100, 110, 120]


def test_a_failure_comes_out_of_the_enqueue() -> None:
    """After it was recorded; and with ``check=False`` it does not."""
    with use("inline") as system:
        with pytest.raises(JobsFailed, match="no such address"):
            system.enqueue(SendEmail, to="nobody")
        assert len(system.ask(ListJobs("waiting"))) == 1

    with use("inline", check=False) as system:
        system.enqueue(SendEmail, to="nobody")
        assert len(system.ask(ListJobs("waiting"))) == 1


def test_a_revived_job_runs_at_once() -> None:
    """As all that an order makes ready."""
    with use("inline", check=False) as system:
        job_id = system.enqueue(fragile, name="a")
        system.advance(10.1)
        assert len(done) == 2
        system.ask(RetryDead(job_id))
        assert len(done) == 3


def test_threads_of_the_program_may_enqueue() -> None:
    """Each runs its own jobs, and none is lost or run twice."""
    with use("inline") as system:
        threads = [threading.Thread(target=system.enqueue, args=[SendEmail], kwargs={"to": f"{n}"}) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(done, key=str) == sorted((f"{n}" for n in range(20)), key=str)
