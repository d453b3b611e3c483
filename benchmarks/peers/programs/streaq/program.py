"""streaQ: one process, one event loop; `ttl=0` keeps no results, `silent` logs no jobs.

Settings: https://streaq.readthedocs.io/en/latest/worker.html (`concurrency`, `prefetch`, which is as many as there are
slots unless said otherwise) and https://streaq.readthedocs.io/en/latest/task.html (`ttl`, `silent`, `enqueue_many`).
Recovery is left as it comes: `idle_timeout`, 60 s.
"""

import os

from console import become
from peer import run_async
from streaq import Worker

worker: Worker[None] = Worker(
    redis_url=os.environ["PEER_URL"], queue_name="peers", concurrency=int(os.environ.get("PEER_SLOTS", "10"))
)


@worker.task(ttl=0, silent=True)
async def send(*, to: str, title: str, text: str) -> None:
    """Do the job."""
    await run_async(text)


async def opened() -> None:
    """Connect."""
    await worker.__aenter__()


async def closed() -> None:
    """Disconnect."""
    await worker.__aexit__(None, None, None)


async def enqueue(arguments: dict[str, str]) -> None:
    """Store one job."""
    await send.enqueue(**arguments)


async def bulk(many: list[dict[str, str]]) -> None:
    """Store a batch."""
    await worker.enqueue_many([send.enqueue(**one) for one in many])


def work(slots: int) -> None:
    """Work until SIGTERM; the command has no option for the slots: the worker reads them from the environment."""
    become("streaq", "run", "program:worker")
