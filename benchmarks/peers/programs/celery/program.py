"""Celery on Redis: one process with a pool of threads, acknowledged late, results ignored.

Settings: https://docs.celeryq.dev/en/stable/userguide/concurrency/index.html (threads),
https://docs.celeryq.dev/en/stable/userguide/optimizing.html (`worker_prefetch_multiplier` for short tasks,
`task_acks_late`) and https://docs.celeryq.dev/en/stable/userguide/workers.html (gossip and mingle are for several
workers). Recovery is left as it comes: a visibility timeout of an hour; a shorter one repeats jobs that are alive.
"""

import os

from celery import Celery
from console import become
from peer import run

app = Celery("program", broker=os.environ["PEER_URL"])
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=100,
    broker_connection_retry_on_startup=True,
)


@app.task(name="send")
def send(*, to: str, title: str, text: str) -> None:
    """Do the job."""
    run(text)


def enqueue(arguments: dict[str, str]) -> None:
    """Store one job."""
    send.apply_async(kwargs=arguments)


def work(slots: int) -> None:
    """Work until SIGTERM."""
    quiet = ("--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat")
    become("celery", "-A", "program", "worker", "--pool", "threads", "--concurrency", str(slots), *quiet)
