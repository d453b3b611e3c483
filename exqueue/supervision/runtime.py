"""What actors stand on: threads, time, timers and futures, as one object that a test or a simulation can replace."""

from __future__ import annotations

import threading
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


class Task(Protocol):
    """A running loop."""

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Wait until it ended, at most ``timeout`` seconds."""
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

    def close(self) -> None:
        """Let go of what the runtime itself runs (its timers); harmless when called twice."""
        ...


def _run_only(targets: list[Callable[[], None]]) -> None:
    targets.pop()()


class ThreadRuntime:
    """Actors on daemon threads, real time, one timer thread."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = SystemClock() if clock is None else clock
        self._timers = Timers(self.clock.monotonic)

    def spawn(self, target: Callable[[], None], name: str) -> Task:
        """See `Runtime.spawn`."""
        # Handed over, not kept: whoever holds the thread, as a supervisor does, must not hold the actor that it runs.
        thread = threading.Thread(target=_run_only, args=([target],), name=name, daemon=True)
        thread.start()
        return thread

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

    def close(self) -> None:
        """See `Runtime.close`."""
        self._timers.close()
