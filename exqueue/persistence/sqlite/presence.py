"""Who lives: a file lock a token, which the kernel takes back the moment its process ends, however that happens."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import threading
from pathlib import Path
from typing import ClassVar
from weakref import WeakSet

from exqueue.persistence.sqlite.failures import unmade


class LifeSign:
    """The system of a token lives while one of these is open.

    The lock is one of ``flock``, shared, on ``<file>.leader.<digest of namespace and token>``; whoever gets that lock
    for itself alone knows that nobody is there. (Those of ``lockf`` would end with any descriptor of the process.)
    Killed systems leave their file behind: the next to show that it lives deletes those that nobody holds.

    Args:
        path: of the store.
        namespace: of the token.
        token: of the system.

    Raises:
        Outage: the file can't be made.
    """

    # The descriptors are inherited by a fork and would let a dead parent look alive: the child closes its own copies.
    # (Programs that are started get none: Python opens files so.)
    _open: ClassVar[WeakSet[LifeSign]] = WeakSet()

    def __init__(self, path: str, namespace: str, token: str) -> None:
        self._path = witness(path, namespace, token)
        self._descriptor: int | None = None
        self._changing = threading.Lock()
        try:
            _delete_unheld(path)
            self._descriptor = _hold(self._path)
        except OSError as error:
            raise unmade(self._path, path, error) from error
        self._open.add(self)

    def keep(self) -> None:
        """Make the file anew if somebody deleted it.

        Raises:
            OSError: that is not possible.
        """
        with self._changing:
            descriptor = self._descriptor
            if descriptor is not None and not _stands_at(descriptor, self._path):
                self._descriptor = _hold(self._path)
                os.close(descriptor)

    def close(self) -> None:
        """End it; harmless when called twice."""
        with self._changing:
            descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        self._open.discard(self)
        with contextlib.suppress(OSError):
            # Also where a copy of the descriptor is left in some child.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)
        with contextlib.suppress(OSError):
            _delete_if_unheld(self._path)

    @classmethod
    def leave_to_parent(cls) -> None:
        """In a forked child: close the copies. The locks are the parent's and stay."""
        for sign in list(cls._open):
            sign.let_go()
        cls._open = WeakSet()

    def let_go(self) -> None:
        """Close this process's descriptor and leave the lock to whoever has another."""
        descriptor, self._descriptor = self._descriptor, None
        self._changing = threading.Lock()
        if descriptor is not None:
            os.close(descriptor)


class LifeSigns:
    """Those of one persistence: shown from the first subscription or acquisition of a token until the very end.

    So a lease never stands whose holder can't be seen, and what is not seen has ended.

    Args:
        path: of the store.
        namespace: of the tokens.
    """

    def __init__(self, path: str, namespace: str) -> None:
        self._path = path
        self._namespace = namespace
        self._changing = threading.Lock()
        self._signs: dict[str, LifeSign] = {}

    def show(self, token: str) -> None:
        """Show that the system of this token lives; make the file anew if somebody deleted it.

        Raises:
            Outage: the file can't be made.
        """
        with self._changing:
            sign = self._signs.get(token)
            if sign is None:
                self._signs[token] = LifeSign(self._path, self._namespace, token)
                return
        with contextlib.suppress(OSError):
            sign.keep()

    def close(self) -> None:
        """End them all; harmless when called twice."""
        with self._changing:
            signs, self._signs = self._signs, {}
        for sign in signs.values():
            sign.close()


def lives(path: str, namespace: str, token: str) -> bool | None:
    """Whether the system of this token lives; ``None`` when that can't be known."""
    try:
        descriptor = os.open(witness(path, namespace, token), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        return not _is_free(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def witness(path: str, namespace: str, token: str) -> str:
    """The file whose lock tells."""
    digest = hashlib.sha256(f"{namespace}\0{token}".encode()).hexdigest()[:24]
    return f"{path}.leader.{digest}"


def _hold(path: str) -> int:
    """Take the shared lock of the file that stands at ``path``, and not of one that was deleted meanwhile."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if _stands_at(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _stands_at(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), Path(path).stat())
    except FileNotFoundError:
        return False


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _delete_unheld(path: str) -> None:
    store = Path(path)
    prefix = f"{store.name}.leader."
    with os.scandir(store.parent) as entries:
        left = [entry.path for entry in entries if entry.name.startswith(prefix)]
    for each in left:
        with contextlib.suppress(OSError):
            _delete_if_unheld(each)


def _delete_if_unheld(path: str) -> None:
    """Delete the file while it is locked against everybody: who waits for it sees that it is gone and makes another."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        if _is_free(descriptor) and _stands_at(descriptor, path):
            Path(path).unlink()
    finally:
        os.close(descriptor)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=LifeSign.leave_to_parent)
