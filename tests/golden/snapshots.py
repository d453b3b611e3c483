"""Stores as text that people can read, and back: what a server or a file holds, and what the interface shows of it."""

from __future__ import annotations

import base64
import json
import sqlite3
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import redis

    from exqueue.persistence.base import Session

UNIT_S = 60
MOST = 1_000


def text_of(value: Any) -> Any:
    """Bytes as text where that is plain, else as base64; dataclasses as dicts; all else as it is."""
    if isinstance(value, bytes):
        is_plain = value.isascii() and value.decode().isprintable()
        return value.decode() if is_plain else {"base64": base64.b64encode(value).decode()}
    if is_dataclass(value):
        return {field.name: text_of(getattr(value, field.name)) for field in fields(value) if field.compare}
    if isinstance(value, tuple | list):
        return [text_of(member) for member in value]
    return value


def bytes_of(text: Any) -> bytes:
    """The bytes that `text_of` has shown."""
    return text.encode() if isinstance(text, str) else base64.b64decode(text["base64"])


def as_json(value: Any) -> str:
    """JSON, a line a value, in a fixed order."""
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def of_bytes(named: dict[str, bytes]) -> str:
    """Bytes by name."""
    return as_json({name: text_of(data) for name, data in named.items()})


def of_interface(session: Session, queues: Sequence[str]) -> str:
    """All that the interface shows of a store."""
    overview = session.overview(queues)
    shown = {
        "queues": list(session.queues()),
        "nodes": text_of(session.nodes()),
        "overview": text_of(overview),
        "jobs": {queue: _jobs(session, queue) for queue in queues},
        "unreported": {queue: [text_of(each.mark) for each in session.unreported(queue, MOST)] for queue in queues},
    }
    return as_json(shown)


def _jobs(session: Session, queue: str) -> dict[str, Any]:
    states = ("ready", "waiting", "running", "dead")
    return {state: text_of(session.list_jobs(queue, state, MOST, 0)) for state in states}  # type: ignore[arg-type]


def of_server(client: redis.Redis, namespace: str) -> str:
    """Every key of a namespace with its type, its members, and in how many seconds it is forgotten."""
    keys = sorted(client.scan_iter(match=f"exqueue:{{{namespace}*"))
    return as_json({key.decode(): _key(client, key) for key in keys})


def _key(client: Any, key: bytes) -> dict[str, Any]:
    kind = client.type(key).decode()
    left_ms = client.pttl(key)
    members: Any
    match kind:
        case "hash":
            members = [[text_of(name), text_of(value)] for name, value in sorted(client.hgetall(key).items())]
        case "list":
            members = text_of(client.lrange(key, 0, -1))
        case "zset":
            members = [[text_of(name), score] for name, score in client.zrange(key, 0, -1, withscores=True)]
        case "set":
            members = sorted(map(text_of, client.smembers(key)), key=str)
        case _:
            members = text_of(client.get(key))
    return {"type": kind, "members": members} | ({"ttl_s": -(-left_ms // 60_000) * UNIT_S} if left_ms > 0 else {})


def to_server(client: redis.Redis, text: str, *, is_long_ago: bool) -> None:
    """Write the keys into an empty server. ``is_long_ago``: without those that it would have forgotten meanwhile."""
    for name, entry in json.loads(text).items():
        if is_long_ago and "ttl_s" in entry:
            continue
        _write(client, name, entry["type"], entry["members"])
        if "ttl_s" in entry:
            client.expire(name, entry["ttl_s"])


def _write(client: redis.Redis, key: str, kind: str, members: Any) -> None:
    match kind:
        case "hash":
            client.hset(key, mapping={bytes_of(name): bytes_of(value) for name, value in members})
        case "list":
            client.rpush(key, *map(bytes_of, members))
        case "zset":
            client.zadd(key, {bytes_of(name): score for name, score in members})
        case "set":
            client.sadd(key, *map(bytes_of, members))
        case _:
            client.set(key, bytes_of(members))


def of_file(path: Path) -> str:
    """The statements that make the file: its schema and its rows."""
    connection = sqlite3.connect(path)
    try:
        lines: Iterable[str] = connection.iterdump()
        return "\n".join(lines) + "\n"
    finally:
        connection.close()


def to_file(path: Path, text: str) -> None:
    """Make the file."""
    connection = sqlite3.connect(path)
    try:
        connection.executescript(text)
    finally:
        connection.close()
