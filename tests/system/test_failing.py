"""What becomes of a job that raises: retries, death with its one ERROR, and the way back."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from exqueue import (
    DeleteDead,
    Enqueue,
    GetJob,
    GetTree,
    JobInfo,
    JobNotFound,
    PauseQueue,
    ResumeQueue,
    RetryDead,
    StartWorker,
    SystemRef,
)
from tests.system.helpers import eventually, queue_status

ANY_EXIT = [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError]


def state_of(system: SystemRef, job_id: str) -> str:
    """The state of a stored job."""
    info: JobInfo = system.ask(GetJob(job_id))
    return info.state


def messages(caplog: pytest.LogCaptureFixture, level: int, job_id: str) -> list[str]:
    """What was logged about a job at this level or above."""
    said = [record.getMessage() for record in caplog.records if record.levelno >= level]
    return [message for message in said if job_id in message]


def test_a_failing_job_is_retried_after_its_own_backoff(system: SystemRef) -> None:
    """Each failure takes the next delay of the class; the job runs until it succeeds, its failures counted."""
    asked: list[int] = []
    runs: list[int] = []

    def backoff(failure: int) -> float:
        asked.append(failure)
        return 0.01

    class Flaky:
        def perform(self) -> None:
            runs.append(1)
            if len(runs) < 4:
                raise ValueError("not yet")

    system.ask(StartWorker(Flaky, backoff=backoff))
    system.ask(Enqueue(Flaky))
    eventually(lambda: queue_status(system, "Flaky").processed == 1)

    assert asked == [1, 2, 3]
    assert len(runs) == 4
    assert queue_status(system, "Flaky").failed == 3


def test_a_job_that_waits_for_its_retry_shows_its_error(system: SystemRef) -> None:
    """`GetJob` tells failures, the error with its traceback, and when it is tried again."""

    class Failing:
        def perform(self) -> None:
            raise ValueError("no such address")

    system.ask(StartWorker(Failing, backoff=[1_000, 2_000]))
    job_id = system.ask(Enqueue(Failing))
    eventually(lambda: state_of(system, job_id) == "waiting")

    info: JobInfo = system.ask(GetJob(job_id))
    assert (info.job, info.queue, info.failures, info.recoveries, info.max_retries) == ("Failing", "Failing", 1, 0, 25)
    assert [(error.type, error.message) for error in info.errors] == [("ValueError", "no such address")]
    assert 'raise ValueError("no such address")' in info.errors[0].traceback
    assert info.due_at == pytest.approx(info.errors[0].at + 1_000, abs=5)


def test_without_a_backoff_the_first_retry_comes_in_some_seconds(system: SystemRef) -> None:
    """The default is Sidekiq's curve: 15 seconds and jitter after the first failure."""

    class Failing:
        def perform(self) -> None:
            raise ValueError

    system.ask(StartWorker(Failing))
    job_id = system.ask(Enqueue(Failing))
    eventually(lambda: state_of(system, job_id) == "waiting")

    info: JobInfo = system.ask(GetJob(job_id))
    assert info.due_at is not None
    assert 14 <= info.due_at - info.errors[0].at <= 26


