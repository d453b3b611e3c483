"""Drain and enqueue, as ratios to one thread's raw EVALSHA or INSERT in the same run.

    python benchmarks/smoke.py redis://...|sqlite:///... [jobs]

Exits with 1 when a floor is not reached: drain 0.9, enqueue one by one 0.4.
"""

from __future__ import annotations

import secrets
import sys
import time

from raw import raw_rate

from exqueue import Enqueue, EnqueueMany, ExqueueSystem, StartWorker

DRAIN_FLOOR = 0.9
ENQUEUE_FLOOR = 0.4
ARGUMENTS = {"to": "info@example.com", "title": "Hello", "text": "Hello, there!"}


class SendNothing:
    """Does nothing, so that only Exqueue's own work is measured."""

    concurrency = 10

    def perform(self, *, to: str, title: str, text: str) -> None:
        """Do nothing."""


def main() -> int:
    """Measure, print, and say whether the floors are reached."""
    url = sys.argv[1]
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 30_000  # noqa: PLR2004 - the command line
    with ExqueueSystem.start(url, namespace=f"smoke-{secrets.token_hex(4)}") as system:
        raw = raw_rate(url, 1.0)
        begun = time.perf_counter()
        for _ in range(jobs // 5):
            system.ask(Enqueue(SendNothing, ARGUMENTS))
        enqueue = (jobs // 5) / (time.perf_counter() - begun)
        for _ in range(jobs // 1_000):
            system.ask(EnqueueMany([Enqueue(SendNothing, ARGUMENTS) for _ in range(1_000)]))
        stored = jobs // 5 + jobs // 1_000 * 1_000
        begun = time.perf_counter()
        system.ask(StartWorker(SendNothing))
        system.drain(timeout=120)
        drain = stored / (time.perf_counter() - begun)
        raw = (raw + raw_rate(url, 1.0)) / 2
    print(f"raw               {raw:9,.0f}/s")
    print(f"enqueue           {enqueue:9,.0f}/s  {enqueue / raw:5.2f} x raw (floor {ENQUEUE_FLOOR})")
    print(f"drain, 10 workers {drain:9,.0f}/s  {drain / raw:5.2f} x raw (floor {DRAIN_FLOOR})")
    return 0 if drain >= DRAIN_FLOOR * raw and enqueue >= ENQUEUE_FLOOR * raw else 1


if __name__ == "__main__":
    sys.exit(main())
