"""The signals of a namespace, read out of the file when something was committed, and a sign of life."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from exqueue.errors import Outage
from exqueue.persistence.sqlite.connection import Wire
from exqueue.persistence.sqlite.lock import RELEASED
from exqueue.persistence.values import LockReleased, QueueWoken

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.sqlite.connection import Step
    from exqueue.persistence.sqlite.file import StoreFile
    from exqueue.persistence.values import Signal

LOOK_EVERY_S = 0.02
"""How often a waiting `next` looks whether another process has committed (3 us); its own process wakes it at once."""


class SqliteSubscription:
    """See `exqueue.persistence.base.Subscription`.

    One thread reads; `close` may come from any.

    Args:
        file: where to.
        namespace: whose signals.
        timeout: seconds that one look may take.
        show_life: makes it seen that whoever listens lives.

    Raises:
        Outage: the file can't be opened.
    """

    def __init__(self, file: StoreFile, namespace: str, timeout: float, show_life: Callable[[], None]) -> None:
        self._file = file
        self._room = file.room
        self._wire = Wire(file, namespace, timeout)
        self._is_closed = False
        self._unread: dict[Signal, None] = {}
        self._heard = 0
        self._version = self._wire.version()
        self._rings = self._room.rings
        self._wire.read(self._hear)
        self._unread.clear()
        self._show_life = show_life
        show_life()

    def next(self, timeout: float) -> Signal | None:
        """See `Subscription.next`."""
        until = time.monotonic() + timeout
        try:
            self._show_life()
            while not self._is_closed:
                self._look()
                if self._unread:
                    signal = next(iter(self._unread))
                    del self._unread[signal]
                    return signal
                left = until - time.monotonic()
                if left <= 0:
                    return None
                self._room.wait(self._rings, min(left, LOOK_EVERY_S))
        except BaseException:
            self.close()
            raise
        raise Outage("the subscription was closed", sent=False)

    def close(self) -> None:
        """See `Subscription.close`."""
        self._is_closed = True
        self._room.ring()
        self._wire.close()

    def _look(self) -> None:
        """Read what was signalled, if anything was committed since the last look."""
        rings, version = self._room.rings, self._wire.version()
        if version != self._version:
            self._wire.read(self._hear)
        self._rings, self._version = rings, version

    def _hear(self, step: Step) -> None:
        asked = "SELECT number, name FROM signals WHERE number > ? AND namespace = ? ORDER BY number"
        for number, name in step.db.execute(asked, (self._heard, step.namespace)).fetchall():
            self._heard = number
            self._unread[LockReleased() if name == RELEASED else QueueWoken(name)] = None