@pytest.mark.parametrize("answer", [-1, math.nan, math.inf, None, "soon", ZeroDivisionError, *ANY_EXIT], ids=repr)
def test_fault_031_a_backoff_that_fails_falls_back(
    system: SystemRef, caplog: pytest.LogCaptureFixture, answer: object
) -> None:
    """A backoff that raises or answers nonsense costs the job nothing: the default holds, and a WARNING says so."""

    def backoff(failure: int) -> float:
        if isinstance(answer, type):
            raise answer
        return answer  # type: ignore[return-value]

    class Failing:
        def perform(self) -> None:
            raise ValueError

    system.ask(StartWorker(Failing, backoff=backoff))
    job_id = system.ask(Enqueue(Failing))
    eventually(lambda: state_of(system, job_id) == "waiting")

    info: JobInfo = system.ask(GetJob(job_id))
    assert (info.failures, info.recoveries, [error.type for error in info.errors]) == (1, 0, ["ValueError"])
    assert info.due_at is not None
    assert 14 <= info.due_at - info.errors[0].at <= 26
    warning = eventually(lambda: messages(caplog, logging.WARNING, job_id))
    assert len(warning) == 1
    assert "backoff(1)" in warning[0]


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
@pytest.mark.parametrize("raised", ANY_EXIT)
def test_fault_011_a_job_that_raises_an_exit_just_fails(
    system: SystemRef, raised: type[BaseException], *, is_async: bool
) -> None:
    """What would end a thread or a program is a failure of the job; its worker takes the next one."""
    seen: list[bool] = []

    class Plain:
        name = "Exiting"

        def perform(self, *, fails: bool) -> None:
            if fails:
                raise raised
            seen.append(fails)

    class Async:
        name = "Exiting"

        async def perform(self, *, fails: bool) -> None:
            await asyncio.sleep(0)
            Plain().perform(fails=fails)

    job = Async if is_async else Plain
    system.ask(StartWorker(job, max_retries=0))
    job_id = system.ask(Enqueue(job, {"fails": True}))
    system.ask(Enqueue(job, {"fails": False}))
    eventually(lambda: seen)

    info: JobInfo = system.ask(GetJob(job_id))
    assert (info.state, info.failures, info.recoveries) == ("dead", 1, 0)
    assert info.errors[0].type.endswith(raised.__name__)
    queues = next(child for child in system.ask(GetTree()).children if child.name == "queues")
    assert [(actor.alive, actor.restarts) for actor in queues.children[0].children] == [(True, 0), (True, 0)]


class Promise:
    """What other libraries give back instead of a coroutine."""

    def __await__(self) -> Iterator[None]:
        yield


async def generate() -> AsyncIterator[int]:
    """A generator that would have to be awaited."""
    yield 1


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
@pytest.mark.parametrize("make", [lambda: (number for number in [1]), generate, Promise], ids=lambda one: "")
def test_fault_027_a_job_of_which_nothing_ran_is_no_success(
    system: SystemRef, make: Callable[[], object], *, is_async: bool
) -> None:
    """A generator, or an awaitable that is no coroutine, would have to be run: the job fails and says so."""

    class Plain:
        name = "Lazy"

        def perform(self) -> object:
            return make()

    class Async:
        name = "Lazy"

        async def perform(self) -> object:
            return make()

    system.ask(StartWorker(Async if is_async else Plain, max_retries=0))
    job_id = system.ask(Enqueue("Lazy"))
    eventually(lambda: state_of(system, job_id) == "dead")

    (error,) = system.ask(GetJob(job_id)).errors
    assert error.type == "exqueue.errors.NothingRan"
    assert f"perform returned an object of type {type(make()).__name__}, which nobody runs" in error.message


def test_fault_027_a_coroutine_that_a_plain_perform_returns_is_run(system: SystemRef) -> None:
    """It is what ``async def`` would have returned."""
    ran: list[int] = []

    async def run(number: int) -> None:
        await asyncio.sleep(0)
        ran.append(number)

    class Returning:
        def perform(self, *, number: int) -> object:
            return run(number)

    system.ask(StartWorker(Returning))
    system.ask(Enqueue(Returning, {"number": 1}))
    system.drain()

    assert ran == [1]
    assert queue_status(system, "Returning").failed == 0


def test_a_death_is_one_error_with_all_that_is_needed(system: SystemRef, caplog: pytest.LogCaptureFixture) -> None:
    """Id, class, queue, attempts, traceback and the line that runs it again, once; the retries before are no ERROR."""

    class Mail:
        queue = "outgoing"

        def perform(self, *, to: str) -> None:
            raise ValueError("mailbox full")

    system.ask(StartWorker(Mail, max_retries=2, backoff=0))
    job_id = system.ask(Enqueue(Mail, {"to": "secret@example.com"}))
    eventually(lambda: messages(caplog, logging.ERROR, job_id))
    # A second job's death comes after all that could still be said of the first.
    other_id = system.ask(Enqueue(Mail, {"to": ""}))
    eventually(lambda: messages(caplog, logging.ERROR, other_id))

    errors = messages(caplog, logging.ERROR, job_id)
    assert len(errors) == 1
    for part in (job_id, "Mail", "outgoing", "3 failed attempts", "Traceback", "ValueError: mailbox full"):
        assert part in errors[0]
    assert f"system.tell(RetryDead({job_id!r}))" in errors[0]
    assert "secret@example.com" not in errors[0]
    assert len(messages(caplog, logging.WARNING, job_id)) == 1


