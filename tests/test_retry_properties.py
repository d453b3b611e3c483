"""What holds for every delay before a retry, whatever a class asks for."""

import math
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exqueue.options import MAX_BACKOFF_S, JobOptions
from exqueue.retry import JITTERS, NoMoreRetries, RetryIn, backoff_delay, default_delay, next_step

failures = st.integers(1, 10_000)
jitters = st.integers(0, JITTERS - 1)
seeds = st.integers(0, 2**32)
seconds = st.floats(0, MAX_BACKOFF_S) | st.integers(0, int(MAX_BACKOFF_S))
anything = (
    seconds
    | st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=3)
    | st.lists(seconds, max_size=2)
)


def is_allowed(answer: object) -> bool:
    """Written out once more, from the words of `backoff_delay`."""
    if isinstance(answer, bool) or not isinstance(answer, int | float) or answer != answer:  # noqa: PLR0124 - NaN
        return False
    return 0 <= answer <= MAX_BACKOFF_S


@settings(derandomize=True)
@given(failures, jitters)
def test_the_default_delay_is_bounded_and_grows(failure_number: int, jitter: int) -> None:
    """With each failure and with the jitter, from 15 seconds to a year; by the formula until it is cut."""
    delay_s = default_delay(failure_number, jitter)
    assert 15 <= delay_s <= MAX_BACKOFF_S
    assert delay_s <= default_delay(failure_number + 1, jitter)
    assert default_delay(failure_number, 0) <= delay_s <= default_delay(failure_number, JITTERS - 1)
    before = failure_number - 1
    assert delay_s == min(before**4 + 15 + jitter * failure_number, MAX_BACKOFF_S)


@settings(derandomize=True, max_examples=300)
@given(anything, failures, seeds)
def test_a_function_of_the_user_is_followed_or_the_default_is(answer: Any, failure_number: int, seed: int) -> None:
    """Seconds from 0 to the longest are used as they are, and told as no problem; all else is the default, and told."""
    delay_s, problem = backoff_delay(lambda _: answer, failure_number, random.Random(seed))
    if is_allowed(answer):
        assert (delay_s, problem) == (answer, None)
    else:
        assert problem is not None
        assert delay_s == backoff_delay(None, failure_number, random.Random(seed))[0]
    assert math.isfinite(delay_s)


@settings(derandomize=True)
@given(st.lists(seconds, min_size=1, max_size=6), failures)
def test_a_sequence_is_followed_and_its_last_entry_repeated(entries: list[float], failure_number: int) -> None:
    """Its first entry is the delay after the first failure."""
    delays = (*entries, *[entries[-1]] * failure_number)
    assert backoff_delay(tuple(entries), failure_number, random.Random(0)) == (delays[failure_number - 1], None)


@settings(derandomize=True)
@given(st.integers(0, 100), st.integers(1, 200), seeds)
def test_a_job_is_retried_exactly_as_often_as_allowed(max_retries: int, failed: int, seed: int) -> None:
    """One failure more is the end of it."""
    step = next_step(JobOptions(max_retries=max_retries), failed, random.Random(seed))
    assert isinstance(step, NoMoreRetries if failed > max_retries else RetryIn)
