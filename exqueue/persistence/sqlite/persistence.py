"""The persistence in a file: opens sessions and subscriptions."""

from __future__ import annotations

import sqlite3
import weakref
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from exqueue.clock import SystemClock
from exqueue.config import DEFAULT_URL
from exqueue.errors import ConfigError
from exqueue.persistence.lending import Lender, OwnWire, Pool, PooledWire
from exqueue.persistence.sqlite.connection import Wire
from exqueue.persistence.sqlite.file import StoreFile
from exqueue.persistence.sqlite.host_time import HostTime, boot_id
from exqueue.persistence.sqlite.inspector import SqliteInspector
from exqueue.persistence.sqlite.presence import LifeSigns
from exqueue.persistence.sqlite.session import SqliteSession
from exqueue.persistence.sqlite.subscription import SqliteSubscription

OLDEST_SQLITE = (3, 37, 0)
"""The first version with strict tables."""

_HOW = "sqlite:///relative.db and sqlite:////absolute/path.db"


class SqlitePersistence:
    """See `exqueue.persistence.base.Persistence`. `open_sqlite` makes one for a URL.

    Args:
        path: of the file; a relative one is of the present directory, whatever that becomes later.
        namespace: see `Persistence.namespace`.
        time: the host's clocks.
        is_default: nobody chose the path, so that making the file is worth a warning.
    """

    def __init__(self, path: str, namespace: str, *, time: HostTime | None = None, is_default: bool = False) -> None:
        host_time = HostTime(SystemClock(), boot_id()) if time is None else time
        self._file = StoreFile(str(Path(path).resolve()), host_time, is_default=is_default)
        self._namespace = namespace
        self._wire = partial(Wire, self._file, namespace)
        self._pool = Pool(self._wire, self._file.path)
        self._life = LifeSigns(self._file.path, namespace)
        self._opened: weakref.WeakSet[SqliteSession | SqliteSubscription] = weakref.WeakSet()

    @property
    def address(self) -> str:
        """See `Persistence.address`: with the absolute path."""
        return f"sqlite:///{self._file.path}"

    @property
    def namespace(self) -> str:
        """See `Persistence.namespace`."""
        return self._namespace

    def session(self, *, timeout: float, pooled: bool = False) -> SqliteSession:
        """See `Persistence.session`."""
        lender: Lender[Wire]
        lender = PooledWire(self._pool, timeout, self._file.check) if pooled else OwnWire(self._wire(timeout))
        session = SqliteSession(lender, self._file, self._namespace, self._life)
        self._opened.add(session)
        return session

    def subscribe(self, token: str, *, timeout: float) -> SqliteSubscription:
        """See `Persistence.subscribe`."""
        subscription = SqliteSubscription(self._file, self._namespace, timeout, lambda: self._life.show(token))
        self._opened.add(subscription)
        return subscription

    def inspector(self, *, timeout: float) -> SqliteInspector:
        """See `exqueue.persistence.inspection.inspector.Inspectable`."""
        return SqliteInspector(self._wire(timeout), self._wire(timeout), self._file.path)

    def close(self) -> None:
        """See `Persistence.close`; in a forked child nothing is closed, since all of it is the parent's."""
        if self._file.is_of_parent:
            return
        for opened in list(self._opened):
            opened.close()
        self._pool.close()
        self._life.close()


def open_sqlite(url: str, namespace: str) -> SqlitePersistence:
    """Open ``sqlite:///relative.db`` or ``sqlite:////absolute/path.db``; connects when first used.

    Raises:
        ConfigError: the URL is another, has options, or this Python's SQLite is too old.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE[:2]))
        raise ConfigError(
            f"this Python has SQLite {sqlite3.sqlite_version}, and sqlite:// needs {oldest} or newer: use a newer "
            "Python or system, or redis://"
        )
    return SqlitePersistence(path_of(url), namespace, is_default=url == DEFAULT_URL)


def path_of(url: str) -> str:
    """The path that a URL names.

    Raises:
        ConfigError: it names none, or has more than a path.
    """
    rest = url.partition("://")[2]
    plain, _, options = rest.partition("?")
    if options:
        raise ConfigError(f"sqlite:// has no options, but this URL has some: {options.partition('=')[0]!r}")
    if not plain.startswith("/"):
        raise ConfigError(f"a SQLite URL has no host: write three slashes or four, as in {_HOW}")
    if "#" in plain:
        raise ConfigError("a # in a SQLite URL is written %23")
    path = unquote(plain[1:])
    if path == ":memory:":
        raise ConfigError("sqlite:// keeps jobs in a file; for a store in memory use memory://")
    if not path or path.endswith("/") or "\0" in path:
        raise ConfigError(f"a SQLite URL names a file, as in {_HOW}")
    return path
