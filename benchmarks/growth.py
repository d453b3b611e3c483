"""What one exchange costs with some 1,000 and with 200,000 jobs, ready and scheduled, as a ratio in one run.

    python benchmarks/growth.py redis://...|sqlite:///... [jobs]

Exits with 1 when an exchange of ten jobs costs more than `MOST` times as much in the long queue as in the short one.
"""

from __future__ import annotations

import secrets
import statistics
import sys
import time
from typing import TYPE_CHECKING

from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import MAX_BATCH, Done, Fence, Fetched, NewJob, Push

if TYPE_CHECKING:
    from exqueue.persistence.base import Session

RECORD = b"x" * 75
SHORT, LONG = 1_000, 200_000
WANT = 10
ROUNDS, PAIRS = 50, 9
MOST = 1.3
IN_AN_HOUR_MS = 3_600_000


class Queue:
    """A queue with ``jobs`` ready and as many scheduled jobs, and its owner."""

    def __init__(self, session: Session, jobs: int) -> None:
        self.name = f"growth-{jobs}"
        self._session = session
        self._fence = Fence(1, "growth")
        self._running: tuple[Fetched, ...] = ()
        self._call = 0
        session.claim(self.name, self._fence, 1)
        for start in range(0, jobs, MAX_BATCH):
            ids = [f"{number:016x}" for number in range(start, min(start + MAX_BATCH, jobs))]
            ready = tuple(NewJob(f"r{i}", RECORD) for i in ids)
            waiting = tuple(NewJob(f"w{i}", RECORD, IN_AN_HOUR_MS / 1_000) for i in ids)
            self.push(start * 2 + 1, ready)
            self.push(start * 2 + 2, waiting)

    def push(self, n: int, jobs: tuple[NewJob, ...]) -> None:
        """Store these."""
        answers = self._session.push("growth", [Push(self.name, n, jobs)])
        if answers != (None,):
            raise RuntimeError(answers)

    def exchange_s(self) -> float:
        """Seconds an exchange takes that settles and fetches ten jobs."""
        begun = time.perf_counter()
        for _ in range(ROUNDS):
            self._call += 1
            done = [Done(job.id, job.run) for job in self._running]
            self._running = self._session.exchange(self.name, self._fence, 1, self._call, done, WANT, serial=False).jobs
            if len(self._running) != WANT:
                raise RuntimeError("the queue ran empty: the two cannot be compared")
        return (time.perf_counter() - begun) / ROUNDS


def main() -> int:
    """Measure the two in turn, print, and say whether the long queue costs more."""
    long = int(sys.argv[2]) if len(sys.argv) > 2 else LONG  # noqa: PLR2004 - the command line
    store = open_persistence(sys.argv[1], namespace=f"growth-{secrets.token_hex(4)}")
    session = store.session(timeout=30)
    short_queue, long_queue = Queue(session, PAIRS * ROUNDS * WANT + SHORT), Queue(session, long)
    ratios = []
    for _ in range(PAIRS):
        short_s, long_s = short_queue.exchange_s(), long_queue.exchange_s()
        ratios.append(long_s / short_s)
        print(f"exchange of {WANT} jobs: short queue {short_s * 1e6:6.0f} us, long {long_s * 1e6:6.0f} us")
    store.close()
    ratio = statistics.median(ratios)
    short = f"{SHORT:,} to {SHORT + PAIRS * ROUNDS * WANT:,}"
    print(f"an exchange at {long:,} jobs costs {ratio:.2f} x one at {short} (at most {MOST})")
    return 0 if ratio <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
