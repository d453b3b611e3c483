"""Taskiq on a Redis stream: one worker process, one event loop; there is no result backend unless one is added.

Settings: https://taskiq-python.github.io/guide/cli.html (`--workers`, `--max-async-tasks`) and
https://taskiq-python.github.io/available-components/brokers.html (of the brokers of taskiq-redis only the streams
acknowledge). Recovery is left as it comes: a message is claimed when it is idle for `idle_timeout`, 600 s.
"""

import os

from console import become
from peer import run_async
from taskiq_redis import RedisStreamBroker

broker = RedisStreamBroker(url=os.environ["PEER_URL"])


@broker.task(task_name="send")
async def send(*, to: str, title: str, text: str) -> None:
    """Do the job."""
    await run_async(text)


async def opened() -> None:
    """Connect."""
    await broker.startup()


async def closed() -> None:
    """Disconnect."""
    await broker.shutdown()


async def enqueue(arguments: dict[str, str]) -> None:
    """Store one job."""
    await send.kiq(**arguments)


def work(slots: int) -> None:
    """Work until SIGTERM."""
    quiet = ("--log-level", "WARNING")
    become("taskiq", "worker", "program:broker", "--workers", "1", "--max-async-tasks", str(slots), *quiet)
