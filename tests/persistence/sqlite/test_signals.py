"""A signal of this process is heard at once, and one of another without a server that tells it."""

import threading
from pathlib import Path

import pytest

from exqueue.errors import Outage
from exqueue.persistence.sqlite import SqlitePersistence, subscription
from exqueue.persistence.sqlite.session import SqliteSession
from exqueue.persistence.values import QueueWoken, Signal
from tests.persistence.conformance.play import DEADLINE_S, Client
from tests.persistence.sqlite.conftest import Open


@pytest.mark.parametrize("is_same", [True, False], ids=["one persistence", "two persistences"])
def test_a_signal_of_this_process_does_not_wait_for_a_look(
    store: SqlitePersistence, open_store: Open, monkeypatch: pytest.MonkeyPatch, is_same: bool
) -> None:
    """The bell rings for all who have the file open here, so that a job is fetched as soon as it is stored."""
    monkeypatch.setattr(subscription, "LOOK_EVERY_S", 3 * DEADLINE_S)
    client = Client((store if is_same else open_store()).session(timeout=10.0))
    ear, heard = store.subscribe("token", timeout=10.0), list[Signal | None]()
    waiter = threading.Thread(target=lambda: heard.append(ear.next(3 * DEADLINE_S)), daemon=True)
    waiter.start()
    client.pause()
    waiter.join(DEADLINE_S)
    assert heard == [QueueWoken("q")]


def test_signals_take_no_more_room_than_the_queues(session: SqliteSession) -> None:
    """One row a name, whoever listens or does not."""
    client = Client(session)
    for _ in range(20):
        client.pause()
    rows = session._read(lambda step: step.db.execute("SELECT count(*) FROM signals").fetchone()[0])  # noqa: SLF001
    assert rows == 1


def test_a_broken_subscription_is_an_outage_and_is_closed(store: SqlitePersistence, path: Path) -> None:
    """The reader subscribes anew; its system does not look dead meanwhile."""
    ear = store.subscribe("token", timeout=10.0)
    path.rename(path.with_suffix(".kept"))
    with pytest.raises(Outage, match="was deleted or replaced"):
        ear.next(DEADLINE_S)
    path.with_suffix(".kept").rename(path)
    with pytest.raises(Outage, match="was closed"):
        ear.next(0.0)
    assert store.session(timeout=1.0).presence("token").state == "present"
    store.subscribe("token", timeout=10.0).close()
