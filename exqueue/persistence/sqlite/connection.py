"""One connection: a verb is one short transaction, and after whatever is not an answer the connection is closed.

That there is no room is one: to close the last connection gives the room of the log away, which may not be had again.
"""

from __future__ import annotations

import contextlib
import logging  # noqa: F401 - loaded before the registration at the end of this file
import os
import random
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, ClassVar, TypeVar
from weakref import WeakSet

from exqueue.errors import Outage
from exqueue.persistence.sqlite.failures import code_of, is_locked
from exqueue.persistence.sqlite.thrift import has_emptied_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exqueue.persistence.sqlite.file import StoreFile

T = TypeVar("T")

LOOK_AGAIN_S = (0.0002, 0.002)
"""How long a transaction waits, at random between these, before it tries again to get the lock of another process."""

FORK_WAITS_S = 1.0
"""How long a fork waits for transactions that are under way; one that takes longer waits for a lock, outside SQLite."""

SIGNAL = (
    "INSERT OR REPLACE INTO signals (number, namespace, name) "
    "VALUES ((SELECT coalesce(max(number), 0) + 1 FROM signals), ?, ?)"
)


class Step:
    """One transaction under way: what a verb has in its hands.

    ``now``: seconds since the Unix epoch, looked at once, after the lock was taken. ``lease_now`` and ``boot``: the
    same on the clock of leases.
    """

    __slots__ = ("boot", "db", "has_signalled", "lease_now", "namespace", "now")

    def __init__(self, db: sqlite3.Connection, namespace: str, file: StoreFile) -> None:
        self.db = db
        self.namespace = namespace
        self.now = file.time.now()
        self.lease_now = file.time.lease_now()
        self.boot = file.time.boot
        self.has_signalled = False

    def signal(self, name: str) -> None:
        """Tell all that listen to the namespace, when this transaction is committed."""
        self.db.execute(SIGNAL, (self.namespace, name))
        self.has_signalled = True


