"""The yardstick: how fast one thread stores jobs by plain EVALSHA or INSERT, without Exqueue.

Every other number is a ratio to `raw_rate` of the same run: the machine itself differs from day to day.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pykka
import redis

from exqueue.persistence.redis.keys import namespace_keys, queue_keys
from exqueue.persistence.redis.scripts import script
from exqueue.persistence.sqlite.persistence import path_of

if TYPE_CHECKING:
    from collections.abc import Callable

RECORD = b"x" * 75
CALLER_KEPT_MS = 3_600_000
LOOK_EVERY = 100


class Echo(pykka.ThreadingActor):
    """Answers with what it was asked."""

    use_daemon_thread = True

    def on_receive(self, message: object) -> object:
        """Give it back."""
        return message


def ask_and_evalsha_rate(url: str, seconds: float) -> float:
    """How many times a second one thread asks a pykka actor and then does as `raw_evalsha_rate`."""
    echo = Echo.start()
    try:
        return raw_evalsha_rate(url, seconds, lambda: echo.ask(None))
    finally:
        echo.stop()


def raw_evalsha_rate(url: str, seconds: float, before: Callable[[], object] | None = None) -> float:
    """How many times a second one thread of redis-py runs ``client.evalsha`` of the push script, one job each.

    Args:
        url: of the server.
        seconds: for how long.
        before: what is called before each.
    """
    namespace = f"raw-{secrets.token_hex(4)}"
    at = queue_keys(namespace, "raw")
    keys = (at.jobs, at.ready, at.waiting, at.owner, at.caller("raw"))
    with redis.Redis.from_url(url) as client:
        sha = client.script_load(script("push").source)
        wake = namespace_keys(namespace).wake
        n, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            for _ in range(LOOK_EVERY):
                n += 1
                if before is not None:
                    before()
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
            for _ in range(LOOK_EVERY):
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
