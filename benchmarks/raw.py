"""The yardstick: how fast one thread stores jobs by plain EVALSHA or INSERT, and how fast it exchanges them.

Every other number is a ratio to `raw_rate` of the same run: the machine itself differs from day to day.

    python benchmarks/raw.py redis://localhost|sqlite:///raw.db [seconds]
"""

from __future__ import annotations

import secrets
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from exqueue.persistence.redis.keys import namespace_keys, queue_keys
from exqueue.persistence.redis.scripts import script
from exqueue.persistence.sqlite.persistence import path_of
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import Done, Fence, Fetched, NewJob, Push

if TYPE_CHECKING:
    from exqueue.persistence.base import Session

RECORD = b"x" * 75
CALLER_KEPT_MS = 3_600_000
BATCH = 1_000


def raw_evalsha_rate(url: str, seconds: float) -> float:
    """How many times a second one thread of redis-py runs ``client.evalsha`` of the push script, one job each."""
    namespace = f"raw-{secrets.token_hex(4)}"
    at = queue_keys(namespace, "raw")
    keys = (at.jobs, at.ready, at.waiting, at.owner, at.caller("raw"))
    with redis.Redis.from_url(url) as client:
        sha = client.script_load(script("push").source)
        wake = namespace_keys(namespace).wake
        n, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            for _ in range(100):
                n += 1
                client.evalsha(sha, 5, *keys, n, CALLER_KEPT_MS, wake, at.name, 2, f"{n:016x}", RECORD)
        client.unlink(*keys)
    return n / took


def raw_insert_rate(path: str, seconds: float) -> float:
    """How many times a second one thread inserts a job into a plain table beside ``path`` and waits for the disk."""
    raw = Path(f"{path}.raw")
    with closing(sqlite3.connect(raw, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, record BLOB) WITHOUT ROWID")
        db.execute("DELETE FROM jobs")
        n, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            for _ in range(100):
                n += 1
                db.execute("BEGIN IMMEDIATE")
                db.execute("INSERT INTO jobs VALUES (?, ?)", (f"{n:016x}", RECORD))
                db.execute("COMMIT")
    raw.unlink()
    return n / took


def raw_rate(url: str, seconds: float) -> float:
    """The yardstick of this kind of persistence."""
    is_sqlite = url.startswith("sqlite:")
    return raw_insert_rate(path_of(url), seconds) if is_sqlite else raw_evalsha_rate(url, seconds)


def push_rate(url: str, seconds: float) -> float:
    """How many jobs a second one thread stores with `Session.push`, one job each."""
    store = open_persistence(url, namespace=f"raw-{secrets.token_hex(4)}")
    session = store.session(timeout=5)
    n, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        for _ in range(100):
            n += 1
            session.push("raw", [Push("raw", n, (NewJob(f"{n:016x}", RECORD),))])
    store.close()
    return n / took


def exchange_rate(url: str, jobs: int, seconds: float) -> float:
    """How many exchanges a second one thread makes that each settle ``jobs`` jobs as done and fetch as many."""
    store = open_persistence(url, namespace=f"raw-{secrets.token_hex(4)}")
    session = store.session(timeout=5)
    fence = Fence(1, "raw")
    session.claim("raw", fence, 1)
    calls, stored, took = 0, 0, 0.0
    running: tuple[Fetched, ...] = ()
    while took < seconds:
        rounds = BATCH * 10 // jobs
        for _ in range(10):
            stored += 1
            batch = tuple(NewJob(f"{stored:08x}{i:08x}", RECORD) for i in range(BATCH))
            session.push("raw", [Push("raw", stored, batch)])
        began = time.perf_counter()
        for _ in range(rounds):
            calls += 1
            running = _exchange(session, fence, calls, running, jobs)
        took += time.perf_counter() - began
    store.close()
    return calls / took


def _exchange(
    session: Session, fence: Fence, call: int, running: tuple[Fetched, ...], want: int
) -> tuple[Fetched, ...]:
    done = [Done(job.id, job.run) for job in running]
    return session.exchange("raw", fence, 1, call, done, want, serial=False).jobs


def main(url: str, seconds: float = 3.0) -> None:
    """Print them all, with their ratio to the first."""
    raw = raw_rate(url, seconds)
    print(f"raw                   {raw:10,.0f}/s")
    for name, rate in (
        ("Session.push", push_rate(url, seconds)),
        ("exchange of 1 job", exchange_rate(url, 1, seconds)),
        ("exchange of 10 jobs", exchange_rate(url, 10, seconds)),
        ("exchange of 100 jobs", exchange_rate(url, 100, seconds)),
    ):
        print(f"{name:21} {rate:10,.0f}/s  {rate / raw:6.2f} x raw")


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:]))
