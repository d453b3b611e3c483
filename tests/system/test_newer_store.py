"""A store that a newer version wrote is not touched: an outage that says what to install, and no crash."""

from __future__ import annotations

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
    from exqueue import ActorInfo


class Quick:
    """Does nothing."""

    def perform(self) -> None:
        """Do it."""


def write_layout(url: str, namespace: str, layout: int, needs: str) -> None:
    """Let the store say that it is of this layout."""
    if url.startswith("sqlite:"):
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
def test_a_newer_store_is_an_outage_that_names_the_version(url: str, namespace: str) -> None:
    """Whoever enqueues hears it, the status shows it, and when the store is put back the node goes on by itself."""
    write_layout(url, namespace, 99, "7.1.0")
    with ExqueueSystem.start(url, namespace=namespace) as system:
        system.ask(StartWorker(Quick))
        with pytest.raises((AskTimeout, Outage), match=r"install Exqueue 7\.1\.0 or newer"):
            system.ask(Enqueue(Quick), timeout=0.5)
        eventually(lambda: "has layout 99" in (system.ask(GetStatus()).outage_reason or ""))
        assert restarts(system.ask(GetTree())) == 0
        write_layout_back(url, namespace)
        eventually(lambda: system.ask(GetStatus()).is_leader)
        system.ask(Enqueue(Quick))
        system.drain()
        assert system.ask(GetStatus()).queues[0].processed == 1


def write_layout_back(url: str, namespace: str) -> None:
    """Put the older store back, as an operator does who has gone too far."""
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            database.execute("UPDATE meta SET layout = 1")
            database.commit()
        return
    write_layout(url, namespace, 1, "0.1.0")
