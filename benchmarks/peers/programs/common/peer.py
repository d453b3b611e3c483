"""What the programs of all peers share: the job that every one of them runs, and the command line.

    python -m peer enqueue --sleep 0.01 --jobs 2000 [--seconds 4] [--rate 50]
    python -m peer bulk --sleep 0 --jobs 50000 [--seconds 3]
    python -m peer work --slots 10

It imports `program` from the folder of the peer, so that the name of the job is the same in all three. That has
``enqueue(arguments)`` and, where the peer can do it, ``bulk(many_arguments)``, both either plain or async, and
``work(slots)``, which returns or is replaced by another program; if needed ``async opened()`` and ``async closed()``.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import importlib
import inspect
import json
import os
import struct
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 1_000
LOOK_EVERY = 50
HELD_S = 1.0
"""A job that sleeps as long as this writes its record before and not after."""


@functools.cache
def records() -> int:
    """The file in which every job leaves its record."""
    return os.open(os.environ["BENCH_RECORDS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def arguments(sleep_s: float) -> dict[str, str]:
    """Those of one job; the text says how long it sleeps and when it was enqueued."""
    return {"to": "info@example.com", "title": "Hello", "text": f"{sleep_s}/{time.monotonic_ns()}"}


def write(enqueued_ns: str, begun_ns: int) -> None:
    """Leave the record: when the job was enqueued, begun and ended, in nanoseconds of the monotonic clock."""
    os.write(records(), struct.pack("<qqq", int(enqueued_ns), begun_ns, time.monotonic_ns()))


def run(text: str) -> None:
    """Do the job."""
    begun_ns = time.monotonic_ns()
    sleep, _, enqueued_ns = text.partition("/")
    sleep_s = float(sleep)
    if sleep_s >= HELD_S:
        write(enqueued_ns, begun_ns)
    if sleep_s:
        time.sleep(sleep_s)
    if sleep_s < HELD_S:
        write(enqueued_ns, begun_ns)


async def run_async(text: str) -> None:
    """Do the job in an event loop."""
    begun_ns = time.monotonic_ns()
    sleep, _, enqueued_ns = text.partition("/")
    sleep_s = float(sleep)
    if sleep_s >= HELD_S:
        write(enqueued_ns, begun_ns)
    if sleep_s:
        await asyncio.sleep(sleep_s)
    if sleep_s < HELD_S:
        write(enqueued_ns, begun_ns)


async def called(function: Callable[..., Any], *values: object) -> None:
    """Call what is plain or async; the loops below are for async ones only where they must."""
    answer = function(*values)
    if inspect.isawaitable(answer):
        await answer


async def enqueue_async(one: Callable[..., Any], wanted: argparse.Namespace) -> tuple[int, float]:
    """As `enqueue`, in an event loop."""
    begun = time.perf_counter()
    for number in range(wanted.jobs):
        if wanted.rate:
            await asyncio.sleep(max(0.0, begun + number / wanted.rate - time.perf_counter()))
        await one(arguments(wanted.sleep))
        if number % LOOK_EVERY == 0 and time.perf_counter() - begun > wanted.seconds:
            return number + 1, time.perf_counter() - begun
    return wanted.jobs, time.perf_counter() - begun


def enqueue(one: Callable[..., Any], wanted: argparse.Namespace) -> tuple[int, float]:
    """One call a job, as many and for as long as wanted: how many it was, in how many seconds."""
    begun = time.perf_counter()
    for number in range(wanted.jobs):
        if wanted.rate:
            time.sleep(max(0.0, begun + number / wanted.rate - time.perf_counter()))
        one(arguments(wanted.sleep))
        if number % LOOK_EVERY == 0 and time.perf_counter() - begun > wanted.seconds:
            return number + 1, time.perf_counter() - begun
    return wanted.jobs, time.perf_counter() - begun


async def bulk(many: Callable[..., Any], wanted: argparse.Namespace) -> tuple[int, float]:
    """One call a batch: how many jobs, in how many seconds."""
    begun, done = time.perf_counter(), 0
    while done < wanted.jobs and time.perf_counter() - begun <= wanted.seconds:
        size = min(BATCH, wanted.jobs - done)
        await called(many, [arguments(wanted.sleep) for _ in range(size)])
        done += size
    return done, time.perf_counter() - begun


async def offer(program: Any, wanted: argparse.Namespace) -> None:
    """Enqueue, and print what it took; the first call, which connects, is not timed."""
    if hasattr(program, "opened"):
        await program.opened()
    await called(program.enqueue, arguments(wanted.sleep))
    if wanted.command == "bulk":
        jobs, seconds = await bulk(program.bulk, wanted)
    elif inspect.iscoroutinefunction(program.enqueue):
        jobs, seconds = await enqueue_async(program.enqueue, wanted)
    else:
        jobs, seconds = enqueue(program.enqueue, wanted)
    print(json.dumps({"jobs": jobs, "seconds": seconds, "stored": jobs + 1}), flush=True)
    if hasattr(program, "closed"):
        await program.closed()


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="peer")
    parser.add_argument("command", choices=["enqueue", "bulk", "work"])
    parser.add_argument("--sleep", type=float, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--slots", type=int, default=10)
    wanted = parser.parse_args()
    os.environ["PEER_SLOTS"] = str(wanted.slots)
    program = importlib.import_module("program")
    if wanted.command == "work":
        program.work(wanted.slots)
    else:
        asyncio.run(offer(program, wanted))


if __name__ == "__main__":
    main()
