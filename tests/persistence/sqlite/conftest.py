"""A store in a file of the test's own, and a look behind the scenes."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exqueue.persistence.sqlite import SqlitePersistence, open_sqlite
from exqueue.persistence.sqlite.file import StoreFile
from exqueue.persistence.sqlite.session import SqliteSession

VERB_TIMEOUT_S = 10.0

Open = Callable[[], SqlitePersistence]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of the store; it is not there yet."""
    return tmp_path / "store.db"


@pytest.fixture
def open_store(path: Path) -> Iterator[Open]:
    """Opens the store once more, as another process would; all are closed at the end."""
    opened: list[SqlitePersistence] = []

    def open_it() -> SqlitePersistence:
        opened.append(open_sqlite(f"sqlite:///{path}", "default"))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Open) -> SqlitePersistence:
    """The store."""
    return open_store()


@pytest.fixture
def session(store: SqlitePersistence) -> SqliteSession:
    """A session of it."""
    return store.session(timeout=VERB_TIMEOUT_S)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """The connections that the backend opens from now on: to look at them, not to use them."""
    opened: list[sqlite3.Connection] = []
    plain_open = StoreFile.open

    def noted(file: StoreFile) -> sqlite3.Connection:
        opened.append(plain_open(file))
        return opened[-1]

    monkeypatch.setattr(StoreFile, "open", noted)
    return opened
