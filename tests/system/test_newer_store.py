"""A store that is refused for what it is: one ERROR that says what to do, no crash, and all goes on once it is done."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import redis

from exqueue import AskTimeout, Enqueue, ExqueueSystem, GetStatus, GetTree, Outage, StartWorker
from exqueue.persistence.redis.keys import namespace_keys
from exqueue.persistence.urls import open_persistence
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from exqueue import ActorInfo


FIRST = 99


class Quick:
    """Does nothing."""

    def perform(self) -> None:
        """Do it."""


def write_layout(url: str, namespace: str, layout: int, needs: str) -> None:
    """Let the store say that it is of this layout."""
    if url.startswith("sqlite:"):
        if layout == FIRST:
            store = open_persistence(url, namespace=namespace)
            store.session(timeout=5).queues()
            store.close()
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            database.execute("UPDATE meta SET layout = ?, needs = ?", (layout, needs))
            database.commit()
        return
    with redis.Redis.from_url(url) as client:
        client.set(namespace_keys(namespace).layout, f"{layout} {needs}")


def restarts(actor: ActorInfo) -> int:
    """Of the whole tree."""
    return actor.restarts + sum(restarts(child) for child in actor.children)


@pytest.mark.parametrize("url", ["redis", "sqlite"], indirect=True)
def test_a_newer_store_is_an_outage_that_names_the_version(
    url: str, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever enqueues hears it, the status shows it, and when the store is put back the node goes on by itself."""
    caplog.set_level("INFO", "exqueue")
    write_layout(url, namespace, FIRST, "7.1.0")
    with ExqueueSystem.start(url, namespace=namespace) as system:
        system.ask(StartWorker(Quick))
        with pytest.raises((AskTimeout, Outage), match=r"install Exqueue 7\.1\.0 or newer"):
            system.ask(Enqueue(Quick), timeout=0.5)
        eventually(lambda: "has layout 99" in (system.ask(GetStatus()).outage_reason or ""))
        write_layout(url, namespace, 98, "7.0.0")
        eventually(lambda: "has layout 98" in (system.ask(GetStatus()).outage_reason or ""))
        assert restarts(system.ask(GetTree())) == 0
        write_layout_back(url, namespace)
        eventually(lambda: system.ask(GetStatus()).is_leader)
        system.ask(Enqueue(Quick))
        system.drain()
        assert system.ask(GetStatus()).queues[0].processed == 1
        eventually(lambda: "refuses no more" in caplog.text)
    assert [(level, "has layout 9" in line) for level, line in said(caplog)] == [
        (logging.ERROR, True),
        (logging.ERROR, True),
        (logging.INFO, False),
    ]


def said(log: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    """What the log says of the persistence: levels and lines."""
    lines = [(one.levelno, one.getMessage()) for one in log.records]
    return [(level, line) for level, line in lines if line.startswith("the persistence ")]


def write_anew(path: Path) -> None:
    """Put an empty file where something else was."""
    path.unlink()


REFUSED: dict[str, tuple[Callable[[Path], object], Callable[[Path], object], str]] = {
    "a letter": (lambda path: path.write_bytes(b"Dear Sir, " * 500), write_anew, "bring back a backup"),
    "a directory": (lambda path: path.mkdir(), lambda path: path.rmdir(), "name a file in the URL"),
    "a missing directory": (
        lambda path: path.parent.rmdir(),
        lambda path: path.parent.mkdir(),
        "make it, or name another in the URL",
    ),
}


@pytest.mark.parametrize("is_worked", [True, False], ids=["that is worked", "that is only enqueued to"])
@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_can_be_no_store_is_said_once(
    tmp_path: Path, kind: str, is_worked: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """At ERROR, with what to do: waiting mends none of it, so it must not look as if it did."""
    path = tmp_path / "folder" / "store.db"
    path.parent.mkdir()
    harm, mend, step = REFUSED[kind]
    harm(path)
    with ExqueueSystem.start(f"sqlite:///{path}") as system:
        if is_worked:
            system.ask(StartWorker(Quick))
        eventually(lambda: step in (system.ask(GetStatus()).outage_reason or ""))
        assert restarts(system.ask(GetTree())) == 0
    ((level, line),) = said(caplog)
    assert level == logging.ERROR
    assert line.startswith("the persistence refuses, jobs wait until a person acts: ")
    assert step in line
    mend(path)
    with ExqueueSystem.start(f"sqlite:///{path}") as system:
        assert system.ask(Enqueue("Quick"))


def write_layout_back(url: str, namespace: str) -> None:
    """Put the older store back, as an operator does who has gone too far."""
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            database.execute("UPDATE meta SET layout = 1")
            database.commit()
        return
    write_layout(url, namespace, 1, "0.1.0")
