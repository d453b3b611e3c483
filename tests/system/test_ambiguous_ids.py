"""Ids are unique per queue: who names an id that two queues have says which is meant."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from exqueue import (
    AmbiguousJob,
    CancelJob,
    DeleteDead,
    Enqueue,
    GetJob,
    JobNotFound,
    RetryDead,
    StartWorker,
)
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    from exqueue import SystemRef


class Fragile:
    max_retries = 0

    def perform(self) -> None:
        raise ValueError("always")


class One(Fragile):
    """In a queue of its own."""


class Other(Fragile):
    """In another one."""


def both_dead(system: SystemRef) -> None:
    """In two queues there is a dead job of the same id."""
    for job in (One, Other):
        system.ask(StartWorker(job))
        assert system.ask(Enqueue(job, id="twin")) == "twin"
    eventually(lambda: [queue_status(system, name).dead for name in ("One", "Other")] == [1, 1])


@pytest.mark.parametrize("command", [GetJob, RetryDead, DeleteDead, CancelJob])
def test_an_id_in_two_queues_is_refused_with_their_names(system: SystemRef, command: Any) -> None:
    """Nothing is changed, and `queue=` finds the one that is meant, leaving the other alone."""
    both_dead(system)

    with pytest.raises(AmbiguousJob, match=r"job twin stands in the queues One, Other: say which with queue="):
        system.ask(command("twin"))
    assert [queue_status(system, name).dead for name in ("One", "Other")] == [1, 1]

    assert system.ask(command("twin", queue="Other"))
    eventually(lambda: queue_status(system, "Other").dead == (0 if command in (DeleteDead, CancelJob) else 1))
    assert queue_status(system, "Other").failed == (2 if command is RetryDead else 1)
    assert (queue_status(system, "One").dead, queue_status(system, "One").failed) == (1, 1)


@pytest.mark.parametrize("command", [GetJob, RetryDead, DeleteDead, CancelJob])
def test_a_queue_that_has_no_such_job_is_named(system: SystemRef, command: Any) -> None:
    """Although another queue has one of that id."""
    both_dead(system)
    system.ask(Enqueue("Third"))
    with pytest.raises(JobNotFound, match="the id twin in queue Third"):
        system.ask(command("twin", queue="Third"))


@pytest.mark.parametrize("command", [RetryDead, DeleteDead])
def test_only_dead_jobs_count_for_what_is_about_dead_jobs(system: SystemRef, command: Any) -> None:
    """A living job of the same id elsewhere makes nothing ambiguous."""
    system.ask(StartWorker(One))
    system.ask(Enqueue(One, id="twin"))
    eventually(lambda: queue_status(system, "One").dead == 1)
    system.ask(Enqueue("Living", id="twin"))
    assert system.ask(command("twin")) is True
    with pytest.raises(JobNotFound, match="no dead job has the id twin in queue Living"):
        system.ask(command("twin", queue="Living"))
    assert queue_status(system, "Living").ready == 1


def test_an_ambiguous_order_that_is_told_is_one_warning(system: SystemRef, caplog: pytest.LogCaptureFixture) -> None:
    """It says what to do, and nothing is deleted."""
    both_dead(system)
    system.tell(DeleteDead("twin"))
    said = eventually(lambda: [one for one in caplog.records if "say which with queue=" in one.getMessage()])
    assert [one.levelno for one in said] == [logging.WARNING]
    assert [queue_status(system, name).dead for name in ("One", "Other")] == [1, 1]
