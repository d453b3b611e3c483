"""arq: one process, one event loop, results off.

Settings: https://arq-docs.helpmanual.io/#arq.worker.Worker (`max_jobs`, `poll_delay`, `keep_result`). It polls: as
shipped twice a second, which bounds everything that is not a long line, so 10 ms here; the price is seen in idle.
Recovery is left as it comes: `job_timeout` of 300 s and 10 s more.
"""

import os
from typing import Any

from arq import create_pool, func
from arq.connections import ArqRedis, RedisSettings
from arq.worker import Worker
from peer import run_async

SETTINGS = RedisSettings.from_dsn(os.environ["PEER_URL"])
pools: list[ArqRedis] = []


async def send(context: dict[Any, Any], *, to: str, title: str, text: str) -> None:
    """Do the job."""
    await run_async(text)


async def opened() -> None:
    """Connect."""
    pools.append(await create_pool(SETTINGS))


async def closed() -> None:
    """Disconnect."""
    await pools.pop().aclose()


async def enqueue(arguments: dict[str, str]) -> None:
    """Store one job."""
    await pools[0].enqueue_job("send", **arguments)


def work(slots: int) -> None:
    """Work until SIGTERM."""
    functions = [func(send, keep_result=0)]
    Worker(functions, redis_settings=SETTINGS, max_jobs=slots, poll_delay=0.01, log_results=False).run()
