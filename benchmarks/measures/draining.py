"""Working off what was stored before, and what is stored meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.rig import records
from benchmarks.rig.figures import Reading
from benchmarks.rig.procfs import cpu_s
from benchmarks.rig.programs import result_of, worker

if TYPE_CHECKING:
    from benchmarks.rig.programs import Program
    from benchmarks.stage import Place, Stage

JOBS: Final = 20_000
WITHIN_S: Final = 120.0
SETTLED_WITHIN_S: Final = 5.0
PAYLOADS: Final = {"100 B": (100, 20_000), "10 kB": (10_000, 10_000), "500 kB": (500_000, 300)}
SLEEP_S: Final = 0.01
MIXED_S: Final = 1.5
MICRO: Final = 1e6


@dataclass(frozen=True, slots=True)
class Load:
    """What is drained: so many jobs, over so many queues with so many workers each; bytes of text, seconds of sleep."""

    jobs: int
    workers: int
    queues: int = 1
    size: int = 0
    sleep_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Drained:
    """Jobs a second from the first to the last, and seconds of CPU a job of the node meanwhile."""

    rate: float
    cpu_s: float


def with_one_worker(stage: Stage) -> list[Reading]:
    """Jobs that do nothing but write."""
    return [_against_raw(stage, "drain, 1 worker", Load(stage.scaled(JOBS), 1))]


def with_ten_workers(stage: Stage) -> list[Reading]:
    """As with one; and what a job costs the node."""
    with stage.place() as place:
        raw = stage.raw()
        drained = drain(stage, place, Load(stage.scaled(JOBS), 10))
        return [
            Reading("drain, 10 workers", "jobs/s", drained.rate, raw),
            Reading("worker CPU a job", "us", drained.cpu_s * MICRO),
        ]


def with_fifty_workers(stage: Stage) -> list[Reading]:
    """As with one."""
    return [_against_raw(stage, "drain, 50 workers", Load(stage.scaled(JOBS), 50))]


def many_queues(stage: Stage) -> list[Reading]:
    """The same number of jobs in more queues, of one worker each."""
    jobs = stage.scaled(JOBS)
    return [_against_raw(stage, f"drain, {n} queues x 1 worker", Load(jobs, 1, queues=n)) for n in (10, 100)]


def payloads(stage: Stage) -> list[Reading]:
    """Ten workers, texts of several sizes."""
    return [
        _against_raw(stage, f"drain, {name}", Load(stage.scaled(jobs), 10, size=size))
        for name, (size, jobs) in PAYLOADS.items()
    ]


def short_jobs(stage: Stage) -> list[Reading]:
    """Jobs of 10 ms, beside as many bare threads that sleep as long."""
    readings = []
    for workers in (10, 50):
        with stage.place() as place:
            arguments = {"threads": workers, "sleep_s": SLEEP_S, "seconds": stage.seconds(0.6)}
            bare = float(result_of("bare_threads", arguments, stage.cpu, place.records))
            jobs = int(stage.seconds(1.2) * workers / SLEEP_S)
            drained = drain(stage, place, Load(jobs, workers, sleep_s=SLEEP_S))
            readings.append(Reading(f"10 ms jobs, {workers} workers", "jobs/s", drained.rate, bare))
    return readings


def mixed(stage: Stage) -> list[Reading]:
    """One process stores from four threads and works with ten workers at the same time."""
    with stage.place() as place:
        raw = stage.raw()
        stored = stage.result_of("mixed", place, seconds=stage.seconds(MIXED_S), workers=10, threads=4)
        done = records.read(place.records)
        if len(done) != stored:
            raise RuntimeError(f"{stored} jobs were stored and {len(done)} ran")
        return [Reading("enqueue from 4 threads and drain at once", "jobs/s", records.rate(done), raw)]


def drain(stage: Stage, place: Place, load: Load) -> Drained:
    """Store the jobs, then start a node and see them run and settled.

    Raises:
        RuntimeError: a job ran twice, or was not settled soon after the last one had run.
    """
    stage.result_of("bulk", place, jobs=load.jobs, queues=load.queues, size=load.size)
    given = place.given(workers=load.workers, queues=load.queues, sleep_s=load.sleep_s)
    with worker(given, stage.cpu, place.records) as node:
        node.await_truth(lambda: records.count(place.records) > 0, WITHIN_S)
        before, spent = records.count(place.records), cpu_s(node.pid)
        node.await_truth(lambda: records.count(place.records) >= load.jobs, WITHIN_S)
        spent = cpu_s(node.pid) - spent
        _see_settled(node, place)
    done = records.read(place.records)
    if len(done) != load.jobs:
        raise RuntimeError(f"{load.jobs} jobs were stored and {len(done)} ran")
    return Drained(records.rate(done), spent / max(1, load.jobs - before))


def _see_settled(node: Program, place: Place) -> None:
    node.await_truth(lambda: place.unfinished() == 0, SETTLED_WITHIN_S)


def _against_raw(stage: Stage, name: str, load: Load) -> Reading:
    with stage.place() as place:
        raw = stage.raw()
        return Reading(name, "jobs/s", drain(stage, place, load).rate, raw)
