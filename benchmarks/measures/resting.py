"""What a node costs that has nothing to do, and what a job costs that waits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from benchmarks.rig.figures import Reading
from benchmarks.rig.procfs import cpu_s, pss_bytes
from benchmarks.rig.programs import worker

if TYPE_CHECKING:
    from benchmarks.stage import Stage

IDLE_S: Final = 12.0
SETTLES_S: Final = 3.0
WAITING: Final = 100_000
MEGA: Final = 1e6
PERCENT: Final = 100.0


def idle(stage: Stage) -> list[Reading]:
    """10 and 100 started queues of one worker each, without a job."""
    readings = []
    for queues in (10, 100):
        with stage.place() as place, worker(place.given(workers=1, queues=queues), stage.cpu, place.records) as node:
            time.sleep(SETTLES_S)
            before, begun = cpu_s(node.pid), time.monotonic()
            seconds = stage.seconds(IDLE_S)
            if stage.is_sqlite:
                time.sleep(seconds)
            else:
                commands = stage.server.client_commands_within(seconds)
                readings.append(Reading(f"idle, {queues} queues: commands", "a second", commands / seconds))
            share = (cpu_s(node.pid) - before) / (time.monotonic() - begun)
            readings.append(Reading(f"idle, {queues} queues: CPU", "%", share * PERCENT))
    return readings


def waiting_job(stage: Stage) -> list[Reading]:
    """The server's memory, before and after, by the number of jobs with records of 75 bytes."""
    with stage.place() as place:
        before, jobs = stage.server.used_bytes(), max(10_000, stage.scaled(WAITING))
        stage.result_of("bulk", place, jobs=jobs)
        return [Reading("memory of a waiting job", "B", (stage.server.used_bytes() - before) / jobs)]


def node_memory(stage: Stage) -> list[Reading]:
    """A started node with one queue of ten workers, after its first job."""
    with stage.place() as place:
        stage.result_of("bulk", place, jobs=10)
        with worker(place.given(workers=10), stage.cpu, place.records) as node:
            node.await_truth(lambda: place.unfinished() == 0, 10.0)
            return [Reading("memory of a node", "MB", pss_bytes(node.pid) / MEGA)]
