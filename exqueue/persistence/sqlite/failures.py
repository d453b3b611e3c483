"""What an error of SQLite or of the file system means, in words for people, each with the next step."""

from __future__ import annotations

import errno
import os
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


def _is_without_room_to_open(error: sqlite3.Error) -> bool:
    """Whether there is no room for the index of the log, which the first connection makes."""
    return getattr(error, "sqlite_errorcode", -1) == sqlite3.SQLITE_IOERR_SHMSIZE


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
    if code == sqlite3.SQLITE_FULL or (_is_without_room_to_open(error) and not committing):
        return StorageFull(no_room(path, said))
    if code in DAMAGED:
        return damaged(path, said)
    if code in _LOCKED:
        reason = (
            f"{path} was locked by another process for {timeout:g} s; see which with `fuser {path}` and end its "
            f"transaction [{said}]"
        )
        return Outage(reason, sent=committing)
    refusal = _refusal(code, path)
    return Outage(f"{refusal} [{said}]", sent=committing, refusal=refusal)


def _refusal(code: int, path: str) -> str:
    """What no waiting mends, and what does."""
    if code in _UNWRITABLE:
        return unwritable(path)
    if code == sqlite3.SQLITE_CANTOPEN:
        return f"{path} can't be opened: its directory must exist, and this user must be allowed to write there"
    if code == sqlite3.SQLITE_IOERR:
        return f"the disk of {path} fails: look into the system's log"
    return f"{path} fails: look into the system's log, and for what the error means into SQLite's manual"


def unwritable(path: str) -> str:
    """Whoever makes a file beside it says so in the same words: it is one refusal."""
    return f"{path} can't be written: give this user the right to write the file and its directory"


def unmade(beside: str, path: str, error: OSError) -> Outage:
    """Why a file ``beside`` that of the store at ``path`` can't be made."""
    said = f"{beside} can't be made: {error.strerror}"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFull(no_room(path, said))
    if isinstance(error, FileNotFoundError):
        refusal = no_directory(path)
    elif isinstance(error, PermissionError) or error.errno == errno.EROFS:
        refusal = unwritable(path)
    else:
        refusal = f"the disk of {path} fails: look into the system's log"
    return Outage(f"{refusal} [{said}]", sent=False, refusal=refusal)


def no_room(path: str, said: str) -> str:
    """The disk is full."""
    return f"there is no room on the disk of {path}: nothing was stored; make room there [{said}]"


def no_directory(path: str) -> str:
    """Whoever wants to make a file there first says so, in the same words."""
    return f"there is no directory {os.path.dirname(path)}: make it, or name another in the URL"  # noqa: PTH120 - text


def damaged(path: str, said: str) -> StoreDamaged:
    """The file is not a sound database: it is left as it is."""
    return StoreDamaged(
        f"{path} is damaged or no database, and is not touched any more: stop what uses it, copy it away, and bring "
        f"back a backup or try `sqlite3 {path} .recover` [{said}]"
    )
