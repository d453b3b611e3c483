"""What runs in a process of its own, on a CPU of the rig's choice; each task answers with a line of JSON.

    python -m benchmarks.tasks CPU TASK '{"argument": value}'

Started by `benchmarks.rig.programs`. Start-up is over before a task begins to count.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

from benchmarks.exchanging import ask_at_limits, exchange_at
from benchmarks.jobs import Send, arguments, job_of
from benchmarks.raw import ask_and_evalsha_rate, raw_rate
from exqueue import Enqueue, EnqueueMany, ExqueueSystem, StartWorker

BATCH = 1_000
LOOK_EVERY = 50
PATIENCE_S = 120.0
SETTLED_S = 0.5
"""How long a node has been up before single calls are timed, so that it leads and has connected."""


def answer(value: object) -> None:
    """One line for the rig."""
    print(json.dumps(value), flush=True)


def raw(url: str, seconds: float) -> None:
    """The yardstick, measured anew for each line that comes in."""
    for _ in sys.stdin:
        answer(raw_rate(url, seconds))


def reference(url: str, seconds: float) -> None:
    """What guards are held against, measured anew for each line that comes in."""
    for _ in sys.stdin:
        answer(ask_and_evalsha_rate(url, seconds))


def enqueue(url: str, namespace: str, seconds: float, size: int = 0, threads: int = 1) -> None:
    """Jobs a second, one call each."""
    with ExqueueSystem.start(url, namespace=namespace) as system:
        job = job_of("q")
        system.ask(Enqueue(job, arguments(0, size)))
        counts = [0] * threads
        begun = time.perf_counter()

        def store(thread: int) -> None:
            while time.perf_counter() - begun < seconds:
                for _ in range(LOOK_EVERY if size < BATCH else 1):
                    system.ask(Enqueue(job, arguments(counts[thread], size)))
                    counts[thread] += 1

        _side_by_side(store, threads)
        answer(sum(counts) / (time.perf_counter() - begun))


def bulk(url: str, namespace: str, jobs: int, queues: int = 1, size: int = 0) -> None:
    """Jobs a second, in batches of 1,000; each queue gets as many."""
    with ExqueueSystem.start(url, namespace=namespace, ask_timeout=PATIENCE_S) as system:
        kinds = [job_of(_queue(n, queues)) for n in range(queues)]
        # The system has connected and found its scripts before the first one counts.
        system.ask(EnqueueMany([]))
        begun = time.perf_counter()
        for start in range(0, jobs, BATCH):
            numbers = range(start, min(start + BATCH, jobs))
            system.ask(EnqueueMany([Enqueue(kinds[n % queues], arguments(n, size)) for n in numbers]))
        answer(jobs / (time.perf_counter() - begun))


def work(*, url: str, namespace: str, workers: int, queues: int = 1, sleep_s: float = 0.0, beside: str = "") -> None:
    """A node that works until SIGTERM; each queue has so many workers, and the one ``beside`` them has one."""
    system = ExqueueSystem.start(url, namespace=namespace)
    for n in range(queues):
        system.ask(StartWorker(job_of(_queue(n, queues), sleep_s), concurrency=workers), timeout=30)
    if beside:
        system.ask(StartWorker(job_of(beside), concurrency=1))
    answer("ready")
    system.run()


def mixed(url: str, namespace: str, seconds: float, workers: int, threads: int) -> None:
    """A node that stores from several threads what it works at the same time: how many jobs it has stored."""
    with ExqueueSystem.start(url, namespace=namespace, ask_timeout=PATIENCE_S) as system:
        job = job_of("q")
        system.ask(StartWorker(job, concurrency=workers))
        counts = [0] * threads
        until = time.perf_counter() + seconds

        def store(thread: int) -> None:
            while time.perf_counter() < until:
                system.ask(Enqueue(job, arguments(counts[thread])))
                counts[thread] += 1

        _side_by_side(store, threads)
        system.drain(timeout=PATIENCE_S)
        answer(sum(counts))


def paced(url: str, namespace: str, rate: float, seconds: float, queue: str = "q") -> None:
    """So many jobs a second for so long, each marked with the ns at which its enqueue began."""
    with ExqueueSystem.start(url, namespace=namespace) as system:
        job = job_of(queue)
        time.sleep(SETTLED_S)
        begun = time.monotonic()
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, begun + number / rate - time.monotonic()))
            system.ask(Enqueue(job, arguments(time.monotonic_ns())))
        answer(int(rate * seconds))


def fall_due(url: str, namespace: str, jobs: int, in_s: float) -> None:
    """Jobs that fall due within one second, evenly, ``in_s`` seconds from now; the answer is when, in Unix seconds."""
    with ExqueueSystem.start(url, namespace=namespace, ask_timeout=PATIENCE_S) as system:
        job = job_of("q")
        first = time.time() + in_s
        for start in range(0, jobs, BATCH):
            system.ask(EnqueueMany([_due(job, n, first + n / jobs) for n in range(start, min(start + BATCH, jobs))]))
        answer(first)


def _due(job: type[Send], number: int, at: float) -> Enqueue:
    return Enqueue(job, arguments(number), at=datetime.fromtimestamp(at, UTC), id=f"due-{number:08d}")


def bare_threads(threads: int, sleep_s: float, seconds: float) -> None:
    """Sleeps a second of as many threads that do nothing else."""
    counts = [0] * threads
    begun = time.perf_counter()

    def sleep(thread: int) -> None:
        while time.perf_counter() - begun < seconds:
            time.sleep(sleep_s)
            counts[thread] += 1

    _side_by_side(sleep, threads)
    answer(sum(counts) / (time.perf_counter() - begun))


def _queue(n: int, queues: int) -> str:
    return f"q{n}" if queues > 1 else "q"


def _side_by_side(target: Any, threads: int) -> None:
    if threads == 1:
        target(0)
        return
    started = [threading.Thread(target=target, args=(n,)) for n in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()


def growth(url: str, namespace: str, sizes: list[int]) -> None:
    """Seconds of an exchange of ten jobs and of a push of ten at each size, in the order of ``sizes``."""
    answer(exchange_at(url, namespace, sizes))


def limits(url: str, namespace: str, queue: str) -> None:
    """Ask everything of a long queue that has a limit, at its limit, once for each line that comes in."""
    for turn, _ in enumerate(sys.stdin):
        ask_at_limits(url, namespace, queue, turn)
        answer("done")


TASKS = {
    task.__name__: task
    for task in (raw, reference, enqueue, bulk, work, mixed, paced, fall_due, bare_threads, growth, limits)
}


def main() -> None:
    """Run one."""
    cpu, task, given = sys.argv[1:]
    os.sched_setaffinity(0, {int(cpu)})
    TASKS[task](**json.loads(given))


if __name__ == "__main__":
    main()
