"""What becomes of a job that failed or was lost: pure decisions, without clock, store or log."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from exqueue.checks import is_seconds, shown
from exqueue.options import MAX_BACKOFF_S

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from exqueue.options import Backoff, JobOptions

JITTERS: Final = 10
"""How many different delays the jobs that failed in the same moment are spread over."""


@dataclass(frozen=True, slots=True)
class RetryIn:
    """Run the job again in ``delay_s`` seconds.

    ``problem``: why the backoff of the job class could not be used, for the log; ``None`` when it could.
    """

    delay_s: float
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class NoMoreRetries:
    """The job is dead: its retries are used up. ``reason`` is a sentence for people."""

    reason: str


NextStep = RetryIn | NoMoreRetries


def next_step(options: JobOptions, failures: int, rng: random.Random) -> NextStep:
    """Decide what becomes of a job that has just failed.

    May call the user's backoff function, so it runs where user code runs; whatever it raises is caught here.

    Args:
        options: as they are where the job ran.
        failures: how often it has failed, this time included; at least 1.
        rng: gives the jitter.
    """
    if failures > options.max_retries:
        return NoMoreRetries(_why(failures))
    delay_s, problem = backoff_delay(options.backoff, failures, rng)
    return RetryIn(delay_s, problem)


def default_delay(failure_number: int, jitter: int) -> float:
    """Return the seconds before a retry: about 20 after the first failure, three weeks over 25 of them.

    Source: Sidekiq 7.1, ``lib/sidekiq/job_retry.rb``: ``(count ** 4) + 15 + rand(10) * (count + 1)``, where count is
    0 at the first failure.

    Args:
        failure_number: 1 at the first failure.
        jitter: 0 to `JITTERS` - 1, drawn at random.

    Returns:
        At most `MAX_BACKOFF_S`.
    """
    count = failure_number - 1
    return float(min(count**4 + 15 + jitter * (count + 1), MAX_BACKOFF_S))


def backoff_delay(backoff: Backoff | None, failure_number: int, rng: random.Random) -> tuple[float, str | None]:
    """Return the seconds before a retry, and why they are not those of ``backoff`` (``None`` when they are).

    Args:
        backoff: seconds; a sequence with an entry for each failure, the last one repeated; or
            ``f(failure_number)``. ``None``: `default_delay`. So is what a function answers that is no number from 0
            to `MAX_BACKOFF_S`, or raises.
        failure_number: 1 at the first failure.
        rng: gives the jitter of `default_delay`.
    """
    if backoff is None:
        return _default(failure_number, rng), None
    if callable(backoff):
        try:
            answer: object = backoff(failure_number)
        except BaseException as error:  # noqa: BLE001 - user code: whatever it raises must not change the job's fate
            # Not str(error): that may raise too.
            said = "".join(traceback.format_exception_only(error)).strip()
            return _default(failure_number, rng), f"backoff({failure_number}) raised {said}"
        where = f"backoff({failure_number})"
    else:
        answer = backoff if isinstance(backoff, int | float) else _entry(backoff, failure_number)
        where = "backoff"
    if is_seconds(answer, MAX_BACKOFF_S):
        return float(answer), None
    problem = f"{where} gave {shown(answer)}, not seconds from 0 to {MAX_BACKOFF_S:.0f}"
    return _default(failure_number, rng), problem


def is_poison(recoveries: int, max_recoveries: int) -> bool:
    """Whether a job was lost with its node so often that it is buried instead of run once more."""
    return recoveries >= max_recoveries


def _default(failure_number: int, rng: random.Random) -> float:
    return default_delay(failure_number, rng.randrange(JITTERS))


def _entry(backoff: Sequence[float], failure_number: int) -> object:
    return backoff[min(failure_number, len(backoff)) - 1]


def _why(failures: int) -> str:
    if failures == 1:
        return "it failed once, and may not be retried"
    return f"it failed {failures} times: all of its retries are used up"
