"""What the commands about workers, stored jobs and queues refuse when they are built."""

from typing import Any

import pytest

from exqueue.errors import ConfigError, NotSupportedYet
from exqueue.job import define
from exqueue.messages import (
    CancelJob,
    DeleteAllDead,
    DeleteDead,
    GetJob,
    ListJobs,
    PauseQueue,
    ResumeQueue,
    RetryAllDead,
    RetryDead,
    StartWorker,
    StopWorker,
)
from exqueue.options import JobOptions


class SendEmail:
    def perform(self, *, to: str, title: str = "Hello") -> None: ...


def test_start_worker_carries_the_options_of_the_class_and_the_overrides() -> None:
    """What is not overridden is that of the class."""
    assert StartWorker(SendEmail).options == JobOptions()
    message = StartWorker(SendEmail, concurrency=10, serial=True)
    assert message.options == JobOptions(concurrency=10, serial=True)
    assert message.definition is define(SendEmail)
    assert message.job is SendEmail


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"concurrency": 0}, "concurrency must be a whole number from 1 to 1000, not 0"),
        ({"concurrency": 1.5}, "concurrency must be a whole number from 1 to 1000, not 1.5"),
        ({"concurrency": 5_000}, "concurrency must be a whole number from 1 to 1000, not 5000"),
        ({"concurency": 5}, "no option concurency=; did you mean concurrency="),
        ({"queue": "mail"}, "queue= is set on the job class"),
        ({"backoff": -1}, "backoff must be seconds"),
    ],
)
def test_start_worker_refuses_a_wrong_option(options: Any, said: str) -> None:
    """When it is built, so where the caller wrote it."""
    with pytest.raises(ConfigError, match=said):
        StartWorker(SendEmail, **options)


@pytest.mark.parametrize("options", [{"timeout": 5}, {"slow_after": 5}, {"isolation": "process"}])
def test_start_worker_says_what_is_not_supported_yet(options: Any) -> None:
    """By the name of the option."""
    with pytest.raises(NotSupportedYet, match=next(iter(options))):
        StartWorker(SendEmail, **options)


@pytest.mark.parametrize("message", [StartWorker, StopWorker])
@pytest.mark.parametrize("given", ["SendEmail", SendEmail(), lambda: None, None])
def test_a_worker_needs_the_job_itself(message: Any, given: object) -> None:
    """A name is not enough to run it."""
    with pytest.raises(ConfigError, match="a job is a class with perform"):
        message(given)


@pytest.mark.parametrize("message", [RetryDead, DeleteDead, CancelJob, GetJob])
def test_a_message_about_a_job_may_name_its_queue(message: Any) -> None:
    """For the case that two queues have a job of this id."""
    assert (message("a1").id, message("a1").queue) == ("a1", None)
    assert message("a1", queue="mail").queue == "mail"


@pytest.mark.parametrize(
    "message",
    [
        *[lambda queue, m=m: m("a1", queue=queue) for m in (RetryDead, DeleteDead, CancelJob, GetJob)],
        RetryAllDead,
        DeleteAllDead,
        PauseQueue,
        ResumeQueue,
        lambda queue: ListJobs("dead", queue),
    ],
)
@pytest.mark.parametrize("queue", ["", "a b", 5, SendEmail])
def test_what_is_no_name_of_a_queue_is_refused(message: Any, queue: Any) -> None:
    """Wherever a queue is named."""
    with pytest.raises(ConfigError, match="queue must be 1 to 128 characters"):
        message(queue)


def test_all_dead_jobs_are_meant_without_a_queue() -> None:
    """``queue=None``."""
    assert RetryAllDead().queue is None
    assert DeleteAllDead("mail").queue == "mail"


@pytest.mark.parametrize("message", [PauseQueue, ResumeQueue])
def test_no_queue_is_none_to_pause(message: Any) -> None:
    """Pausing is for one queue, by name."""
    with pytest.raises(ConfigError, match="queue must be"):
        message(None)
