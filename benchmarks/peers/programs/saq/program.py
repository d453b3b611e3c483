"""SAQ: one process, one event loop; `ttl=-1` keeps no results.

Settings: https://saq-py.readthedocs.io/en/latest/ and its README (`concurrency`, `ttl`, `timeout`, `retries`,
`heartbeat`). As shipped a job of a killed worker is lost, since `retries` is 1: 3 here. What was abandoned is found
when its `timeout` is over: 30 s here, so that jobs which the test of a kill holds have to end after 20 s.
"""

import os
from typing import Any

from console import become
from peer import HELD_S, run_async
from saq import Queue

queue = Queue.from_url(os.environ["PEER_URL"])


async def send(context: dict[str, Any], *, to: str, title: str, text: str) -> None:
    """Do the job."""
    await run_async(text)


settings = {"queue": queue, "functions": [send], "concurrency": int(os.environ.get("PEER_SLOTS", "10"))}


async def opened() -> None:
    """Connect."""
    await queue.connect()


async def closed() -> None:
    """Disconnect."""
    await queue.disconnect()


async def enqueue(arguments: dict[str, str]) -> None:
    """Store one job."""
    sleep_s, _, enqueued_ns = arguments["text"].partition("/")
    if float(sleep_s) >= HELD_S:
        arguments |= {"text": f"20/{enqueued_ns}"}
    await queue.enqueue("send", **arguments, ttl=-1, timeout=30, retries=3)


def work(slots: int) -> None:
    """Work until SIGTERM; the command has no option for the slots: `settings` reads them from the environment."""
    become("saq", "program.settings", "--quiet")
