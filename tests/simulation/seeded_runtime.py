"""A runtime on greenlets: one actor at a time, virtual time, and a seed that decides who runs next."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from queue import Empty
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import greenlet

from exqueue.supervision import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.clock import Clock
    from exqueue.supervision.inbox import Envelope

P = ParamSpec("P")
T = TypeVar("T")

EPOCH_S = 1_800_000_000.0
"""The wall clock at the beginning of every simulation."""


class Deadlock(Exception):
    """Everyone waits for what nobody will do, and no timer is set."""


class VirtualClock:
    """Time that passes only while nobody can run. Written by the runtime."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return EPOCH_S + self.now

    def monotonic(self) -> float:
        return self.now

    def boottime(self) -> float:
        return self.now


class Waiting:
    """A greenlet that goes on when its condition is met or its time is over."""

    __slots__ = ("condition", "deadline", "greenlet", "is_met", "name")

    def __init__(self, it: greenlet.greenlet, name: str, condition: Callable[[], bool], deadline: float | None) -> None:
        self.greenlet = it
        self.name = name
        self.condition = condition
        self.deadline = deadline
        self.is_met = False

    def is_runnable(self, now: float) -> bool:
        """Whether it can go on; notes why."""
        self.is_met = self.condition()
        return self.is_met or (self.deadline is not None and self.deadline <= now)


class SeededTask:
    """A loop on a greenlet."""

    def __init__(self, runtime: SeededRuntime) -> None:
        self._runtime = runtime
        self.has_ended = False

    def is_alive(self) -> bool:
        return not self.has_ended

    def join(self, timeout: float | None = None) -> None:
        self._runtime.wait(lambda: self.has_ended, timeout)


class SeededLine:
    """A line whose reader gives way until something is there."""

    def __init__(self, runtime: SeededRuntime) -> None:
        self._runtime = runtime
        self._items: deque[Envelope | None] = deque()

    def put(self, item: Envelope | None) -> None:
        self._items.append(item)

    def get(self) -> Envelope | None:
        self._runtime.wait(lambda: bool(self._items))
        return self._items.popleft()

    def get_nowait(self) -> Envelope | None:
        if not self._items:
            raise Empty
        return self._items.popleft()

    def qsize(self) -> int:
        return len(self._items)


class SeededReply(Reply[Any]):
    """A reply whose asker gives way until it is answered."""

    __slots__ = ("_runtime",)

    def __init__(self, runtime: SeededRuntime) -> None:
        super().__init__()
        self._runtime = runtime

    def get(self, *, timeout: float | None = None) -> Any:
        self._runtime.wait(self.is_answered, timeout)
        return super().get(timeout=0)


class SeededRuntime:
    """See `exqueue.supervision.Runtime`. Used from the one thread that made it.

    ``log`` holds the virtual time and the name of each turn: the whole order in which things happened.
    """

    def __init__(self, seed: int) -> None:
        self._virtual = VirtualClock()
        self.clock: Clock = self._virtual
        self.log: list[tuple[float, str]] = []
        self._random = random.Random(seed)
        self._waiting: list[Waiting] = []
        self._timers: list[tuple[float, int, list[Callable[[], None]]]] = []
        self._order = itertools.count()
        self._hub = greenlet.greenlet(self._schedule)
        self._names: dict[greenlet.greenlet, str] = {}

    def spawn(self, target: Callable[[], None], name: str) -> SeededTask:
        """Have ``target`` run when its turn comes."""
        task = SeededTask(self)

        def body() -> None:
            try:
                target()
            finally:
                task.has_ended = True
                self._names.pop(it)

        it = greenlet.greenlet(body, parent=self._hub)
        self._names[it] = name
        self._waiting.append(Waiting(it, name, lambda: True, None))
        return task

    def line(self) -> SeededLine:
        return SeededLine(self)

    def reply(self) -> SeededReply:
        return SeededReply(self)

    def after(self, delay_s: float, callback: Callable[[], None]) -> Callable[[], None]:
        callbacks = [callback]
        heapq.heappush(self._timers, (self._virtual.now + delay_s, next(self._order), callbacks))
        return callbacks.clear

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Others may run before the call begins and after it ended."""
        self.give_way()
        try:
            return function(*args, **kwargs)
        finally:
            self.give_way()

    def run_user(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `call`."""
        return self.call(function, *args, **kwargs)

    def close(self) -> None:
        self._timers.clear()

    def give_way(self) -> None:
        """Let the seed decide who goes on."""
        self.wait(lambda: True)

    def sleep(self, delay_s: float) -> None:
        """Wait in virtual time."""
        self.wait(lambda: False, delay_s)

    def wait(self, condition: Callable[[], bool], timeout: float | None = None) -> bool:
        """Let others run until ``condition`` is met; ``False`` when ``timeout`` virtual seconds were over before.

        Raises:
            Deadlock: (in the main greenlet) nobody can ever go on.
        """
        me = greenlet.getcurrent()
        deadline = None if timeout is None else self._virtual.now + max(timeout, 0.0)
        waiting = Waiting(me, self._names.get(me, "main"), condition, deadline)
        self._waiting.append(waiting)
        self._hub.switch()
        return waiting.is_met

    def _schedule(self) -> None:
        while True:
            self._fire_timers()
            runnable = [w for w in self._waiting if w.is_runnable(self._virtual.now)]
            if not runnable:
                self._let_time_pass()
                continue
            chosen = self._random.choice(runnable)
            self._waiting.remove(chosen)
            self.log.append((self._virtual.now, chosen.name))
            chosen.greenlet.switch()

    def _fire_timers(self) -> None:
        while self._timers and self._timers[0][0] <= self._virtual.now:
            for callback in heapq.heappop(self._timers)[2]:
                callback()

    def _let_time_pass(self) -> None:
        times = [w.deadline for w in self._waiting if w.deadline is not None]
        times += [due for due, _, callbacks in self._timers if callbacks]
        if not times:
            raise Deadlock(f"waiting for ever: {', '.join(sorted(w.name for w in self._waiting))}")
        self._virtual.now = max(self._virtual.now, min(times))
