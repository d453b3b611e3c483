"""What is opened is made if need be, and refused when it is not ours, with the next step."""

import hashlib
import logging
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from exqueue.errors import ConfigError, NewerStore, Outage, StoreDamaged
from exqueue.persistence.sqlite import SqlitePersistence, file, open_sqlite, reads
from exqueue.persistence.sqlite.file import LAYOUT
from exqueue.persistence.sqlite.mounts import network_file_system
from exqueue.persistence.sqlite.session import SqliteSession
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import Mark
from tests.persistence.conformance.play import Client, Owner, bury, listed
from tests.persistence.sqlite.conftest import Open


def digest(path: Path) -> str:
    """What tells two contents apart."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_nothing_is_made_before_the_first_use(open_store: Open, path: Path) -> None:
    """A persistence that is only configured leaves no file."""
    store = open_store()
    store.session(timeout=1.0)
    assert not path.exists()


def test_what_was_stored_is_there_for_the_next(open_store: Open) -> None:
    """The jobs outlive those who had the store open."""
    first = open_store()
    Client(first.session(timeout=1.0)).push("a", "b")
    first.close()
    assert listed(open_store().session(timeout=1.0), "ready") == ["a", "b"]


def test_the_default_file_is_announced_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Making the file that nobody chose is one WARNING with its absolute path; opening it again is none."""
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        store = open_persistence("sqlite:///exqueue.db")
        store.session(timeout=1.0).queues()
        store.session(timeout=1.0).queues()
        store.close()
    (warning,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert f"{tmp_path}/exqueue.db" in warning.getMessage()


def test_a_file_is_announced_also_when_others_found_it_before_its_maker_went_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Many connections are opened at once when a system starts, and one of them makes the file."""
    monkeypatch.chdir(tmp_path)
    store = open_persistence("sqlite:///exqueue.db")
    others = [store.session(timeout=1.0)]
    read_meta = file._meta  # noqa: SLF001 - what lies between making the file and saying so

    def overtaken(connection: sqlite3.Connection, path: str) -> tuple[int, str, str]:
        while others:
            others.pop().queues()
        return read_meta(connection, path)

    monkeypatch.setattr(file, "_meta", overtaken)
    store.session(timeout=1.0).queues()
    store.close()
    (warning,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert f"{tmp_path}/exqueue.db" in warning.getMessage()


def test_a_chosen_file_is_made_without_a_warning(session: SqliteSession, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever named the file knows where it is."""
    session.queues()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_log_handler_that_raises_fails_no_verb(
    store: SqlitePersistence, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """What there was to say goes to the standard error."""

    class Raising(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise ConnectionError("the log server is gone")

    logger, handler = logging.getLogger("exqueue"), Raising()
    caplog.set_level(logging.INFO, "exqueue")
    logger.addHandler(handler)
    try:
        assert store.session(timeout=1.0).queues() == ()
    finally:
        logger.removeHandler(handler)
    assert re.search(
        r"INFO \(a log handler failed\): jobs are kept in the new file.*ConnectionError: the log server is gone",
        capsys.readouterr().err,
        re.DOTALL,
    )


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that changes the present directory moves no store."""
    monkeypatch.chdir(tmp_path)
    store = open_persistence("sqlite:///here.db")
    monkeypatch.chdir("/")
    store.session(timeout=1.0).queues()
    store.close()
    assert (tmp_path / "here.db").exists()


@pytest.mark.parametrize("content", [b"This is a letter, and no database at all. " * 200, b"SQLite format 3\0" * 300])
def test_a_file_that_is_no_database_is_left_as_it_is(open_store: Open, path: Path, content: bytes) -> None:
    """It is refused with the next step, also the second time, and not one byte of it is changed."""
    path.write_bytes(content)
    session = open_store().session(timeout=1.0)
    for _ in range(2):
        with pytest.raises(StoreDamaged, match=r"damaged or no database.*not touched any more.*backup"):
            Client(session).push("a")
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_left_as_it_is(session: SqliteSession, path: Path) -> None:
    """Tables of somebody else stay alone; not even the journal mode is changed."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE meta (key TEXT, value TEXT)")
        other.execute("INSERT INTO meta VALUES ('a', 'b')")
        other.commit()
    before = digest(path)
    with pytest.raises(StoreDamaged, match="another program, and is left as it is: name another file"):
        session.queues()
    assert digest(path) == before


def test_a_newer_layout_is_refused_by_its_name(session: SqliteSession, open_store: Open, path: Path) -> None:
    """What a newer version wrote is not guessed at."""
    session.queues()
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE meta SET layout = ?, needs = '7.1.0'", (LAYOUT + 41,))
        other.commit()
    with pytest.raises(NewerStore, match=rf"has layout {LAYOUT + 41}, .* up to {LAYOUT}: install Exqueue 7.1.0"):
        open_store().session(timeout=1.0).queues()


def test_a_file_from_before_marks_is_completed(session: SqliteSession, open_store: Open, path: Path) -> None:
    """The layout is the same: what died before has no mark, what dies from now on has one."""
    before, client = Owner(session), Client(session)
    client.push("a", "b")
    before.settle(bury(before.fetch_one(), b"trail"))
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP INDEX unreported")
        other.execute("ALTER TABLE jobs DROP COLUMN unreported")
        other.commit()
    sessions = [open_store().session(timeout=1.0) for _ in range(2)]
    assert [one.unreported("q", 10) for one in sessions] == [(), ()]
    owner = Owner(sessions[0], seat=2)
    job = owner.fetch_one()
    owner.settle(bury(job))
    assert [one.mark for one in sessions[1].unreported("q", 10)] == [Mark("b", job.run)]
    assert listed(sessions[1], "dead") == ["a", "b"]
    for one in sessions:
        one.close()


def test_a_missing_directory_is_an_outage_that_says_so(tmp_path: Path) -> None:
    """Directories are not made in silence: the path may be mistyped, or a disk not mounted yet."""
    store = open_sqlite(f"sqlite:///{tmp_path}/no/store.db", "default")
    with pytest.raises(Outage, match=rf"there is no directory {tmp_path}/no: make it"):
        store.session(timeout=1.0).queues()
    (tmp_path / "no").mkdir()
    assert store.session(timeout=1.0).queues() == ()
    store.close()


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    """The URL has to name a file in it."""
    with pytest.raises(Outage, match="is a directory: name a file"):
        open_sqlite(f"sqlite:///{tmp_path}", "default").session(timeout=1.0).queues()


def test_an_old_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, with what there is, what is needed, and what else there is."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.36.0")
    with pytest.raises(ConfigError, match=r"SQLite 3\.36\.0.*needs 3\.37 or newer.*redis://"):
        open_sqlite("sqlite:///x.db", "default")


MOUNTS = """\
21 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 21 0:26 / /srv rw shared:1 - nfs4 host:/srv rw
31 30 0:27 / /srv/local rw - xfs /dev/vdb rw
32 21 0:28 / /mnt/my\\040share rw - cifs //host/share rw
33 21 0:29 / /home/me/far rw - fuse.sshfs me@host: rw
34 33 0:30 / /home/me/far rw - ext4 /dev/vdc rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/store.db", None),
        ("/srv/store.db", "nfs4"),
        ("/srv/local/store.db", None),
        ("/srv-2/store.db", None),
        ("/mnt/my share/store.db", "cifs"),
        ("/home/me/far/store.db", None),
    ],
)
def test_fault_107_a_network_file_system_is_recognised(tmp_path: Path, path: str, kind: str | None) -> None:
    """The mount that is nearest counts, and of two at one point the later."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert network_file_system(path, mounts) == kind


def test_fault_107_where_mounts_are_not_told_nothing_is_said(tmp_path: Path) -> None:
    """On a system without /proc."""
    assert network_file_system("/srv/store.db", tmp_path / "none") is None


def test_fault_107_a_network_file_system_is_a_danger(session: SqliteSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """It works, until two hosts lock the file at once."""
    monkeypatch.setattr(reads, "network_file_system", lambda path: "nfs4")
    (danger,) = session.diagnose()
    assert "network file system (nfs4)" in danger.sentence
    assert not danger.is_grave
