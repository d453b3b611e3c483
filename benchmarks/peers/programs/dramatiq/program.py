"""Dramatiq on Redis: one process, as many threads as slots; results are off unless asked for.

Settings: https://dramatiq.io/guide.html (`--processes`, `--threads`) and https://dramatiq.io/advanced.html
("Prefetch Limits": `dramatiq_queue_prefetch`, which the catalogue sets for the second of its two variants).
Recovery is left as it comes: 60 s without a heartbeat, and then by chance, at one command in a thousand.
"""

import os

import dramatiq
from console import become
from dramatiq.brokers.redis import RedisBroker
from peer import run

broker = RedisBroker(url=os.environ["PEER_URL"])
dramatiq.set_broker(broker)


@dramatiq.actor
def send(to: str, title: str, text: str) -> None:
    """Do the job."""
    run(text)


def enqueue(arguments: dict[str, str]) -> None:
    """Store one job."""
    send.send(**arguments)


def work(slots: int) -> None:
    """Work until SIGTERM."""
    become("dramatiq", "program", "--processes", "1", "--threads", str(slots))
