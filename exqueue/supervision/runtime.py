"""What actors stand on: threads, time, chance and futures, as one object that a test or a simulation can replace."""

from __future__ import annotations

import math
import random
import secrets
import sys
import threading
import time
import traceback
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from exqueue.clock import Clock, SystemClock
from exqueue.supervision.reply import Reply
from exqueue.supervision.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.supervision.inbox import Line

P = ParamSpec("P")
T = TypeVar("T")


LOOK_EVERY_S = 0.5
"""How often who waits for a thread comes back to Python: a signal that the system gave to another thread, as it does
when two come at once, does not wake the main thread, where its handler must run."""


class Task(Protocol):
    """A running loop."""

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Wait until it ended, at most ``timeout`` seconds."""
        ...

    def stack(self) -> str:
        """Where it is right now, as the text of a traceback; empty when it has ended or that can't be told."""
        ...


class Runtime(Protocol):
    """Everything that an actor can wait for or be interrupted at goes through here."""

    clock: Clock

    def spawn(self, target: Callable[[], None], name: str) -> Task:
        """Begin to run ``target`` beside the others. Raises ``RuntimeError`` when no thread can be started."""
        ...

    def line(self) -> Line:
        """A line for an inbox."""
        ...

    def reply(self) -> Reply[Any]:
        """A future for one answer."""
        ...

    def after(self, delay_s: float, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` (which must not block) after ``delay_s`` seconds; returns what cancels it."""
        ...

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call something outside the process that may block (a persistence)."""
        ...

    def run_user(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the user's code."""
        ...

    def random(self) -> random.Random:
        """A new source of chance for whoever asks: jitter, never a secret."""
        ...

    def token(self, size: int) -> bytes:
        """``size`` bytes that nobody can guess and nobody else draws."""
        ...

    def close(self) -> None:
        """Let go of what the runtime itself runs (its timers); harmless when called twice."""
        ...


class ThreadTask:
    """A daemon thread that knows by itself whether it has ended.

    `threading.Thread` does not: before Python 3.13 an interrupt (Ctrl-C) in its ``join`` or ``is_alive`` marks a thread
    as ended that runs on (https://github.com/python/cpython/issues/89437), and who waits for it again waits for
    nothing.

    Args:
        target: what it runs, from now on.
        name: of the thread.

    Raises:
        RuntimeError: no thread can be started.
    """

    __slots__ = ("_end", "_has_ended", "_thread")

    def __init__(self, target: Callable[[], None], name: str) -> None:
        self._has_ended = False
        self._end = threading.Lock()
        self._end.acquire()
        # Handed over, not kept: whoever holds the thread, as a supervisor does, must not hold the actor that it runs.
        self._thread = threading.Thread(target=self._run, args=([target],), name=name, daemon=True)
        self._thread.start()

    def _run(self, targets: list[Callable[[], None]]) -> None:
        try:
            targets.pop()()
        finally:
            self._has_ended = True
            self._end.release()

    def is_alive(self) -> bool:
        """See `Task.is_alive`."""
        return not self._has_ended

    def join(self, timeout: float | None = None) -> None:
        """See `Task.join`."""
        until = math.inf if timeout is None else time.monotonic() + timeout
        while not self._has_ended:
            # Who is interrupted with the lock in hand leaves it locked: nobody asks for it any more by then.
            if self._end.acquire(timeout=max(0.0, min(until - time.monotonic(), LOOK_EVERY_S))):
                self._end.release()
            elif time.monotonic() >= until:
                return
        self._thread.join()

    def stack(self) -> str:
        """See `Task.stack`."""
        frame = None if self._has_ended else sys._current_frames().get(self._thread.ident or 0)  # noqa: SLF001 - the only way
        return "" if frame is None else "".join(traceback.format_stack(frame))


class ThreadRuntime:
    """Actors on daemon threads, real time, one timer thread.

    Args:
        clock: another one than the system's, for tests.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = SystemClock() if clock is None else clock
        self._timers = Timers(self.clock.monotonic)

    def spawn(self, target: Callable[[], None], name: str) -> Task:
        """See `Runtime.spawn`."""
        return ThreadTask(target, name)

    def line(self) -> Line:
        """See `Runtime.line`."""
        return SimpleQueue()

    def reply(self) -> Reply[Any]:
        """See `Runtime.reply`."""
        return Reply()

    def after(self, delay_s: float, callback: Callable[[], None]) -> Callable[[], None]:
        """See `Runtime.after`."""
        return self._timers.after(delay_s, callback)

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Runtime.call`."""
        return function(*args, **kwargs)

    def run_user(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Runtime.run_user`."""
        return function(*args, **kwargs)

    def random(self) -> random.Random:
        """See `Runtime.random`."""
        return random.Random()

    def token(self, size: int) -> bytes:
        """See `Runtime.token`."""
        return secrets.token_bytes(size)

    def close(self) -> None:
        """See `Runtime.close`."""
        self._timers.close()
