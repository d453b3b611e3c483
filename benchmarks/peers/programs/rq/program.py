"""RQ: a pool of `SimpleWorker`, one process a slot, since it has no threads; `result_ttl=0` keeps no results.

Settings: https://python-rq.org/docs/workers/ ("Performance Notes": a worker that does not fork for each job;
"Worker Pools") and https://python-rq.org/docs/ ("Bulk Job Enqueueing"). `Retry` makes it run abandoned jobs again.
"""

import os

from console import become
from peer import run
from redis import Redis
from rq import Queue, Retry

queue = Queue("peers", connection=Redis.from_url(os.environ["PEER_URL"]))


def send(*, to: str, title: str, text: str) -> None:
    """Do the job."""
    run(text)


def enqueue(arguments: dict[str, str]) -> None:
    """Store one job."""
    queue.enqueue("program.send", kwargs=arguments, result_ttl=0, job_timeout=600, retry=Retry(max=3))


def bulk(many: list[dict[str, str]]) -> None:
    """Store a batch."""
    queue.enqueue_many(
        [Queue.prepare_data("program.send", kwargs=one, result_ttl=0, timeout=600, retry=Retry(max=3)) for one in many]
    )


def work(slots: int) -> None:
    """Work until SIGTERM."""
    url = os.environ["PEER_URL"]
    become("rq", "worker-pool", "peers", "--url", url, "-n", str(slots), "-w", "rq.worker.SimpleWorker", "--quiet")
