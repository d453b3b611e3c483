"""What takes waiting and no CPU, and is therefore measured of all peers at once, each with a server of its own."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from benchmarks.peers.measures import SLOTS, Figure, Sizes
from benchmarks.peers.processes import POLL_S, NotMeasured, WorkerProcess
from benchmarks.rig import records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.peers.stage import Stage

HELD_S: Final = 300.0
COMMANDS: Final = "idle commands"
CPU: Final = "idle CPU"
RUNNING_AGAIN: Final = "kill -9 to running again"


def idle(stages: Sequence[Stage], sizes: Sizes) -> list[tuple[str, Figure]]:
    """Commands a second, and CPU, of workers that have nothing to do."""
    found: list[tuple[str, Figure]] = []
    with contextlib.ExitStack() as stack:
        watched: list[tuple[Stage, WorkerProcess]] = []
        for stage in stages:
            stage.clear()
            worker = stack.enter_context(stage.worker(SLOTS))
            try:
                stage.offer("enqueue", jobs=1)
                stage.await_records(worker, 1)
                watched.append((stage, worker))
            except NotMeasured as error:
                found += [(stage.peer.title, Figure(name, "", None, f"failed: {error}")) for name in (COMMANDS, CPU)]
        time.sleep(sizes.idle_settles_s)
        before = [worker.cpu_s() for _, worker in watched]
        with ThreadPoolExecutor(max(1, len(watched))) as pool:
            counts = list(pool.map(lambda each: each[0].server.client_commands_within(sizes.idle_s), watched))
        for (stage, worker), commands, cpu_s in zip(watched, counts, before, strict=True):
            found.append((stage.peer.title, _commands(stage, commands / sizes.idle_s)))
            found.append((stage.peer.title, Figure(CPU, "%", 100 * (worker.cpu_s() - cpu_s) / sizes.idle_s)))
    return found


def _commands(stage: Stage, a_second: float) -> Figure:
    if stage.peer.store == "redis":
        return Figure(COMMANDS, "1/s", a_second)
    return Figure(COMMANDS, "1/s", None, "none: it needs no server")


def killed(stages: Sequence[Stage], sizes: Sizes) -> list[tuple[str, Figure]]:
    """SIGKILL a worker that runs ten jobs, start a new one at once: seconds until all ten run again."""
    found: list[tuple[str, Figure]] = []
    with contextlib.ExitStack() as stack:
        awaited: list[tuple[Stage, int]] = []
        for stage in stages:
            try:
                stage.clear()
                awaited.append((stage, _kill_one(stage, stack)))
            except NotMeasured as error:
                found.append((stage.peer.title, Figure(RUNNING_AGAIN, "s", None, f"failed: {error}")))
        deadline = time.monotonic() + sizes.cap_s
        while time.monotonic() < deadline and any(records.count(stage.records) < SLOTS for stage, _ in awaited):
            time.sleep(POLL_S)
        for stage, killed_ns in awaited:
            found.append((stage.peer.title, running_again(records.read(stage.records), killed_ns, sizes.cap_s)))
    return found


def running_again(found: Sequence[records.Record], killed_ns: int, cap_s: float) -> Figure:
    """The figure of one try.

    Args:
        found: what began after the kill.
        killed_ns: the time of the kill.
        cap_s: how long was waited, in seconds.
    """
    if len(found) < SLOTS:
        return Figure(RUNNING_AGAIN, "s", None, f"none: {len(found)} of {SLOTS} ran again within {cap_s:.0f} s")
    last_ns = sorted(record.begun_ns for record in found)[SLOTS - 1]
    return Figure(RUNNING_AGAIN, "s", (last_ns - killed_ns) / records.NS)


def _kill_one(stage: Stage, stack: contextlib.ExitStack) -> int:
    """The time of the kill; a new worker runs from then on until the stack ends."""
    first = stage.start_worker(SLOTS)
    try:
        stage.fill(SLOTS - 1, HELD_S)
        stage.await_records(first, SLOTS)
    finally:
        first.kill()
    killed_ns = time.monotonic_ns()
    stage.forget_records()
    second = stage.start_worker(SLOTS)
    stack.callback(second.kill)
    return killed_ns
