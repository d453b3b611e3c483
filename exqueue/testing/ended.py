"""How jobs of a test ended: counts, and the failure of the test when one of them failed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.execution import Outcome
    from exqueue.record import JobError


MOST_SHOWN: Final = 5
"""So many failures are told in full."""


@dataclass(frozen=True, slots=True)
class Drained:
    """How many runs ended how. A job that failed twice and then succeeded counts three times.

    Args:
        succeeded: without an error.
        failed: with an error, to be tried again.
        died: for good.
        postponed: put off, as its class was stopped.
    """

    succeeded: int = 0
    failed: int = 0
    died: int = 0
    postponed: int = 0

    @property
    def runs(self) -> int:
        """All of them."""
        return self.succeeded + self.failed + self.died + self.postponed


@dataclass(frozen=True, slots=True)
class Failed:
    """A run that failed, as it is recorded.

    ``attempt``: from 1. ``is_dead``: whether that was its last. ``error``: ``None`` when none was raised.
    ``reason``: why it is dead, or why its backoff could not be used.
    """

    id: str
    job: str
    queue: str
    attempt: int
    is_dead: bool
    error: JobError | None
    reason: str | None = None

    def __str__(self) -> str:
        """All of it, the traceback last."""
        fate = "is dead" if self.is_dead else "failed and will be tried again"
        line = (
            f"{self.job or 'a job of an unknown class'} {self.id} (queue {self.queue}, attempt {self.attempt}) {fate}"
        )
        line += f": {self.reason}" if self.reason else ""
        return line if self.error is None else f"{line}\n{self.error.traceback.rstrip()}"


class JobsFailed(AssertionError):
    """Jobs that this test ran have failed. They are recorded as a worker records it.

    Args:
        failures: in the order in which they failed.

    Attributes:
        failures: the same.
    """

    def __init__(self, failures: Sequence[Failed]) -> None:
        self.failures = tuple(failures)
        count = len(self.failures)
        what = "a run of a job" if count == 1 else f"{count} runs of jobs"
        told = "\n\n".join(str(failure) for failure in self.failures[:MOST_SHOWN])
        told += f"\n\n... and {count - MOST_SHOWN} more" if count > MOST_SHOWN else ""
        super().__init__(f"{what} failed (check=False lets them fail without failing the test):\n\n{told}")


def counted(outcomes: Sequence[Outcome]) -> Drained:
    """How many ended how."""
    verdicts = Counter[str](outcome.verdict for outcome in outcomes)
    return Drained(**verdicts)


def failure_of(job_id: str, queue: str, outcome: Outcome) -> Failed | None:
    """What is to be said of a run; ``None`` of one that did not fail."""
    if outcome.verdict not in ("failed", "died"):
        return None
    return Failed(job_id, outcome.job, queue, outcome.attempt, outcome.verdict == "died", outcome.error, outcome.reason)
