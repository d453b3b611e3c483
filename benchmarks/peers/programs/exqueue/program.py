"""Exqueue itself, as it comes: on Redis or SQLite, durable, acknowledged after the run, with fences and supervision."""

import os

from peer import run

from exqueue import Enqueue, EnqueueMany, ExqueueSystem, StartWorker, SystemRef

systems: list[SystemRef] = []


class Send:
    """The job."""

    def perform(self, *, to: str, title: str, text: str) -> None:
        """Do it."""
        run(text)


async def opened() -> None:
    """Connect."""
    systems.append(ExqueueSystem.start(os.environ["PEER_URL"]))


async def closed() -> None:
    """Disconnect."""
    systems.pop().stop()


def enqueue(arguments: dict[str, str]) -> None:
    """Store one job."""
    systems[0].ask(Enqueue(Send, arguments))


def bulk(many: list[dict[str, str]]) -> None:
    """Store a batch."""
    systems[0].ask(EnqueueMany([Enqueue(Send, one) for one in many]))


def work(slots: int) -> None:
    """Work until SIGTERM."""
    system = ExqueueSystem.start(os.environ["PEER_URL"])
    system.ask(StartWorker(Send, concurrency=slots))
    system.run()
