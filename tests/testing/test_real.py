"""Mode ``real``: a whole system, whose workers run the jobs."""

import threading

import pytest

from exqueue import ActorInfo, ConfigError, GetStatus, GetTree, StartWorker
from exqueue.testing import Drained, JobsFailed, StandIn, crash, use
from tests.system.helpers import eventually
from tests.testing.jobs import Chain, SendEmail, done, where


def test_jobs_run_in_workers() -> None:
    """From `drain` on, which starts what was enqueued; what jobs enqueue is run, too."""
    with use("real") as system:
        Chain.system = system
        system.enqueue(where)
        system.enqueue(Chain, left=1)
        assert done == []
        assert system.drain() == Drained(succeeded=3)
        system.assert_enqueued(Chain, left=0)

    assert threading.current_thread() not in done


def test_failures_fail_the_test() -> None:
    """With the errors that the store has; each is said once."""
    with use("real") as system:
        system.enqueue(SendEmail, to="nobody")
        with pytest.raises(JobsFailed, match="no such address") as failed:
            system.drain()
        assert [failure.attempt for failure in failed.value.failures] == [1]
        assert system.drain() == Drained()


def test_a_class_that_is_started_stays_as_it_is() -> None:
    """With the options that its start gave it."""
    with use("real", check=False) as system:
        system.ask(StartWorker(SendEmail, max_retries=0))
        system.enqueue(SendEmail, to="nobody")
        assert system.drain() == Drained(died=1)


def test_dead_jobs_are_found() -> None:
    """As in the other modes."""

    class Once:
        max_retries = 0

        def perform(self, *, number: int) -> None:
            raise ValueError(number)

    with use("real", check=False) as system:
        system.enqueue(Once, number=1)
        assert system.drain() == Drained(died=1)
        assert system.assert_dead(Once, number=1).errors[-1].message == "1"
        with pytest.raises(AssertionError, match="number=1"):
            system.assert_dead(Once, number=2)


def test_time_is_the_machines() -> None:
    """So what needs a clock of its own is refused, with where it is possible."""
    with use("real") as system:
        with pytest.raises(ConfigError, match="manual or inline"):
            system.advance(1)
        with pytest.raises(ConfigError, match="manual or inline"):
            system.drain(scheduled=True)
        with pytest.raises(ConfigError, match="manual or inline"):
            system.drain(recursive=False)


def restarts(system: StandIn, name: str) -> int:
    """How often an actor below the root was started again."""
    tree: ActorInfo = system.ask(GetTree())
    return next(child.restarts for child in tree.children if child.name == name)


def test_actors_can_be_crashed() -> None:
    """`crash` works on it as on a system; a stand-in without actors says so."""
    with use("real") as system:
        crash(system, "operator")
        eventually(lambda: restarts(system, "operator") == 1)
        assert system.ask(GetStatus()).failed == ()

    with use() as system, pytest.raises(LookupError, match="operator"):
        crash(system, "operator")


def test_perform_runs_in_the_thread_of_the_test() -> None:
    """In every mode."""
    with use("real") as system:
        system.perform(where)

    assert done == [threading.current_thread()]
