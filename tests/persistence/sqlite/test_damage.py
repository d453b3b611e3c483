"""Whatever becomes of the file: a clear outage, nothing half done, nothing touched that is not ours."""

import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from exqueue.errors import Outage, StorageFull, StoreDamaged
from exqueue.persistence.sqlite import file, open_sqlite
from exqueue.persistence.sqlite.session import SqliteSession
from exqueue.persistence.values import NewJob, Push
from tests.persistence.conformance.play import Client, Owner, done, listed
from tests.persistence.sqlite.conftest import Open

BRIEF_S = 0.2
PAGES = 60


@pytest.fixture
def locker(session: SqliteSession, path: Path) -> Iterator[sqlite3.Connection]:
    """A program that has begun to write the file and takes its time."""
    session.queues()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_fault_102_a_file_that_is_locked_for_long_is_an_outage(open_store: Open, locker: sqlite3.Connection) -> None:
    """It comes within the time-out, says that nothing was stored, and who to look for; reading goes on."""
    session = open_store().session(timeout=BRIEF_S)
    with pytest.raises(Outage, match=rf"locked by another process for {BRIEF_S:g} s; see which with `fuser") as outage:
        Client(session).push("a")
    assert not outage.value.sent
    assert listed(session, "ready") == []


def test_fault_102_a_lock_that_ends_in_time_is_waited_for(
    open_store: Open, locker: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction of somebody else is short: it is tried again until it has ended."""
    tries: list[float] = []

    def pause(seconds: float) -> None:
        tries.append(seconds)
        if len(tries) == 5:
            locker.execute("ROLLBACK")

    monkeypatch.setattr("exqueue.persistence.sqlite.connection.time.sleep", pause)
    session = open_store().session(timeout=10.0)
    Client(session).push("a")
    assert len(tries) == 5
    assert listed(session, "ready") == ["a"]


def test_fault_101_a_full_disk_refuses_new_jobs_and_keeps_the_old(
    open_store: Open, monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    """A push that does not fit stores nothing of itself; what fits beside it is stored; what is there goes on."""
    monkeypatch.setattr(file, "SETTINGS", (*file.SETTINGS, f"PRAGMA max_page_count = {PAGES}"))
    session = open_store().session(timeout=10.0)
    Client(session).push("a", "b")
    large = Push("q", 1, tuple(NewJob(f"large-{i}", b"x" * 50_000) for i in range(10)))
    small = Push("q", 2, (NewJob("small", b"x"),))
    refused, stored = session.push("caller", [large, small])
    assert isinstance(refused, StorageFull)
    assert "no room on the disk" in str(refused)
    assert (refused.sent, stored) == (False, None)
    assert listed(session, "ready") == ["a", "b", "small"]
    owner = Owner(session)
    owner.settle(*map(done, owner.fetch(3)))
    assert listed(session, "ready") == []
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_fault_101_a_call_that_found_no_room_may_be_sent_again(
    open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number was not used up."""
    monkeypatch.setattr(file, "SETTINGS", (*file.SETTINGS, f"PRAGMA max_page_count = {PAGES}"))
    session = open_store().session(timeout=10.0)
    large = Push("q", 1, (NewJob("large", b"x" * 500_000),))
    (refused,) = session.push("caller", [large])
    assert isinstance(refused, StorageFull)
    assert session.push("caller", [Push("q", 1, (NewJob("small", b"x"),))]) == (None,)
    assert listed(session, "ready") == ["small"]


@pytest.mark.parametrize("is_open", [True, False], ids=["connected", "between connections"])
def test_a_file_that_was_deleted_is_not_made_again(session: SqliteSession, path: Path, is_open: bool) -> None:
    """An empty store in its place would look as if all jobs were done."""
    Client(session).push("a")
    if not is_open:
        session.close()
    kept = path.with_suffix(".kept")
    path.rename(kept)
    for _ in range(2):
        with pytest.raises(Outage, match=r"was deleted or replaced since it was opened.*put the file back") as outage:
            Client(session).push("b")
        assert not outage.value.sent
    assert not path.exists()
    kept.rename(path)
    assert listed(session, "ready") == ["a"]


@pytest.mark.parametrize("is_open", [True, False], ids=["connected", "between connections"])
def test_a_file_that_was_replaced_is_not_touched(session: SqliteSession, path: Path, is_open: bool) -> None:
    """Another store in its place is somebody else's, until the process is started again."""
    Client(session).push("a")
    session.close()
    if is_open:
        assert listed(session, "ready") == ["a"]
    other = path.with_suffix(".other")
    with closing(sqlite3.connect(other)) as made:
        made.execute("CREATE TABLE mine (x)")
    before = other.read_bytes()
    other.replace(path)
    for act in (lambda: Client(session).push("b"), session.queues, lambda: session.presence("token")):
        with pytest.raises(Outage, match="was deleted or replaced"):
            act()
    assert path.read_bytes() == before


def test_another_store_under_the_old_inode_is_noticed(session: SqliteSession, path: Path) -> None:
    """A file that is written over in place keeps its inode: the store's own name tells it."""
    session.queues()
    session.close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE meta SET store = 'another'")
        other.commit()
    with pytest.raises(Outage, match="was deleted or replaced"):
        session.queues()


def test_a_damaged_file_is_not_touched_any_more(session: SqliteSession, path: Path) -> None:
    """SQLite finds the damage, and from then on nothing is written, not by any session."""
    Client(session).push(*(f"job-{i:04}" for i in range(900)))
    session.close()
    sound = path.read_bytes()
    damaged = sound[:4096] + b"\xff" * (len(sound) - 4096)
    for content in (damaged, damaged, sound):
        # In place, as a disk that reads right again at the third look: what was damaged once is not trusted again.
        with path.open("r+b") as raw:
            raw.write(content)
        with pytest.raises(StoreDamaged, match="is damaged or no database") as outage:
            Client(session).push("b")
        assert not outage.value.sent
        assert path.read_bytes() == content


UNPRIVILEGED = """
import os, sys
from exqueue.errors import Outage
from exqueue.persistence.sqlite import open_sqlite
from exqueue.persistence.values import NewJob, Push
push = Push("q", 1, (NewJob("a", b""),))
session = open_sqlite("sqlite:///" + sys.argv[1], "default").session(timeout=1.0)
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    session.push("c", [push])
except Outage as outage:
    print(outage.sent, outage.reason)
"""


@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "reason"),
    [
        (0o444, 0o777, "can't be written: give this user the right to write the file and its directory"),
        (0o666, 0o555, "can't be written: give this user the right to write the file and its directory"),
        (0o666, 0o600, "can't be reached: give this user the right to enter its directories"),
    ],
    ids=["file", "directory", "way"],
)
def test_what_may_not_be_written_is_an_outage(open_store: Open, file_mode: int, folder_mode: int, reason: str) -> None:
    """Of a file, or a directory in which SQLite's own files must be made: it says whose right is missing."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder, "store.db")
        store = open_sqlite(f"sqlite:///{path}", "default")
        store.session(timeout=10.0).queues()
        store.close()
        path.chmod(file_mode)
        path.parent.chmod(folder_mode)
        done = subprocess.run([sys.executable, "-c", UNPRIVILEGED, path], capture_output=True, text=True, check=False)
        path.parent.chmod(0o755)
    assert done.stdout.startswith(f"False {path} {reason}"), done.stdout + done.stderr
