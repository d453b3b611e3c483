"""A runtime on greenlets: one actor at a time, virtual time, and a seed that decides who runs next."""

from __future__ import annotations

import random
from collections import deque
from queue import Empty
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from exqueue.supervision import Reply
from exqueue.testing.simulation.callbacks import Callback, CallbackFault, CallbackFaults
from exqueue.testing.simulation.scheduler import Bell, Owner

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.clock import Clock
    from exqueue.supervision.inbox import Envelope
    from exqueue.testing.simulation.scheduler import Scheduler

P = ParamSpec("P")
T = TypeVar("T")


class SeededTask:
    """A loop on a greenlet."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._ended = Bell(scheduler)
        self._has_ended = False

    def end(self) -> None:
        self._has_ended = True
        self._ended.ring()

    def is_alive(self) -> bool:
        return not self._has_ended

    def join(self, timeout: float | None = None) -> None:
        if not self._has_ended:
            self._scheduler.wait_at(self._ended, timeout)

    def stack(self) -> str:
        return ""


class SeededLine:
    """A line whose reader gives way until something is there."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._filled = Bell(scheduler)
        self._items: deque[Envelope | None] = deque()

    def put(self, item: Envelope | None) -> None:
        self._items.append(item)
        self._filled.ring()

    def get(self) -> Envelope | None:
        if self._items:
            self._scheduler.give_way()
        while not self._items:
            self._scheduler.wait_at(self._filled)
        return self._items.popleft()

    def get_nowait(self) -> Envelope | None:
        if not self._items:
            raise Empty
        return self._items.popleft()

    def qsize(self) -> int:
        return len(self._items)


class RingingLock:
    """What a `Reply` is held shut with: opening it rings, whichever way it is answered."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._is_locked = True

    def locked(self) -> bool:
        return self._is_locked

    def acquire(self, *, timeout: float = -1) -> bool:
        """Take it if it is open; who has to wait waits at the bell."""
        was_open = not self._is_locked
        self._is_locked = True
        return was_open

    def release(self) -> None:
        self._is_locked = False
        self._bell.ring()


class SeededReply(Reply[Any]):
    """A reply whose asker gives way until it is answered."""

    __slots__ = ("_answered", "_scheduler")

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._answered = Bell(scheduler)
        self._done = RingingLock(self._answered)  # type: ignore[assignment] # as much of a lock as a reply needs

    def get(self, *, timeout: float | None = None) -> Any:
        if not self.is_answered():
            self._scheduler.wait_at(self._answered, timeout)
        return super().get(timeout=0)


class SeededRuntime:
    """See `exqueue.supervision.Runtime`. One for each system; those of one scheduler share its time and its chance.

    Args:
        scheduler: whose turn it is.
        owner: whom everything belongs to that runs here.
        clock: the virtual one of the scheduler, unless a node has a clock of its own.
    """

    def __init__(self, scheduler: Scheduler, owner: Owner | None = None, clock: Clock | None = None) -> None:
        self.clock: Clock = scheduler.clock if clock is None else clock
        self._scheduler = scheduler
        self._owner = Owner("") if owner is None else owner
        self._to_raise: dict[str, tuple[int, Exception]] = {}
        self._callbacks = CallbackFaults()

    def spawn(self, target: Callable[[], None], name: str) -> SeededTask:
        task = SeededTask(self._scheduler)
        self._callbacks.started(target, name.removeprefix("exqueue:"))

        def body() -> None:
            try:
                target()
            finally:
                task.end()

        self._scheduler.spawn(body, self._full_name(name.removeprefix("exqueue:")), self._owner)
        return task

    def line(self) -> SeededLine:
        return SeededLine(self._scheduler)

    def reply(self) -> SeededReply:
        return SeededReply(self._scheduler)

    def after(self, delay_s: float, callback: Callable[[], None]) -> Callable[[], None]:
        return self._scheduler.after(delay_s, callback, self._owner)

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Others may run before the call begins and after it ended; there it can be made to raise."""
        self._give_way_in_call()
        answer = function(*args, **kwargs)
        self._give_way_in_call()
        return answer

    def run_user(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `call`, but nothing is made to raise here: that would be the job's own failure."""
        self._scheduler.give_way()
        try:
            return function(*args, **kwargs)
        finally:
            self._scheduler.give_way()

    def raise_in_call(self, name: str, error: Exception, switch: int) -> None:
        """Make whoever has this name raise at a switch point of its calls: 0 is the next, 1 the one after it."""
        self._to_raise[self._full_name(name)] = (switch, error)

    def raise_in_callback(self, name: str, callback: Callback, error: BaseException, *, at_end: bool) -> None:
        """Make the actor of this name raise at the begin or end of a callback: the next time, and no more.

        In ``on_start`` that is the actor which will be started next under the name.
        """
        self._callbacks.arm(name, CallbackFault(callback, error, at_end))

    def random(self) -> random.Random:
        return random.Random(self._scheduler.random.getrandbits(64))

    def token(self, size: int) -> bytes:
        return self._scheduler.random.randbytes(size)

    def close(self) -> None:
        """Nothing: the timers are the scheduler's."""

    def _full_name(self, name: str) -> str:
        return f"{self._owner.name} {name}" if self._owner.name else name

    def _give_way_in_call(self) -> None:
        self._scheduler.give_way()
        name, _ = self._scheduler.current()
        armed = self._to_raise.pop(name, None)
        if armed is None:
            return
        switch, error = armed
        if switch == 0:
            raise error
        self._to_raise[name] = (switch - 1, error)