def test_without_retries_the_first_failure_is_death(system: SystemRef) -> None:
    """`max_retries=0`: run once, dead once."""
    runs: list[int] = []

    class Once:
        max_retries = 0

        def perform(self) -> None:
            runs.append(1)
            raise ValueError

    system.ask(StartWorker(Once))
    job_id = system.ask(Enqueue(Once))
    eventually(lambda: state_of(system, job_id) == "dead")
    system.drain()

    assert len(runs) == 1
    assert (queue_status(system, "Once").dead, queue_status(system, "Once").failed) == (1, 1)


def test_a_retried_dead_job_has_all_its_retries_again_and_keeps_its_errors(system: SystemRef) -> None:
    """`RetryDead` sets failures to 0, keeps the errors, and the job goes its way anew."""
    is_mended: list[bool] = []
    runs: list[int] = []

    class Mended:
        def perform(self) -> None:
            runs.append(1)
            if not is_mended:
                raise ValueError(f"run {len(runs)}")

    system.ask(StartWorker(Mended, max_retries=1, backoff=0))
    job_id = system.ask(Enqueue(Mended))
    eventually(lambda: state_of(system, job_id) == "dead")
    assert system.ask(GetJob(job_id)).failures == 2

    system.ask(PauseQueue("Mended"))
    assert system.ask(RetryDead(job_id)) is True
    info: JobInfo = system.ask(GetJob(job_id))
    assert (info.state, info.failures) == ("ready", 0)
    assert [error.message for error in info.errors] == ["run 1", "run 2"]

    system.ask(ResumeQueue("Mended"))
    eventually(lambda: state_of(system, job_id) == "dead")
    assert len(runs) == 4
    is_mended.append(True)
    system.ask(RetryDead(job_id))
    system.drain()
    with pytest.raises(JobNotFound):
        system.ask(GetJob(job_id))
    assert queue_status(system, "Mended").processed == 1


def test_a_deleted_dead_job_is_gone(system: SystemRef) -> None:
    """`DeleteDead` answers `True` once; then there is no such job."""

    class Dying:
        def perform(self) -> None:
            raise ValueError

    system.ask(StartWorker(Dying, max_retries=0))
    job_id = system.ask(Enqueue(Dying))
    eventually(lambda: state_of(system, job_id) == "dead")

    assert system.ask(DeleteDead(job_id)) is True
    for message in (DeleteDead(job_id), RetryDead(job_id), GetJob(job_id)):
        with pytest.raises(JobNotFound, match=job_id):
            system.ask(message)
    assert queue_status(system, "Dying").dead == 0


def test_an_unknown_dead_job_is_said_to_who_asks(system: SystemRef, url: str) -> None:
    """`JobNotFound` names the id and where it was looked for."""
    for message in (RetryDead("no-such-job"), DeleteDead("no-such-job")):
        with pytest.raises(JobNotFound, match="no-such-job") as caught:
            system.ask(message)
        assert url.partition("?")[0] in str(caught.value)


def test_an_unknown_dead_job_is_one_warning_when_told(system: SystemRef, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for the answer to a `tell`: it is one WARNING, and the system goes on."""
    system.tell(RetryDead("no-such-job"))
    system.tell(DeleteDead("no-other-job"))

    eventually(lambda: messages(caplog, logging.WARNING, "no-other-job"))
    assert len(messages(caplog, logging.WARNING, "no-such-job")) == 1
    assert len(messages(caplog, logging.WARNING, "no-other-job")) == 1
    assert messages(caplog, logging.ERROR, "job") == []
