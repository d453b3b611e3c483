"""What the connections of one process to one file share: the turn to write, and the bell that signals ring."""

from __future__ import annotations

import os
import threading
from typing import ClassVar
from weakref import WeakValueDictionary


class Room:
    """One a file and process.

    ``writing`` is held during each transaction that writes: threads that wait for it are woken at once, while SQLite
    would have them sleep and look again. Across processes SQLite's own lock decides.
    """

    # As with the stores of memory: two systems of one process that were given the same file have nothing else in
    # common. It holds weakly, so that a closed store leaves nothing behind.
    _rooms: ClassVar[WeakValueDictionary[str, Room]] = WeakValueDictionary()
    _rooms_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self.writing = threading.Lock()
        self._rung = threading.Condition()
        self._rings = 0

    def renew_locks(self) -> None:
        """In a forked child: what threads of the parent held here would be held for ever."""
        self.writing = threading.Lock()
        self._rung = threading.Condition()

    @classmethod
    def of(cls, path: str) -> Room:
        """The room of this file in this process."""
        with cls._rooms_lock:
            room = cls._rooms.get(path)
            if room is None:
                room = cls._rooms[path] = Room()
            return room

    @classmethod
    def forget_all(cls) -> None:
        """In a forked child: the rooms are the parent's, and nobody but the parent rings there."""
        for room in list(cls._rooms.values()):
            room.renew_locks()
        cls._rooms = WeakValueDictionary()
        cls._rooms_lock = threading.Lock()

    @property
    def rings(self) -> int:
        """How often it rang; read it before you look, then wait from it."""
        return self._rings

    def ring(self) -> None:
        """Say that something was signalled."""
        with self._rung:
            self._rings += 1
            self._rung.notify_all()

    def wait(self, rings: int, timeout: float) -> None:
        """Return when it has rung since it had rung ``rings`` times, after ``timeout`` seconds at the latest."""
        with self._rung:
            self._rung.wait_for(lambda: self._rings != rings, timeout)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Room.forget_all)
