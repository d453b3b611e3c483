"""Deaths of jobs to Honeybadger: ``ExqueueSystem.start(url, report=exqueue.contrib.honeybadger.reporter())``.

It uses the client that the program has configured (``honeybadger.configure``), with its filters. Arguments of jobs are
not sent.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.request import Request, urlopen

from exqueue.contrib.frames import frames_of

try:
    from honeybadger import connection, honeybadger
except ImportError as missing:
    raise ImportError("exqueue.contrib.honeybadger needs its client: pip install 'exqueue[honeybadger]'") from missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue import JobDied

SEND_TIMEOUT_S: Final = 5.0
"""How long sending one report may take."""


def reporter(client: Any = honeybadger) -> Callable[[JobDied], None]:
    """Return what to give as ``report=``; what can't be sent raises there, and is said in the log.

    Args:
        client: of the type of the one that the package makes.
    """

    def report(died: JobDied) -> None:
        # Its configuration as it is now; the client itself belongs to the program and stays as it is.
        mine = copy.copy(client)
        if client._connection() is connection:  # noqa: SLF001 - else it only says what it would send, as in development
            mine._connection = lambda: _Connection(died)  # noqa: SLF001 - the one place where what is sent can be bounded
        error = died.error
        mine.notify(
            error_class=f"{died.job or 'job'} is dead" if error is None else error.type,
            error_message=died.reason if error is None else error.message or error.type,
            context=_context(died),
            # One fault a job class and error type, whatever the id and message.
            fingerprint=f"exqueue {died.job} {'' if error is None else error.type}",
            tags=["exqueue", died.queue],
        )

    return report


class _Connection:
    """Sends in the thread that reports and with a time limit.

    The client's own starts a thread for each notice, without one: a server that hangs would collect them.
    """

    def __init__(self, died: JobDied) -> None:
        self._died = died

    def send_notice(self, config: Any, notice: Any) -> Any:
        """See ``honeybadger.connection.send_notice``."""
        if not config.api_key:
            raise ValueError("Honeybadger has no API key: honeybadger.configure(api_key=...)")
        payload = notice.payload
        error = self._died.error
        # The client takes the lines of whoever reports.
        payload["error"]["backtrace"] = [
            {"file": frame.file, "number": frame.line, "method": frame.function}
            for frame in reversed(frames_of("" if error is None else error.traceback))
        ]
        headers = {"X-Api-Key": config.api_key, "Content-Type": "application/json", "Accept": "application/json"}
        data = json.dumps(payload, default=repr).encode()
        request = Request(f"{config.endpoint}/v1/notices/", data=data, headers=headers)  # noqa: S310 - the program's own
        with urlopen(request, timeout=SEND_TIMEOUT_S):  # noqa: S310 - as above; it raises unless it was accepted
            return payload["error"].get("token")


def _context(died: JobDied) -> dict[str, object]:
    return {
        "id": died.id,
        "job": died.job,
        "queue": died.queue,
        "node": died.node,
        "attempts": died.attempts,
        "recoveries": died.recoveries,
        "reason": died.reason,
        "found_after_crash": died.found_after_crash,
        "traceback": "" if died.error is None else died.error.traceback,
        "retry": f"system.tell(RetryDead({died.id!r}))",
    }
