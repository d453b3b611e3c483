"""The file of a store: opening it, and making sure that it is ours, sound, and still the one that it was."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sqlite3
import sys
import threading
import traceback
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exqueue.errors import NewerStore, Outage, StoreDamaged, SystemStopped
from exqueue.persistence.sqlite.failures import DAMAGED, code_of, explained, no_directory
from exqueue.persistence.sqlite.room import Room
from exqueue.persistence.sqlite.text import TextConnection, text_of
from exqueue.persistence.sqlite.thrift import Thrift

if TYPE_CHECKING:
    from exqueue.persistence.sqlite.host_time import HostTime

logger = logging.getLogger("exqueue")

LAYOUT: Final = 1
"""The version of the layout (``schema.sql``) that this version reads and writes."""

NEEDS: Final = "0.1.0"
"""The oldest version of Exqueue that knows `LAYOUT`; it stands beside it, for those that do not know it."""

CHECKPOINT_PAGES: Final = 4_000
"""After how many pages (of 4 KiB) the log is copied into the file: the writer waits for the disk then, so not often."""

WAL_KEPT_BYTES: Final = 64 * 1024 * 1024
"""To what size the write-ahead log is cut when it has grown beyond it."""

LOG_SETTINGS: Final = (
    f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}",
    f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}",
)
"""Where there is room; see `Thrift` for where there is little."""

SETTINGS: Final = (
    "PRAGMA busy_timeout = 0",  # Waiting is done by the wire, which looks again sooner.
    "PRAGMA synchronous = NORMAL",
    *LOG_SETTINGS,
    "PRAGMA temp_store = MEMORY",
)


class StoreFile:
    """The file at one path, for one persistence of this process. Safe to share between threads.

    Once it was opened it is never made again and never changed for another: when another file stands in its place, or
    SQLite found it damaged, it is refused until the process opens the store anew.

    Args:
        path: absolute, and free of symbolic links: it names the file for all who look for its holder.
        time: see `HostTime`.
        is_default: nobody chose the path, so that making the file is worth a warning.
    """

    def __init__(self, path: str, time: HostTime, *, is_default: bool) -> None:
        self.path = path
        self.time = time
        self.room = Room.of(path)
        self._is_default = is_default
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._store: str | None = None
        self._identity: tuple[int, int] | None = None
        self._damage: StoreDamaged | None = None

    def open(self) -> sqlite3.Connection:
        """Open a connection that is ready for use.

        Raises:
            sqlite3.Error: what `refusal` explains.
            Outage: the file was replaced, or is no store of ours.
            NewerStore: the store is of a newer layout.
        """
        self.check()
        connection = self._connected()
        is_ready = False
        try:
            is_new = self._identity is None and _is_empty(connection) and _make_store(connection)
            layout, needs, store = _meta(connection, self.path)
            if layout > LAYOUT:
                raise NewerStore(self.path, layout, LAYOUT, needs)
            if self._store is None and not is_new:
                _complete(connection)
            self._note(store, is_new=is_new)
            _use_wal(connection)
            for setting in SETTINGS:
                connection.execute(setting)
            is_ready = True
        finally:
            if not is_ready:
                connection.close()
        return connection

    def thrift(self) -> Thrift:
        """What fits one connection to the room that the disk has."""
        return Thrift(self.path, LOG_SETTINGS)

    @property
    def is_of_parent(self) -> bool:
        """Whether this process is a forked child of the one that made this object."""
        return os.getpid() != self._pid

    def check(self) -> None:
        """Refuse what must not be touched (any more): costs one look at the directory.

        Raises:
            StoreDamaged: the file was deleted or replaced since it was opened, or is damaged.
            SystemStopped: in a forked child.
        """
        if self.is_of_parent:
            raise SystemStopped(
                f"this persistence of {self.path} belongs to process {self._pid}; open one of your own after a fork "
                f"(this is process {os.getpid()})"
            )
        if self._damage is not None:
            raise StoreDamaged(self._damage.reason)
        if self._identity is not None and _identity(self.path) != self._identity:
            raise self._replaced()

    def refusal(self, error: sqlite3.Error, *, committing: bool, timeout: float) -> Outage:
        """Say what an error means; damage is remembered."""
        outage = explained(error, self.path, committing=committing, timeout=timeout)
        if code_of(error) in DAMAGED and isinstance(outage, StoreDamaged):
            self._damage = outage
        return outage

    def _connected(self) -> sqlite3.Connection:
        path = Path(self.path)
        try:
            is_directory, has_directory = path.is_dir(), path.parent.is_dir()
        except PermissionError as error:
            reason = f"{path} can't be reached: give this user the right to enter its directories [{error.strerror}]"
            raise Outage(reason, sent=False, refusal=reason) from error
        if is_directory:
            reason = f"{path} is a directory: name a file in the URL"
            raise Outage(reason, sent=False, refusal=reason)
        if not has_directory:
            reason = no_directory(self.path)
            raise Outage(reason, sent=False, refusal=reason)
        mode = "rwc" if self._identity is None else "rw"
        escaped = self.path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        db = sqlite3.connect(
            f"file:{escaped}?mode={mode}",
            uri=True,
            timeout=0.0,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            factory=TextConnection,
        )
        db.text_factory = text_of
        return db

    def _note(self, store: str, *, is_new: bool) -> None:
        """Remember which store this is, at the first time; compare with it, at any other.

        Whoever made the file says so: another connection, which found it made, may well have come here before.
        """
        with self._lock:
            if self._store not in {None, store}:
                raise self._replaced()
            self._store, self._identity = store, self._identity or _identity(self.path)
        if is_new:
            hint = "; name another with a URL or $EXQUEUE_URL" if self._is_default else ""
            _say(
                logging.WARNING if self._is_default else logging.INFO,
                f"jobs are kept in the new file {self.path}{hint}",
            )

    def _replaced(self) -> Outage:
        return StoreDamaged(
            f"{self.path} was deleted or replaced since it was opened, and what stands there is not touched: put the "
            "file back, or stop the system and start it again to use what is there now"
        )


def _say(level: int, line: str) -> None:
    """Log a line: a handler of the host program that raises must not fail the verb in which the file was opened."""
    try:
        logger.log(level, "%s", line)
    except Exception:  # noqa: BLE001 - a handler may raise anything
        with contextlib.suppress(Exception):
            sys.stderr.write(f"{logging.getLevelName(level)} (a log handler failed): {line}\n{traceback.format_exc()}")


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - at each verb, and `Path` costs more than the look itself
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_empty(connection: sqlite3.Connection) -> bool:
    """Whether there is nothing at all in the file."""
    count: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return count == 0


def _make_store(connection: sqlite3.Connection) -> bool:
    """Fill an empty file; ``False`` when another process was quicker."""
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        is_empty = _is_empty(connection)
        if is_empty:
            # Not `executescript`: it would end the transaction first.
            for statement in SCHEMA:
                connection.execute(statement)
            connection.execute("INSERT INTO meta VALUES (1, ?, ?, ?)", (LAYOUT, NEEDS, secrets.token_hex(8)))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return is_empty


def _complete(connection: sqlite3.Connection) -> None:
    """Add to an older file of this layout what came later, and what older versions leave alone."""
    if _has_marks(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _has_marks(connection):
            connection.execute("ALTER TABLE jobs ADD COLUMN unreported BLOB")
            connection.execute("CREATE INDEX unreported ON jobs (queue) WHERE unreported IS NOT NULL")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _has_marks(connection: sqlite3.Connection) -> bool:
    return any(column == "unreported" for _, column, *_ in connection.execute("PRAGMA table_info(jobs)").fetchall())


def _use_wal(connection: sqlite3.Connection) -> None:
    """Readers and one writer side by side; remembered in the file."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")


def _statements(script: str) -> list[str]:
    plain = "\n".join(line.partition("--")[0] for line in script.splitlines())
    return [statement for part in plain.split(";") if (statement := part.strip())]


# Read by whoever imports this: reading a resource takes locks of the import system, and in a process that forks while
# one of its threads is about it the child could never import anything again.
SCHEMA: Final = _statements((files("exqueue.persistence.sqlite") / "schema.sql").read_text(encoding="utf-8"))


def _meta(connection: sqlite3.Connection, path: str) -> tuple[int, str, str]:
    try:
        row = connection.execute("SELECT layout, needs, store FROM meta WHERE only = 1").fetchone()
    except sqlite3.OperationalError as error:
        if code_of(error) != sqlite3.SQLITE_ERROR:
            raise
        row = None
    if row is None:
        raise StoreDamaged(
            f"{path} is a database of another program, and is left as it is: name another file in the URL"
        )
    return row[0], row[1], row[2]
