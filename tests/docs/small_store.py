"""A small store with one job in each state, and how it looks inside: what `docs/storage.md` shows.

``python -m tests.docs.small_store`` prints both dumps, to be pasted when a layout has changed.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

from exqueue.codec import default_codec
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import Bury, Fence, NewJob, Push, Retry
from exqueue.record import JobError, Trail, encode_record, encode_trail
from tests.servers import real_server

if TYPE_CHECKING:
    from exqueue.persistence.base import Session
    from exqueue.persistence.values import Settlement

NAMESPACE = "shop"
QUEUE = "Mail"
TOKEN = "6f2a90c4d1b7e358"
CALLER = "c0ffee5eed15"
STARTED_AT = 1_790_000_000.0
IDS = ("mail-1", "mail-2", "mail-3", "mail-4", "mail-5")


def fill(session: Session) -> None:
    """Five jobs: one waits to be tried again, one is dead, one runs, one is ready, one is scheduled."""
    fence = session.acquire("node-1", TOKEN, 10.0, 0)
    assert isinstance(fence, Fence)
    delays = (0.0, 0.0, 0.0, 0.0, 3_600.0)
    jobs = tuple(NewJob(job_id, _record(job_id), delay) for job_id, delay in zip(IDS, delays, strict=True))
    assert session.push(CALLER, [Push(QUEUE, 1, jobs)]) == (None,)
    session.claim(QUEUE, fence, 1)
    first, second = session.exchange(QUEUE, fence, 1, 1, [], 2, serial=False).jobs
    ends: list[Settlement] = [
        Retry(first.id, first.run, 16.0, _trail()),
        Bury(second.id, second.run, _trail(buried=True)),
    ]
    session.exchange(QUEUE, fence, 1, 2, ends, 1, serial=False)
    session.beat("node-1", b"queues and workers of the node", 18.0)


def _record(job_id: str) -> bytes:
    return encode_record("Mail", {"to": f"{job_id}@example.com"}, STARTED_AT, default_codec())


def _trail(*, buried: bool = False) -> bytes:
    error = JobError("ConnectionError", "refused", "", STARTED_AT, "node-1")
    return encode_trail(Trail(1, (error,), buried, "it failed" if buried else None))


def masked(text: str) -> str:
    """Without what differs each time: what the clock said, and what was drawn."""
    text = re.sub(r"\b\d{13}(\.\d+)?\b", "<ms>", text)
    text = re.sub(r"\b\d{10}(\.\d+)?\b", "<s>", text)
    text = re.sub(r"store=[0-9a-f]{16}", "store=<drawn>", text)
    text = re.sub(r"until=\d+\.\d+", "until=<s>", text)
    return re.sub(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b", "<boot id>", text)


def _shown(value: Any) -> str:
    match value:
        case bytes() if b"ConnectionError" in value:
            return "<trail>"
        case bytes() if b"@example.com" in value:
            return "<record>"
        case bytes():
            return value.decode()
        case float() if value.is_integer():
            return str(int(value))
        case None:
            return "-"
        case _:
            return str(value)


def _members(kind: str, client: redis.Redis, key: bytes) -> str:
    match kind:
        case "hash":
            pairs = sorted(client.hgetall(key).items())
            return ", ".join(f"{_shown(name)}={_shown(value)}" for name, value in pairs)
        case "list":
            return ", ".join(map(_shown, client.lrange(key, 0, -1)))
        case "zset":
            scored = client.zrange(key, 0, -1, withscores=True)
            return ", ".join(f"{_shown(one[0])} at {_shown(one[1])}" for one in scored)
        case "set":
            return ", ".join(map(_shown, sorted(client.smembers(key))))
        case _:
            return _shown(client.get(key))


def redis_dump(url: str) -> str:
    """A line for each key."""
    persistence = open_persistence(url, namespace=NAMESPACE)
    with redis.Redis.from_url(url) as client:
        fill(persistence.session(timeout=10.0))
        lines = []
        for key in sorted(client.keys("exqueue:{shop*")):
            kind = client.type(key).decode()
            lines.append(masked(f"{key.decode():34} {kind:7} {_members(kind, client, key)}"))
    persistence.close()
    return "\n".join(lines)


def sqlite_dump(folder: Path) -> str:
    """A line for each row: what its columns hold, but for those that are empty or zero."""
    persistence = open_persistence(f"sqlite:///{folder}/small.db", namespace=NAMESPACE)
    fill(persistence.session(timeout=10.0))
    persistence.close()
    lines = []
    connection = sqlite3.connect(folder / "small.db")
    connection.row_factory = sqlite3.Row
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rootpage"
    for (table,) in connection.execute(tables).fetchall():
        for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 - a name out of the schema
            columns = ", ".join(f"{name}={_shown(row[name])}" for name in row.keys() if row[name] not in (None, 0, ""))  # noqa: SIM118
            lines.append(masked(f"{table:8} {columns}"))
    connection.close()
    return "\n".join(lines)


if __name__ == "__main__":
    with real_server() as server, tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(f"{redis_dump(server.url)}\n\n{sqlite_dump(Path(folder))}\n")
