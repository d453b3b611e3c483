"""Writes what the formats of today look like: ``python -m tests.golden.write v2`` makes a new directory.

The directory has to have a ``content.py``; nothing that is there is overwritten.
"""

from __future__ import annotations

import importlib
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

from exqueue.codec import Codec
from exqueue.persistence.redis import RedisPersistence
from exqueue.persistence.redis.dialing import dialer
from exqueue.persistence.sqlite import SqlitePersistence
from exqueue.persistence.sqlite.host_time import HostTime
from tests.compared.server_time import ServerTime
from tests.compared.stores import HandClock
from tests.golden import snapshots
from tests.servers import real_server

if TYPE_CHECKING:
    from exqueue.persistence.base import Persistence

HERE = Path(__file__).parent
BOOT = "the boot of then"
TIMEOUT_S = 10.0


def files_of_today(content: Any) -> dict[str, str]:
    """Every file of a golden directory, as this version writes it."""
    codec = Codec()
    content.learn(codec)
    content.learn_gone(codec)
    with real_server() as server, tempfile.TemporaryDirectory() as folder:
        by_server, keys = _in_server(server.url, content, codec)
        by_file, rows = _in_file(Path(folder) / "store.db", content, codec)
    assert by_server == by_file, "the two stores do not show the same"
    return {
        "records.json": snapshots.of_bytes(content.records(codec)),
        "trails.json": snapshots.of_bytes(content.trails()),
        "interface.json": by_server,
        "redis.json": keys,
        "sqlite.sql": rows,
    }


def _in_server(url: str, content: Any, codec: Codec) -> tuple[str, str]:
    clock = HandClock()
    with redis.Redis.from_url(url) as client:
        time = ServerTime(client)
        time.set(clock.now)

        def pass_time(seconds: float) -> None:
            clock.now += seconds
            time.set(clock.now)
            time.age(content.NAMESPACE, seconds)

        store = RedisPersistence(url, content.NAMESPACE, connect=time.connecting(dialer(url)))
        shown = _filled(store, content, codec, pass_time)
        return shown, snapshots.of_server(client, content.NAMESPACE)


def _in_file(path: Path, content: Any, codec: Codec) -> tuple[str, str]:
    clock = HandClock()

    def pass_time(seconds: float) -> None:
        clock.now += seconds

    store = SqlitePersistence(str(path), content.NAMESPACE, time=HostTime(clock, BOOT))
    shown = _filled(store, content, codec, pass_time)
    return shown, without_what_is_drawn(snapshots.of_file(path))


def _filled(store: Persistence, content: Any, codec: Codec, pass_time: Any) -> str:
    session = store.session(timeout=TIMEOUT_S)
    content.fill(session, codec, pass_time)
    shown = snapshots.of_interface(session, session.queues())
    store.close()
    return shown


def without_what_is_drawn(rows: str) -> str:
    """The rows with another name for the store, which is drawn when it is made."""
    return re.sub(r"(INSERT INTO \"meta\" VALUES\(1,\d+,'[^']*',)'[0-9a-f]+'", r"\1'0123456789abcdef'", rows)


def content_of(version: str) -> Any:
    """The module that says what was stored."""
    return importlib.import_module(f"tests.golden.{version}.content")


if __name__ == "__main__":
    (version,) = sys.argv[1:] or sys.exit("usage: python -m tests.golden.write v2")
    for name, text in files_of_today(content_of(version)).items():
        path = HERE / version / name
        if path.exists():
            sys.exit(f"{path} is there already, and golden files are never edited")
        path.write_text(text)
