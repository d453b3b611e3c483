"""What is measured of one peer at a time, in each mode and repetition."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.peers.catalogue import SETTLE_S
from benchmarks.peers.processes import NotMeasured, await_truth
from benchmarks.rig import records
from benchmarks.rig.records import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.peers.stage import Stage

SLEEP_S: Final = 0.01
SLOTS: Final = 10
MANY_SLOTS: Final = 50
RATE: Final = 50
WARM_JOBS: Final = 20
LATE_S: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is done for one figure: jobs by number, windows in seconds."""

    enqueued: int = 40_000
    enqueue_s: float = 2.0
    bulk: int = 60_000
    bulk_s: float = 2.0
    drain_s: float = 2.5
    sleep_s: float = 1.5
    samples: int = 200
    idle_s: float = 20.0
    idle_settles_s: float = 5.0
    repetitions: int = 3
    cap_s: float = 120.0


FULL: Final = Sizes()
QUICK: Final = Sizes(
    enqueued=3_000,
    enqueue_s=1.0,
    bulk=3_000,
    bulk_s=1.0,
    drain_s=1.5,
    sleep_s=1.0,
    samples=50,
    idle_s=4.0,
    idle_settles_s=2.0,
    repetitions=1,
    cap_s=20.0,
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of one peer; without a value, ``why`` says what is missing."""

    measure: str
    unit: str
    value: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Worked:
    """What a worker did: its jobs a second, what a job cost it and how much memory it had in the end."""

    rate: float
    cpu_us_a_job: float
    pss_bytes: int


def worked(stage: Stage, slots: int, stored: int, window_s: float) -> Worked:
    """Let a worker do what is stored, at most for so long; its start-up is not counted.

    Raises:
        NotMeasured: it does not work.
    """
    with stage.worker(slots) as worker:
        stage.await_records(worker, 1)
        await_truth(lambda: records.count(stage.records) >= stored // 2, stage.peer.settle_s(slots))
        skipped, cpu_s = records.count(stage.records), worker.cpu_s()
        await_truth(lambda: records.count(stage.records) >= stored or worker.has_ended, window_s)
        jobs, cpu_s, pss = records.count(stage.records), worker.cpu_s() - cpu_s, worker.pss_bytes()
    if jobs <= skipped:
        raise NotMeasured(f"it stopped after {jobs} of {stored} jobs: {worker.said}")
    rate = records.rate(records.read(stage.records)[max(0, skipped - 1) : jobs])
    return Worked(rate, cpu_s / (jobs - skipped) * 1e6, pss)


def store_and_drain(stage: Stage, sizes: Sizes) -> Iterator[Figure]:
    """Enqueue one by one, bytes a waiting job, bulk, and then drain all of that with ten slots."""
    is_redis = stage.peer.store == "redis"
    before = stage.server.used_bytes() if is_redis else 0
    offered = stage.offer("enqueue", jobs=sizes.enqueued, seconds=sizes.enqueue_s)
    stored = offered.stored
    yield Figure("enqueue", "jobs/s", offered.rate)
    if is_redis:
        yield Figure("bytes a waiting job", "B", (stage.server.used_bytes() - before) / stored)
    else:
        yield Figure("bytes a waiting job", "B", None, "none: it needs no server")
    if stage.peer.has_bulk:
        offered = stage.offer("bulk", jobs=sizes.bulk, seconds=sizes.bulk_s)
        stored += offered.stored
        yield Figure("bulk", "jobs/s", offered.rate)
    else:
        yield Figure("bulk", "jobs/s", None, "none: one call stores one job")
    drained = worked(stage, SLOTS, stored, sizes.drain_s)
    yield Figure("drain, 10 workers", "jobs/s", drained.rate)
    yield Figure("worker CPU a job", "us", drained.cpu_us_a_job)
    yield Figure("worker memory (PSS)", "MB", drained.pss_bytes / 1e6)


def sleepers(slots: int) -> Callable[[Stage, Sizes], Iterator[Figure]]:
    """Jobs that sleep 10 ms, in so many slots."""

    def measure(stage: Stage, sizes: Sizes) -> Iterator[Figure]:
        ideal = slots / SLEEP_S
        stored = stage.fill(int(ideal * (sizes.sleep_s + SETTLE_S)), SLEEP_S)
        rate = worked(stage, slots, stored, sizes.sleep_s).rate
        yield Figure(f"10 ms jobs, {slots} workers", "% of ideal", 100 * rate / ideal)

    return measure


def latency(stage: Stage, sizes: Sizes) -> Iterator[Figure]:
    """From before the enqueue to the beginning of the job, at 50 jobs a second."""
    with stage.worker(SLOTS) as worker:
        stage.offer("enqueue", jobs=WARM_JOBS - 1)
        stage.await_records(worker, WARM_JOBS)
        # The processes of a pool that are still starting would be in the way.
        await_truth(lambda: worker.has_ended, stage.peer.settle_s(SLOTS))
        stage.forget_records()
        stored = stage.offer("enqueue", jobs=sizes.samples, rate=RATE).stored
        await_truth(lambda: records.count(stage.records) >= stored, LATE_S)
    found = [(each.begun_ns - each.mark) / 1e6 for each in records.read(stage.records)]
    if len(found) < stored:
        raise NotMeasured(f"{stored - len(found)} of {stored} jobs had not run {LATE_S:.0f} s after the last enqueue")
    yield Figure("latency p50", "ms", percentile(found, 0.5))
    yield Figure("latency p99", "ms", percentile(found, 0.99))


GROUPS: Final[tuple[tuple[tuple[str, ...], Callable[[Stage, Sizes], Iterator[Figure]]], ...]] = (
    (
        ("enqueue", "bytes a waiting job", "bulk", "drain, 10 workers", "worker CPU a job", "worker memory (PSS)"),
        store_and_drain,
    ),
    (("10 ms jobs, 10 workers",), sleepers(SLOTS)),
    (("10 ms jobs, 50 workers",), sleepers(MANY_SLOTS)),
    (("latency p50", "latency p99"), latency),
)


def measure(stage: Stage, sizes: Sizes) -> Iterator[Figure]:
    """All of it; what fails is said in its place, and does not keep the rest from being measured."""
    for names, group in GROUPS:
        begun, found = time.monotonic(), set()
        try:
            stage.clear()
            for figure in group(stage, sizes):
                found.add(figure.measure)
                yield figure
        except (NotMeasured, ValueError, OSError) as error:  # OSError: a process ended while it was looked at.
            for name in names:
                if name not in found:
                    yield Figure(name, "", None, f"failed after {time.monotonic() - begun:.0f} s: {error}")
    stage.clear()
