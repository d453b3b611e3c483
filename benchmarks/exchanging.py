"""What an exchange and a push cost in queues of several lengths, and what the longest calls are in a long one."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Final

from benchmarks.jobs import RECORD_BYTES
from exqueue import ExqueueSystem, GetStatus, ListJobs
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import MAX_BATCH, Done, Fence, Fetched, Leave, NewJob, Push

if TYPE_CHECKING:
    from exqueue.persistence.base import Session

RECORD: Final = b"x" * RECORD_BYTES
WANT: Final = 10
ROUNDS: Final = 50
BLOCKS: Final = 25
CALLER: Final = "growth"
MANY: Final = 1_000
FAR: Final = 1_000_000
"""How far back in the line a page is asked for."""


class Line:
    """A queue of a length that stays, and its owner: what one block takes out the next one has put back.

    Args:
        session: of the store.
        jobs: how many are ready.
    """

    def __init__(self, session: Session, jobs: int) -> None:
        self.name = line_name(jobs)
        self._session = session
        self._fence = Fence(1, CALLER)
        self._running: tuple[Fetched, ...] = ()
        self._call = 0
        self._pushed = 0
        session.claim(self.name, self._fence, 1)
        for start in range(0, jobs, MAX_BATCH):
            self.push(min(MAX_BATCH, jobs - start))

    def push(self, jobs: int) -> None:
        """Store so many more.

        Raises:
            RuntimeError: they were refused.
        """
        numbers = range(self._pushed, self._pushed + jobs)
        self._pushed += jobs
        # The last number is the next of this caller, since each push moves it on.
        answers = self._session.push(CALLER, [Push(self.name, self._pushed, tuple(_job(n) for n in numbers))])
        if answers != (None,):
            raise RuntimeError(answers)

    def exchange(self, want: int) -> None:
        """Settle what runs, and fetch so many.

        Raises:
            RuntimeError: the queue ran empty: the lengths cannot be compared then.
        """
        self._call += 1
        done = [Done(job.id, job.run) for job in self._running]
        self._running = self._session.exchange(self.name, self._fence, 1, self._call, done, want, serial=False).jobs
        if len(self._running) != want:
            raise RuntimeError(f"the queue {self.name} ran empty")

    def timed(self) -> tuple[float, float]:
        """Seconds an exchange and a push of ten take now."""
        begun = time.perf_counter()
        for _ in range(ROUNDS):
            self.exchange(WANT)
        between = time.perf_counter()
        for _ in range(ROUNDS):
            self.push(WANT)
        return (between - begun) / ROUNDS, (time.perf_counter() - between) / ROUNDS


def line_name(jobs: int) -> str:
    """That of the queue of this length."""
    return f"line-{jobs}"


def exchange_at(url: str, namespace: str, sizes: list[int]) -> list[tuple[float, float]]:
    """Medians of blocks that take turns, one pair of exchange and push a size, in seconds."""
    store = open_persistence(url, namespace=namespace)
    session = store.session(timeout=60)
    lines = [Line(session, size) for size in sizes]
    blocks = [[line.timed() for line in lines] for _ in range(BLOCKS)]
    store.close()
    return [
        (statistics.median(block[n][0] for block in blocks), statistics.median(block[n][1] for block in blocks))
        for n in range(len(sizes))
    ]


def ask_at_limits(url: str, namespace: str, queue: str, turn: int) -> None:
    """Push, exchange, give back and list as many at once as is allowed, and ask for the status.

    Args:
        url: of the store.
        namespace: of the queue.
        queue: a long one, whose fence is of epoch 1.
        turn: from 0, as each takes the queue over from the one before.
    """
    first, second = Fence(2 * turn + 2, CALLER), Fence(2 * turn + 3, CALLER)
    store = open_persistence(url, namespace=namespace)
    session = store.session(timeout=60)
    session.claim(queue, first, 1)
    session.exchange(queue, first, 1, 1, [], MAX_BATCH, serial=False)
    # Another fence puts back at once all that runs.
    session.claim(queue, second, 1)
    many = session.exchange(queue, second, 1, 1, [], MAX_BATCH, serial=False, leave=Leave(poison_from=MANY)).jobs
    session.exchange(queue, second, 1, 2, [Done(job.id, job.run) for job in many], MAX_BATCH, serial=False)
    late = tuple(_job(number, f"late-{turn}-") for number in range(MAX_BATCH))
    session.push("limits", [Push(queue, turn + 1, late)])
    store.close()
    with ExqueueSystem.start(url, namespace=namespace, ask_timeout=60) as system:
        system.ask(GetStatus())
        system.ask(ListJobs("ready", queue, limit=MAX_BATCH, offset=FAR))


def _job(number: int, prefix: str = "") -> NewJob:
    return NewJob(f"{prefix}{number:016x}", RECORD)
