"""What an error of SQLite or of the file system means, in words for people, each with the next step."""

from __future__ import annotations

import sqlite3
from typing import Final

from exqueue.errors import Outage, StorageFull, StoreDamaged

_PRIMARY: Final = 0xFF
"""The part of an extended result code that names its class."""

DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_UNWRITABLE: Final = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})


def code_of(error: sqlite3.Error) -> int:
    """The class of an error of SQLite; -1 for one of Python's own (a closed connection)."""
    code: int = getattr(error, "sqlite_errorcode", -1)
    return code & _PRIMARY if code >= 0 else code


def is_locked(error: sqlite3.Error) -> bool:
    """Whether another connection was at it just then, so that it may be tried again."""
    return code_of(error) in _LOCKED


def explained(error: sqlite3.Error, path: str, *, committing: bool, timeout: float) -> Outage:
    """Translate an error.

    Args:
        error: what SQLite said.
        path: of the file.
        committing: whether it was the commit that failed: then only a full disk is certain to have undone it.
        timeout: seconds that were waited at most.
    """
    code = code_of(error)
    said = f"{error} ({getattr(error, 'sqlite_errorname', type(error).__name__)})"
    if code == sqlite3.SQLITE_FULL:
        return StorageFull(f"there is no room on the disk of {path}: nothing was stored; make room there [{said}]")
    if code in DAMAGED:
        return damaged(path, said)
    if code in _LOCKED:
        reason = (
            f"{path} was locked by another process for {timeout:g} s; see which with `fuser {path}` and end its "
            f"transaction [{said}]"
        )
        return Outage(reason, sent=committing)
    if code in _UNWRITABLE:
        reason = f"{path} can't be written: give this user the right to write the file and its directory [{said}]"
        return Outage(reason, sent=committing)
    if code == sqlite3.SQLITE_CANTOPEN:
        reason = (
            f"{path} can't be opened: its directory must exist, and this user must be allowed to write there [{said}]"
        )
        return Outage(reason, sent=committing)
    if code == sqlite3.SQLITE_IOERR:
        return Outage(f"the disk of {path} fails: look into the system's log [{said}]", sent=committing)
    return Outage(f"{path}: {said}", sent=committing)


def damaged(path: str, said: str) -> StoreDamaged:
    """The file is not a sound database: it is left as it is."""
    return StoreDamaged(
        f"{path} is damaged or no database, and is not touched any more: stop what uses it, copy it away, and bring "
        f"back a backup or try `sqlite3 {path} .recover` [{said}]"
    )
