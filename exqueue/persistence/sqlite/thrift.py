"""What keeps a small or nearly full disk usable: a short log, and room left for settling what is stored."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import Final

SCARCE_BYTES: Final = 48 * 1024 * 1024
"""Below so much free room the log is kept short: a log of the usual length, and the file that it is copied into, need
some 32 MiB."""

SHORT_LOG_PAGES: Final = 32
"""After how many pages the log is copied into the file while room is scarce."""

KEPT_PAGES: Final = 2 * SHORT_LOG_PAGES
"""Room that new jobs leave free: the log of what settles and deletes, and what of it is copied into the file."""

READERS_END_MS: Final = 250
"""How long a log that has to be emptied waits for those who read it just then."""

MOST_PAGES: Final = 0xFFFFFFFE
"""What SQLite allows of a file that is bounded by nothing else."""


class Thrift:
    """Fits one connection to the room that its disk has.

    The log takes room too, and is emptied only when all of it could be copied into the file. A file that grew in the
    log by more than the disk holds could never be written again, not even to delete: so it may grow, while room is
    scarce, only as far as the log *and* the file have room for it, and new jobs are refused before that.

    Args:
        path: of the file.
        usual: the settings of a connection that has room.
    """

    def __init__(self, path: str, usual: tuple[str, ...]) -> None:
        self._path = path
        self._usual = usual
        self._is_scarce = False
        self._file_pages = 0

    def forget(self) -> None:
        """The connection is a new one, with the usual settings."""
        self._is_scarce = False

    def fit(self, db: sqlite3.Connection, *, stores: bool) -> None:
        """Before a transaction: adjust the connection.

        Args:
            db: the connection.
            stores: whether the transaction may bring new jobs.
        """
        free = _free_bytes(self._path)
        if free >= SCARCE_BYTES:
            if self._is_scarce:
                self._is_scarce = False
                for setting in (*self._usual, f"PRAGMA max_page_count = {MOST_PAGES}"):
                    db.execute(setting)
            return
        page_bytes: int = db.execute("PRAGMA page_size").fetchone()[0]
        if not self._is_scarce:
            self._is_scarce = True
            db.execute(f"PRAGMA wal_autocheckpoint = {SHORT_LOG_PAGES}")
            db.execute(f"PRAGMA journal_size_limit = {KEPT_PAGES * page_bytes}")
        self._file_pages = _file_bytes(self._path) // page_bytes
        growth = free // page_bytes
        if stores:
            growth = max(0, growth - KEPT_PAGES) // 2
        # Never less than the file has by now: SQLite sees to that.
        db.execute(f"PRAGMA max_page_count = {self._file_pages + growth}")

    def committed(self, db: sqlite3.Connection) -> None:
        """After a transaction: while room is scarce, take for the file at once what it grew by in the log.

        Later it could be somebody else's.
        """
        if self._is_scarce:
            with contextlib.suppress(sqlite3.Error):
                if db.execute("PRAGMA page_count").fetchone()[0] > self._file_pages:
                    db.execute("PRAGMA wal_checkpoint(PASSIVE)")


def has_emptied_log(db: sqlite3.Connection) -> bool:
    """Copy the log into the file, so that it is written from its beginning again: that takes no new room.

    Of a log that a slow reader let grow, all but `KEPT_PAGES` is given back: it is room for jobs. No more than that,
    since room that was given up could be somebody else's before it is needed again.
    """
    try:
        db.execute(f"PRAGMA busy_timeout = {READERS_END_MS}")
        try:
            is_busy: int = db.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()[0]
            if not is_busy:
                _begin_log(db)
        finally:
            db.execute("PRAGMA busy_timeout = 0")
    except sqlite3.Error:
        return False
    return not is_busy


def _begin_log(db: sqlite3.Connection) -> None:
    """Write one page to an emptied log, at whose commit SQLite cuts it to its `journal_size_limit`."""
    (same,) = db.execute("PRAGMA user_version").fetchone()
    db.execute(f"PRAGMA user_version = {same}")


def _free_bytes(path: str) -> int:
    """What anybody but root may still write there; a file that can't be looked at is no reason for thrift."""
    try:
        found = os.statvfs(path)
    except OSError:
        return SCARCE_BYTES
    return found.f_bavail * found.f_frsize


def _file_bytes(path: str) -> int:
    """The size of the file; of one that was just deleted, which the next look at it will find."""
    try:
        return os.path.getsize(path)  # noqa: PTH202 - at each verb
    except OSError:
        return 0
