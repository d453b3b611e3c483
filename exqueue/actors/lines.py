"""What the log says of a job that failed or died: templates with what goes into them, as `logging` takes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from exqueue.messages import JobDied, JobFailed


DEATH: Final = (
    "job %s (%s, queue %s) is dead after %d failed %s: %s.%s\n%s"
    "To run it again: system.tell(RetryDead(%r)); to delete it: system.tell(DeleteDead(%r))"
)


def line_of_failure(failed: JobFailed) -> tuple[str, *tuple[object, ...]]:
    """The line, at INFO, of a job that is tried again."""
    return (
        "job %s (%s, queue %s) failed at attempt %d, tried again in %.1f s: %s: %s",
        failed.id,
        failed.job,
        failed.queue,
        failed.attempt,
        failed.retry_in_s,
        failed.error.type,
        failed.error.message,
    )


def line_of_note(failed: JobFailed) -> tuple[str, *tuple[object, ...]]:
    """The line, at WARNING, of one whose backoff could not be used."""
    return ("job %s (%s): %s", failed.id, failed.job, failed.note)


def line_of_death(died: JobDied) -> tuple[str, *tuple[object, ...]]:
    """The line, at ERROR, of a job that is dead."""
    return (
        DEATH,
        died.id,
        died.job or "class unknown",
        died.queue,
        died.attempts,
        "attempt" if died.attempts == 1 else "attempts",
        died.reason.rstrip("."),
        _when(died) if died.found_after_crash else "",
        _with_newline(died.error.traceback if died.error is not None else ""),
        died.id,
        died.id,
    )


def _when(died: JobDied) -> str:
    at = datetime.fromtimestamp(died.at, UTC)
    return f" It died at {at:%Y-%m-%d %H:%M:%S} UTC; whoever buried it ended before it could say so."


def _with_newline(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
