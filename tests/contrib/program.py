"""A program whose job dies, with reports to a service: `python -m tests.contrib.program <service> <address>`.

In a process of its own, since these clients change what belongs to the whole process.
"""

from __future__ import annotations

import importlib
import logging
import sys
from typing import TYPE_CHECKING

from exqueue import Enqueue, ExqueueSystem, StartWorker

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue import JobDied

DEATHS = 3
KEY = "a-key"


class SendEmail:
    """Can't reach its server."""

    max_retries = 0

    def perform(self, *, to: str) -> None:
        """Fail."""
        raise ConnectionRefusedError("mail.example.com refused it")


def sentry(address: str) -> Callable[[JobDied], object]:
    """Set up as in its manual, with the integrations that it brings."""
    sdk = importlib.import_module("sentry_sdk")
    sdk.init(dsn=f"http://{KEY}@{address}/1", shutdown_timeout=2)
    report: Callable[[JobDied], object] = importlib.import_module("exqueue.contrib.sentry").reporter()
    return report


def honeybadger(address: str) -> Callable[[JobDied], object]:
    """Set up as in its manual."""
    client = importlib.import_module("honeybadger").honeybadger
    client.configure(api_key=KEY, endpoint=f"http://{address}", environment="production")
    report: Callable[[JobDied], object] = importlib.import_module("exqueue.contrib.honeybadger").reporter()
    return report


def main() -> None:
    """Let jobs die, then stop."""
    service, address = sys.argv[1:]
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    with ExqueueSystem.start(
        "memory://", node="office", report={"sentry": sentry, "honeybadger": honeybadger}[service](address)
    ) as system:
        system.ask(StartWorker(SendEmail))
        for number in range(DEATHS):
            system.ask(Enqueue(SendEmail, {"to": "tea-at-dawn"}, id=f"mail-{number}"))
        system.drain()


if __name__ == "__main__":
    main()
