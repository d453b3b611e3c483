"""What the tests of a whole system share: waiting with a deadline, and a place where their jobs can be held."""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING, Self, TypeVar

from exqueue import GetStatus
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import Fence, Leave

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue import QueueStatus, SystemRef, SystemStatus

T = TypeVar("T")

PATIENCE_S = 10.0
"""How long a test waits for what should come at once: a backstop, as the machine may be busy."""


def eventually(condition: Callable[[], T], within: float = PATIENCE_S) -> T:
    """Ask until the answer is true, and return it; fail after ``within`` seconds."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not true within {within:g} s; the last answer was {answer!r}"
        pause.wait(0.01)
    return answer


def remains(condition: Callable[[], object], seconds: float) -> None:
    """Watch for this long that something stays true."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < deadline:
        assert condition(), "it did not stay true"
        pause.wait(0.05)


def queue_status(system: SystemRef, name: str) -> QueueStatus:
    """The status of one queue, as this node tells it."""
    status: SystemStatus = system.ask(GetStatus())
    return next(queue for queue in status.queues if queue.name == name)


def lose(url: str, namespace: str, queue: str, *, times: int) -> None:
    """Have so many nodes in a row fetch every job of a queue and vanish with them. Nobody else may work it."""
    persistence = open_persistence(url, namespace=namespace)
    session = persistence.session(timeout=5.0)
    token = secrets.token_hex(8)
    for loss in range(times + 1):
        fence = session.acquire(f"lost-{loss}", f"{token}-{loss}", 60.0, 0)
        assert isinstance(fence, Fence)
        session.claim(queue, fence, 1)
        if loss < times:
            assert session.exchange(queue, fence, 1, 1, [], 100, serial=False, leave=Leave(poison_from=2)).jobs
        session.release(fence)
    session.close()
    persistence.close()


class Room:
    """Holds the jobs that visit it until they are let out, and remembers who came and how full it was.

    As a context manager it opens at the end, so that a failed test does not leave jobs behind.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._is_open = False
        self._free: set[object] = set()
        self.inside: list[object] = []
        self.entered: list[object] = []
        self.left: list[object] = []
        self.crowds: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.open()

    def visit(self, who: object = None) -> None:
        """Come in, and stay until let out."""
        with self._changed:
            self.inside.append(who)
            self.entered.append(who)
            self.crowds.append(len(self.inside))
            self._changed.notify_all()
            is_let_out = self._changed.wait_for(lambda: self._is_open or who in self._free, 3 * PATIENCE_S)
            self.inside.remove(who)
            self.left.append(who)
            self._changed.notify_all()
        assert is_let_out

    def open(self) -> None:
        """Let everybody out, and who comes later too."""
        with self._changed:
            self._is_open = True
            self._changed.notify_all()

    def let_out(self, *who: object) -> None:
        """Let these out."""
        with self._changed:
            self._free.update(who)
            self._changed.notify_all()

    def await_entered(self, count: int) -> None:
        """Wait until so many have come in, those that left included."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.entered) >= count, PATIENCE_S), f"entered: {self.entered}"

    def await_left(self, count: int) -> None:
        """Wait until so many have left."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.left) >= count, PATIENCE_S), f"left: {self.left}"
