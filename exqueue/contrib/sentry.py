"""Deaths of jobs to Sentry: ``ExqueueSystem.start(url, report=exqueue.contrib.sentry.reporter())``.

It uses the client that the program has set up with ``sentry_sdk.init``, which sends in a thread of its own, keeps a
bounded number of events and drops the rest. Arguments of jobs are not sent.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from exqueue.contrib.frames import frames_of

try:
    import sentry_sdk
    from sentry_sdk.integrations.logging import ignore_logger
except ImportError as missing:
    raise ImportError("exqueue.contrib.sentry needs Sentry's client: pip install 'exqueue[sentry]'") from missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentry_sdk.types import Event

    from exqueue import JobDied

LOGGER = "exqueue.deaths"
"""The logger of the lines about deaths."""


def reporter() -> Callable[[JobDied], None]:
    """Return what to give as ``report=``.

    From then on Sentry's own look at the log leaves out the lines about deaths, which would be the same once more.
    """
    ignore_logger(LOGGER)
    return _report


def _report(died: JobDied) -> None:
    sentry_sdk.capture_event(_event(died))


def _event(died: JobDied) -> Event:
    """The job's class and the type of its error make it one issue, whatever its id and message."""
    event: Event = {
        "level": "error",
        "logger": LOGGER,
        "timestamp": datetime.fromtimestamp(died.at, UTC),
        "transaction": died.job,
        "tags": {
            "exqueue.job": died.job,
            "exqueue.queue": died.queue,
            "exqueue.node": died.node,
            "exqueue.attempts": str(died.attempts),
        },
        "fingerprint": ["exqueue", died.job, "" if died.error is None else died.error.type],
        "contexts": {
            "exqueue": {
                "id": died.id,
                "reason": died.reason,
                "attempts": died.attempts,
                "recoveries": died.recoveries,
                "found_after_crash": died.found_after_crash,
                "traceback": "" if died.error is None else died.error.traceback,
                "retry": f"system.tell(RetryDead({died.id!r}))",
            }
        },
    }
    if died.error is None:
        event["message"] = f"{died.job or 'a job'} is dead: {died.reason}"
    else:
        frames = [
            {"filename": frame.file, "lineno": frame.line, "function": frame.function}
            for frame in frames_of(died.error.traceback)
        ]
        exception = {"type": died.error.type, "value": died.error.message, "stacktrace": {"frames": frames}}
        event["exception"] = {"values": [exception]}
    return event
