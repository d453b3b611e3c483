"""Storing jobs: one call each, from several threads, in batches, small and large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.rig.figures import Reading

if TYPE_CHECKING:
    from benchmarks.stage import Stage

ENQUEUE_S: Final = 0.8
BULK: Final = 100_000
PAYLOADS: Final = {"100 B": (100, 0.5), "10 kB": (10_000, 0.5), "500 kB": (500_000, 0.5)}


def one_by_one(stage: Stage) -> list[Reading]:
    """One thread, one call a job."""
    return [_timed(stage, "enqueue, one thread", threads=1)]


def from_eight_threads(stage: Stage) -> list[Reading]:
    """Eight threads of one process, one call a job."""
    return [_timed(stage, "enqueue, 8 threads", threads=8)]


def in_batches(stage: Stage) -> list[Reading]:
    """Batches of 1,000."""
    with stage.place() as place:
        raw = stage.raw()
        return [Reading("enqueue, batches of 1,000", "jobs/s", stage.result_of("bulk", place, jobs=_bulk(stage)), raw)]


def payloads(stage: Stage) -> list[Reading]:
    """One thread, texts of several sizes."""
    return [_timed(stage, f"enqueue, {name}", size=size, seconds=seconds) for name, (size, seconds) in PAYLOADS.items()]


def _bulk(stage: Stage) -> int:
    return max(5_000, stage.scaled(BULK))


def _timed(stage: Stage, name: str, *, threads: int = 1, size: int = 0, seconds: float = ENQUEUE_S) -> Reading:
    with stage.place() as place:
        raw = stage.raw()
        rate = stage.result_of("enqueue", place, seconds=stage.seconds(seconds), size=size, threads=threads)
        return Reading(name, "jobs/s", rate, raw)
