"""How long a job waits for its beginning: alone, on a node that has just started, and when 100,000 fall due at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from benchmarks.rig import records
from benchmarks.rig.figures import Reading
from benchmarks.rig.programs import worker
from benchmarks.rig.records import NS, percentile

if TYPE_CHECKING:
    from benchmarks.rig.records import Record
    from benchmarks.stage import Place, Stage

RATE: Final = 50.0
SAMPLES_A_REPETITION: Final = 400
DUE: Final = 100_000
DUE_WITHIN_S: Final = 60.0
DURING_S: Final = 6.0
ALONE_S, STORED_A_SECOND = 4.0, 12_000
"""So long before they fall due their storing begins, and is ended even by a slow machine."""
OTHER: Final = "other"
WORKERS: Final = 10
MILLI: Final = 1e3
P99: Final = 0.99


def latency(stage: Stage) -> list[Reading]:
    """From before the enqueue to the beginning of ``perform``, 50 jobs a second, in processes of their own."""
    with stage.place() as place:
        raw_ms = MILLI / stage.raw()
        with worker(place.given(workers=WORKERS), stage.cpu, place.records):
            seconds = stage.seconds(SAMPLES_A_REPETITION / RATE)
            stored = stage.result_of("paced", place, rate=RATE, seconds=seconds)
            waits = latencies_ms(_await(place, stored))
        return [
            Reading("latency, p50", "ms", percentile(waits, 0.5), raw_ms),
            Reading("latency, p99", "ms", percentile(waits, P99), raw_ms),
        ]


def first_job(stage: Stage) -> list[Reading]:
    """From the start of a Python process to the beginning of the first job, which waits for it."""
    with stage.place() as place:
        stage.result_of("bulk", place, jobs=1)
        begun_ns = time.monotonic_ns()
        with worker(place.given(workers=WORKERS), stage.cpu, place.records):
            first = _await(place, 1)[0]
        return [Reading("start of the process to first job", "s", (first.begun_ns - begun_ns) / NS)]


def due_at_once(stage: Stage) -> list[Reading]:
    """Many jobs fall due within one second; another queue of the node gets 50 a second all the while."""
    jobs = stage.scaled(DUE)
    with stage.place() as place, worker(place.given(workers=WORKERS, beside=OTHER), stage.cpu, place.records):
        first = float(stage.result_of("fall_due", place, jobs=jobs, in_s=ALONE_S + jobs / STORED_A_SECOND))
        left = first - time.time()
        if left < 1.0:
            raise RuntimeError("the jobs fell due while they were stored: give them more time")
        time.sleep(left - 0.5)
        stored = stage.result_of("paced", place, rate=RATE, seconds=DURING_S, queue=OTHER)
        done = _await(place, jobs + stored)
    # Marks of the paced ones are times, far above any number.
    beside = [each for each in done if each.mark > jobs]
    falling = sorted((each for each in done if each.mark <= jobs), key=lambda each: each.begun_ns)
    return [
        Reading("due in one second: another queue's p99", "ms", percentile(latencies_ms(beside), P99)),
        Reading("due in one second: started out of turn", "jobs", out_of_turn(falling, WORKERS)),
        Reading("due in one second: started", "jobs/s", records.rate(falling)),
    ]


def out_of_turn(done: list[Record], workers: int) -> int:
    """How many jobs began before others that were due before them, or long after others that were due later.

    A thread that the system holds up begins its job late, and makes all others early by one place: so a job may be
    early by twice the number of threads, and late by a hundredth of all.

    Args:
        done: in the order in which they began; ``mark`` is the place in which they fell due, from 0.
        workers: the threads that ran them.
    """
    early, late = 2 * workers, max(2 * workers, len(done) // 100)
    return sum(not -late <= each.mark - place <= early for place, each in enumerate(done))


def latencies_ms(done: list[Record]) -> list[float]:
    """From the mark, which is when its enqueue began, to the beginning of each."""
    return [(each.begun_ns - each.mark) / NS * MILLI for each in done]


def _await(place: Place, jobs: int) -> list[Record]:
    deadline = time.monotonic() + DUE_WITHIN_S
    while records.count(place.records) < jobs:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{records.count(place.records)} of {jobs} jobs ran within {DUE_WITHIN_S:g} s")
        time.sleep(0.01)
    return records.read(place.records)
