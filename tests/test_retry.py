"""What becomes of a job that failed or was lost."""

import math
import random
from typing import Any

import pytest

from exqueue.options import MAX_BACKOFF_S, JobOptions
from exqueue.retry import JITTERS, NoMoreRetries, RetryIn, backoff_delay, default_delay, is_poison, next_step


class NoNumber:
    """What can't even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError


class Unspeakable(Exception):
    """An error whose text raises another one."""

    def __str__(self) -> str:
        raise RuntimeError


def rng() -> random.Random:
    """Draw the same jitter in each test."""
    return random.Random(1)


@pytest.mark.parametrize(
    ("failure_number", "jitter", "seconds"),
    [(1, 0, 15), (1, 9, 24), (2, 0, 16), (2, 9, 34), (3, 4, 43), (25, 0, 331_791), (25, 9, 332_016)],
)
def test_the_default_delay_is_the_one_of_sidekiq(failure_number: int, jitter: int, seconds: float) -> None:
    """``count ** 4 + 15 + jitter * (count + 1)``, where count is 0 at the first failure."""
    assert default_delay(failure_number, jitter) == seconds


def test_all_retries_together_take_about_three_weeks() -> None:
    """The 25 retries of the default give a person three weeks to mend the cause."""
    total = sum(default_delay(n, 4) for n in range(1, JobOptions().max_retries + 1))
    assert 20 * 86_400 < total < 22 * 86_400


def test_fault_029_no_default_delay_passes_a_year() -> None:
    """However many retries are allowed."""
    assert default_delay(10**9, 9) == MAX_BACKOFF_S


def test_fault_029_jobs_that_failed_together_are_spread() -> None:
    """The jitter of the default delay is drawn each time, from all values."""
    draw = random.Random(7)
    delays = {backoff_delay(None, 1, draw)[0] for _ in range(500)}
    assert delays == {15.0 + jitter for jitter in range(JITTERS)}


@pytest.mark.parametrize(
    ("backoff", "failure_number", "seconds"),
    [
        (5, 1, 5),
        (0, 9, 0),
        (0.25, 3, 0.25),
        ((1, 10, 60), 1, 1),
        ((1, 10, 60), 2, 10),
        ((1, 10, 60), 3, 60),
        ((1, 10, 60), 4, 60),
        (lambda n: n * 2, 4, 8),
        (lambda _: MAX_BACKOFF_S, 1, MAX_BACKOFF_S),
    ],
)
def test_the_own_backoff_of_a_class_is_used(backoff: Any, failure_number: int, seconds: float) -> None:
    """Seconds; a sequence whose last entry is repeated; or a function of the number of the failure, from 1."""
    assert backoff_delay(backoff, failure_number, rng()) == (seconds, None)


@pytest.mark.parametrize(
    "answer", [None, "5", math.nan, -1, -math.inf, math.inf, True, MAX_BACKOFF_S + 1, 10**400, NoNumber(), [1]]
)
def test_fault_031_a_backoff_that_answers_nonsense_falls_back_and_says_why(answer: object) -> None:
    """The job is retried by the default; the reason is there to be logged."""
    delay_s, problem = backoff_delay(lambda _: answer, 1, rng())  # type: ignore[arg-type]  # what is tested
    assert 15 <= delay_s < 25
    assert problem is not None
    assert problem.startswith("backoff(1) gave ")
    assert type(answer).__name__ in problem


@pytest.mark.parametrize(
    ("error", "said"), [(ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"), (Unspeakable(), "Unspeakable")]
)
def test_fault_031_a_backoff_that_raises_falls_back_and_says_why(error: Exception, said: str) -> None:
    """An error in the backoff must not change the fate of the job."""

    def backoff(_: int) -> float:
        raise error

    delay_s, problem = backoff_delay(backoff, 2, rng())
    assert 16 <= delay_s < 36
    assert problem is not None
    assert problem.startswith("backoff(2) raised ")
    assert said in problem


def test_fault_031_a_backoff_that_would_end_the_thread_falls_back_too() -> None:
    """Whatever the user's backoff raises, the job's fate is decided and the thread goes on."""

    def backoff(_: int) -> float:
        raise SystemExit

    delay_s, problem = backoff_delay(backoff, 1, rng())
    assert delay_s >= 15
    assert problem is not None
    assert "SystemExit" in problem


def test_a_job_is_retried_as_often_as_allowed_and_then_given_up() -> None:
    """The first attempt does not count as a retry."""
    options = JobOptions(max_retries=2, backoff=1)
    steps = [next_step(options, failures, rng()) for failures in (1, 2, 3)]
    assert steps == [RetryIn(1.0), RetryIn(1.0), NoMoreRetries("it failed 3 times: all of its retries are used up")]


def test_a_job_without_retries_is_given_up_at_once() -> None:
    """``max_retries=0``."""
    assert next_step(JobOptions(max_retries=0), 1, rng()) == NoMoreRetries("it failed once, and may not be retried")


def test_a_job_that_is_given_up_is_not_asked_for_its_backoff() -> None:
    """The function of the user is only called for a retry that will be."""
    asked: list[int] = []

    def backoff(failure_number: int) -> float:
        asked.append(failure_number)
        return 1

    next_step(JobOptions(max_retries=1, backoff=backoff), 2, rng())
    assert asked == []
    next_step(JobOptions(max_retries=1, backoff=backoff), 1, rng())
    assert asked == [1]


def test_the_problem_of_a_backoff_is_handed_on() -> None:
    """The caller, who can log, learns of it."""
    step = next_step(JobOptions(backoff=lambda _: -1), 1, rng())
    assert isinstance(step, RetryIn)
    assert step.problem == "backoff(1) gave -1 (int), not seconds from 0 to 31536000"


@pytest.mark.parametrize(("recoveries", "poison"), [(0, False), (2, False), (3, True), (4, True)])
def test_a_job_is_poison_once_it_was_lost_as_often_as_allowed(recoveries: int, poison: bool) -> None:
    """A job handed out with ``max_recoveries`` recoveries is not run."""
    assert is_poison(recoveries, 3) is poison
