"""A persistence that is closed holds nothing open, and may be used again."""

import gc
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from exqueue.persistence.base import Persistence
from tests.persistence.conformance.play import DEADLINE_S, Client, eventually, listed

USERS = 4
FORGOTTEN = 12


@pytest.fixture
def without_collector() -> Iterator[None]:
    """What only the garbage collector would close counts as open."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def open_descriptors() -> set[tuple[int, int]]:
    """The files and sockets that this process holds open, as (descriptor, inode)."""
    found = set()
    for path in Path("/dev/fd").iterdir():
        with suppress(OSError):  # of the one that was opened for the listing
            status = os.fstat(int(path.name))
            if stat.S_ISREG(status.st_mode) or stat.S_ISSOCK(status.st_mode):
                found.add((int(path.name), status.st_ino))
    return found


@pytest.mark.usefixtures("without_collector")
def test_a_closed_store_holds_nothing_open(store: Persistence) -> None:
    """Not the connections of sessions, nor of subscriptions, nor the shared ones, however many were used at once."""
    before = open_descriptors()
    together = threading.Barrier(USERS)

    def use() -> None:
        session = store.session(timeout=DEADLINE_S, pooled=True)
        together.wait(DEADLINE_S)
        for _ in range(50):
            session.queues()

    threads = [threading.Thread(target=use) for _ in range(USERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    session, subscription = store.session(timeout=DEADLINE_S), store.subscribe("token", timeout=DEADLINE_S)
    Client(session).push("a")
    store.close()
    assert open_descriptors() - before == set()
    subscription.close()


def test_a_closed_store_may_be_used_again(store: Persistence) -> None:
    """It connects when it is next used; closing twice is harmless."""
    session = store.session(timeout=DEADLINE_S, pooled=True)
    session.queues()
    store.close()
    store.close()
    again = store.session(timeout=DEADLINE_S)
    Client(again).push("a")
    assert listed(again, "ready") == ["a"]
    store.close()


@pytest.mark.usefixtures("without_collector")
def test_sessions_that_are_forgotten_hold_nothing_open(store: Persistence) -> None:
    """An actor that crashed closes nothing. (SQLite keeps a descriptor or two for the next to come.)."""
    store.session(timeout=DEADLINE_S, pooled=True).queues()
    before = open_descriptors()
    for _ in range(FORGOTTEN):
        store.session(timeout=DEADLINE_S).queues()
    assert len(open_descriptors() - before) < FORGOTTEN / 2


def test_a_subscription_that_was_forgotten_is_nobody_present(store: Persistence, elsewhere: Persistence) -> None:
    """A closed store ends those, too, that nobody has closed and nobody holds any more."""
    store.subscribe("token", timeout=DEADLINE_S)
    gc.collect()
    store.close()
    session = elsewhere.session(timeout=DEADLINE_S)
    eventually(lambda: session.presence("token").state != "present")