class Wire:
    """A connection that connects at its next use when it is closed.

    Not for two threads at once; `close` may come from any.

    Args:
        file: where to.
        namespace: of all that is done over it.
        timeout: seconds that one transaction may take, connecting and waiting for others included.
    """

    # While the process forks no wire is used: a lock inside SQLite that a thread held just then would be held in the
    # child for ever, and the first thing that the child asks of SQLite would hang. And a connection that was carried
    # over a fork must be neither used nor closed there: the child keeps it for ever.
    _open: ClassVar[WeakSet[Wire]] = WeakSet()
    _listing: ClassVar[threading.Lock] = threading.Lock()
    _paused: ClassVar[list[threading.Lock]] = []
    _of_parents: ClassVar[list[sqlite3.Connection]] = []

    def __init__(self, file: StoreFile, namespace: str, timeout: float) -> None:
        self._db: sqlite3.Connection | None = None
        self.timeout = timeout
        self._file = file
        self._namespace = namespace
        self._is_durable = False
        self._thrift = file.thrift()
        self._using = threading.Lock()
        with self._listing:
            self._open.add(self)

    def fit(self, timeout: float) -> None:
        """See `exqueue.persistence.lending.Connection`."""
        self.timeout = timeout

    @classmethod
    def pause_all(cls) -> None:
        """Before a fork: wait until no wire is used, `FORK_WAITS_S` at most, and keep it so."""
        until = time.monotonic() + FORK_WAITS_S
        seen: set[Wire] = set()
        while new := cls._listed() - seen:
            seen |= new
            for wire in new:
                using = wire._using  # noqa: SLF001 - of this very class
                if using.acquire(timeout=max(0.0, until - time.monotonic())):
                    cls._paused.append(using)

    @classmethod
    def _listed(cls) -> set[Wire]:
        with cls._listing:
            return set(cls._open)

    @classmethod
    def resume_all(cls) -> None:
        """After a fork, in the parent."""
        while cls._paused:
            cls._paused.pop().release()

    @classmethod
    def leave_to_parent(cls) -> None:
        """In a forked child: let go of all connections."""
        cls._paused.clear()
        cls._listing = threading.Lock()
        for wire in list(cls._open):
            wire.let_go()

    def let_go(self) -> None:
        """Forget the connection without closing it."""
        if self._db is not None:
            self._of_parents.append(self._db)
        self._db, self._using = None, threading.Lock()

    def write(self, act: Callable[[Step], T], *, durable: bool, stores: bool = False) -> T:
        """Do ``act`` in one transaction that no other writer gets between.

        Args:
            act: whatever it raises undoes the transaction. It is done once more after a log that filled the disk was
                emptied.
            durable: whether it must survive a power cut once it was answered. (A killed process loses nothing either
                way, and a power cut only ever takes the last transactions, in their order.)
            stores: whether it may bring new jobs: on a disk that is nearly full they leave room for all else.

        Raises:
            Outage: it was not possible; `StorageFull` and `StoreDamaged` among them.
        """
        until = time.monotonic() + self.timeout
        with self._used(until):
            writing = self._file.room.writing
            db = self._connected(until)
            if not writing.acquire(timeout=max(0.0, until - time.monotonic())):
                raise Outage(f"{self._file.path} was in use by other threads for {self.timeout:g} s", sent=False)
            try:
                has_signalled, reply = self._write(db, act, until, durable=durable, stores=stores)
            finally:
                writing.release()
        if has_signalled:
            self._file.room.ring()
        return reply

    def _write(
        self, db: sqlite3.Connection, act: Callable[[Step], T], until: float, *, durable: bool, stores: bool
    ) -> tuple[bool, T]:
        is_last_try = False
        while True:
            committing = False
            try:
                self._prepare(db, durable=durable, stores=stores)
                _patiently(lambda: db.execute("BEGIN IMMEDIATE"), until)
                step = Step(db, self._namespace, self._file)
                reply = act(step)
                committing = True
                db.execute("COMMIT")
            except sqlite3.Error as error:
                if is_last_try or code_of(error) != sqlite3.SQLITE_FULL or not self._has_made_room(db):
                    raise self._broken(db, error, committing=committing) from error
                is_last_try = True
            except BaseException:
                self._undo(db)
                raise
            else:
                self._thrift.committed(db)
                return step.has_signalled, reply

    def _prepare(self, db: sqlite3.Connection, *, durable: bool, stores: bool) -> None:
        self._thrift.fit(db, stores=stores)
        if durable != self._is_durable:
            db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._is_durable = durable

    def _has_made_room(self, db: sqlite3.Connection) -> bool:
        self._undo(db)
        return self._db is db and has_emptied_log(db)

    def read(self, act: Callable[[Step], T]) -> T:
        """Do ``act``, which only looks, on one state of the file; writers go on meanwhile.

        Raises:
            Outage: it was not possible.
        """
        until = time.monotonic() + self.timeout
        with self._used(until):
            db = self._connected(until)

            def look() -> T:
                db.execute("BEGIN")
                try:
                    return act(Step(db, self._namespace, self._file))
                finally:
                    if db.in_transaction:
                        db.execute("ROLLBACK")

            try:
                return _patiently(look, until)
            except sqlite3.Error as error:
                raise self._broken(db, error, committing=False) from error
            except BaseException:
                self._undo(db)
                raise

    def version(self) -> int:
        """A number that is another one when any other connection, of whatever process, has committed since."""
        until = time.monotonic() + self.timeout
        with self._used(until):
            db = self._connected(until)
            try:
                found: int = _patiently(lambda: db.execute("PRAGMA data_version").fetchone()[0], until)
            except sqlite3.Error as error:
                raise self._broken(db, error, committing=False) from error
            return found

    def close(self) -> None:
        """Close the connection; harmless when there is none. Waits for a transaction that is under way."""
        with self._using:
            self._drop()

    def __del__(self) -> None:
        # A connection and its cache of statements hold each other: left alone it would wait for the garbage collector.
        self._drop()

    @contextlib.contextmanager
    def _used(self, until: float) -> Iterator[None]:
        self._file.check()
        if not self._using.acquire(timeout=max(0.0, until - time.monotonic())):
            raise Outage(f"this connection to {self._file.path} was in use for {self.timeout:g} s", sent=False)
        try:
            yield
        finally:
            self._using.release()

    def _connected(self, until: float) -> sqlite3.Connection:
        db = self._db
        if db is None:
            try:
                db = self._db = _patiently(self._file.open, until)
            except sqlite3.Error as error:
                raise self._file.refusal(error, committing=False, timeout=self.timeout) from error
            self._is_durable = False
            self._thrift.forget()
        return db

    def _broken(self, db: sqlite3.Connection, error: sqlite3.Error, *, committing: bool) -> Outage:
        self._undo(db)
        if code_of(error) != sqlite3.SQLITE_FULL:
            self._drop()
        return self._file.refusal(error, committing=committing, timeout=self.timeout)

    def _undo(self, db: sqlite3.Connection) -> None:
        try:
            if db.in_transaction:
                db.execute("ROLLBACK")
        except sqlite3.Error:
            self._drop()

    def _drop(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()


def _patiently(act: Callable[[], T], until: float) -> T:
    """Do it again while another process holds the lock."""
    while True:
        try:
            return act()
        except sqlite3.Error as error:
            if not is_locked(error) or time.monotonic() >= until:
                raise
        time.sleep(random.uniform(*LOOK_AGAIN_S))


# What is registered last runs first before a fork. `logging` registers its own lock when it is loaded, which has to be
# earlier: else a fork would hold that lock while it waits for a thread that opens the file and says so in the log.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=Wire.pause_all, after_in_parent=Wire.resume_all, after_in_child=Wire.leave_to_parent)
