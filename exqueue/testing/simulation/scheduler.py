"""Whose turn it is, and when: greenlets on one thread, a seed that chooses among them, and time that jumps.

A turn lasts from one point where somebody waits or gives way to the next. Nothing else interrupts it: what two real
threads could do between two such points is not tried here.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
from typing import TYPE_CHECKING, NoReturn

import greenlet

from exqueue.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

EPOCH_S = 1_800_000_000.0
"""The wall clock at the beginning of every simulation."""

IN_A_THREAD = "a thread has no part in a simulation: jobs must not start any, and call their side effects themselves"
OF_ANOTHER_RUN = "what an earlier run has made was called: a scenario makes its world anew"


class Deadlock(Exception):
    """Everyone waits for what nobody will do, and no timer is set."""


class VirtualClock:
    """Time that passes only while nobody can run. Written by the scheduler."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        """The wall clock."""
        return EPOCH_S + self.now

    def monotonic(self) -> float:
        """What time-outs are measured with."""
        return self.now

    def boottime(self) -> float:
        """What leases are measured with."""
        return self.now


class NodeClock:
    """The clocks of one machine: its wall clock may be wrong, and jump. What time-outs are measured with does not.

    Args:
        right: the virtual clock.
    """

    def __init__(self, right: VirtualClock) -> None:
        self.is_ahead_s = 0.0
        self._right = right

    def time(self) -> float:
        """The wall clock, which is ahead by `is_ahead_s`, or behind."""
        return self._right.time() + self.is_ahead_s

    def monotonic(self) -> float:
        """What time-outs are measured with."""
        return self._right.monotonic()

    def boottime(self) -> float:
        """What leases are measured with."""
        return self._right.boottime()


class Owner:
    """Whoever greenlets and timers belong to, say a node. Once it is dead none of them ever goes on.

    While it is frozen none of them has a turn, though its timers come due: their time is over when it thaws.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_dead = False
        self.is_frozen = False
        self.held_back: list[Waiting] = []


class Waiting:
    """A greenlet between two turns. ``is_met``: why it goes on, for what it waited for or because its time is over."""

    __slots__ = ("greenlet", "is_met", "is_ready", "name", "owner")

    def __init__(self, it: greenlet.greenlet, name: str, owner: Owner) -> None:
        self.greenlet = it
        self.name = name
        self.owner = owner
        self.is_ready = False
        self.is_met = False


class Bell:
    """Wakes whoever waits at it; who was not there has missed it."""

    __slots__ = ("_scheduler", "waiting")

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.waiting: list[Waiting] = []

    def ring(self) -> None:
        """Let all who wait here go on."""
        for waiting in self.waiting:
            self._scheduler.make_ready(waiting, is_met=True)
        self.waiting.clear()


class Scheduler:
    """Runs everything on the one thread that made it, whose own greenlet is ``main``.

    Args:
        seed: of `random`, which decides all that is left to chance.
        on_turn: told the name of whoever is about to have a turn.

    Attributes:
        random: the one source of chance.
        turns: how many turns there have been.
        is_over: whether `end` was called; whoever is not ``main`` only cleans up.
    """

    def __init__(self, seed: int, on_turn: Callable[[str], None] = lambda _: None) -> None:
        self.clock = VirtualClock()
        self.random = random.Random(seed)
        self.turns = 0
        self._on_turn = on_turn
        self._thread = threading.current_thread()
        self._main = greenlet.getcurrent()
        self._world = Owner("world")
        self._hub = greenlet.greenlet(self._run)
        self._names: dict[greenlet.greenlet, tuple[str, Owner]] = {self._main: ("main", self._world)}
        self._ready: list[Waiting] = []
        self._polled: dict[Waiting, Callable[[], bool]] = {}
        self._timers: list[tuple[float, int, Owner, list[Callable[[], None]]]] = []
        self._order = itertools.count()
        self.is_over = False

    # -- what runs
    def spawn(self, target: Callable[[], None], name: str, owner: Owner | None = None) -> None:
        """Have ``target`` run when its turn comes. What it raises comes out of `main`'s wait."""

        def body() -> None:
            try:
                target()
            finally:
                self._names.pop(it)

        it = greenlet.greenlet(body, parent=self._hub)
        self._names[it] = (name, owner or self._world)
        self.make_ready(Waiting(it, *self._names[it]), is_met=True)

    def current(self) -> tuple[str, Owner]:
        """The name of whoever runs now, and whose it is.

        Raises:
            ConfigError: that is none of this scheduler's greenlets.
        """
        here = self._names.get(greenlet.getcurrent())
        if here is None:
            raise ConfigError(IN_A_THREAD if threading.current_thread() is not self._thread else OF_ANOTHER_RUN)
        return here

    def after(self, delay_s: float, callback: Callable[[], None], owner: Owner | None = None) -> Callable[[], None]:
        """Call ``callback``, which must not wait, in ``delay_s`` seconds unless its owner is dead; returns a cancel."""
        callbacks = [callback]
        heapq.heappush(self._timers, (self.clock.now + delay_s, next(self._order), owner or self._world, callbacks))
        return callbacks.clear

    def thaw(self, owner: Owner) -> None:
        """Let the turns of a frozen owner come."""
        owner.is_frozen = False
        self._ready.extend(owner.held_back)
        owner.held_back.clear()

    def end(self) -> None:
        """End every greenlet: none of them goes on, and what they clean up with must not wait."""
        self.is_over = True
        for it in tuple(self._names):
            if it is not self._main and not it.dead:
                it.parent = greenlet.getcurrent()
                it.throw(greenlet.GreenletExit)
        # What a suspended greenlet has on its stack is never collected.
        if self._hub:
            self._hub.throw(greenlet.GreenletExit)
        self._ready.clear()
        self._polled.clear()
        self._timers.clear()

    # -- what waits
    def give_way(self) -> None:
        """Let the seed decide who goes on."""
        waiting = Waiting(greenlet.getcurrent(), *self.current())
        self.make_ready(waiting, is_met=True)
        self._switch()

    def vanish(self) -> NoReturn:
        """Have no turn any more, as whoever runs on a node that has just died."""
        self._switch()
        raise AssertionError("the dead do not go on")

    def sleep(self, delay_s: float) -> None:
        """Wait in virtual time."""
        self.wait_at(Bell(self), delay_s)

    def wait_at(self, bell: Bell, timeout: float | None = None) -> bool:
        """Wait until the bell rings; ``False`` when ``timeout`` virtual seconds were over before.

        Raises:
            Deadlock: (in main) nobody can ever go on.
        """
        waiting = Waiting(greenlet.getcurrent(), *self.current())
        bell.waiting.append(waiting)
        self._wait(waiting, timeout)
        if not waiting.is_met and waiting in bell.waiting:
            # It is not there any more when the bell rang between the end of the time and this turn: too late.
            bell.waiting.remove(waiting)
        return waiting.is_met

    def wait(self, condition: Callable[[], bool], timeout: float | None = None) -> bool:
        """As `wait_at`, for a condition that is looked at before each turn: for the few who have no bell to wait at."""
        waiting = Waiting(greenlet.getcurrent(), *self.current())
        self._polled[waiting] = condition
        self._wait(waiting, timeout)
        return waiting.is_met

    def make_ready(self, waiting: Waiting, *, is_met: bool) -> None:
        """Let it have a turn, unless it is to have one already."""
        if not waiting.is_ready:
            waiting.is_ready, waiting.is_met = True, is_met
            self._ready.append(waiting)

    def _wait(self, waiting: Waiting, timeout: float | None) -> None:
        if timeout is None:
            self._switch()
            return
        cancel = self.after(max(timeout, 0.0), lambda: self.make_ready(waiting, is_met=False), waiting.owner)
        self._switch()
        cancel()

    def _switch(self) -> None:
        if self.is_over:
            raise greenlet.GreenletExit
        self._hub.switch()

    # -- the hub's own greenlet
    def _run(self) -> None:
        while True:
            self._fire_timers()
            if self._polled:
                self._poll()
            if not self._ready:
                self._let_time_pass()
                continue
            chosen = self._choose()
            if chosen.owner.is_dead:
                continue
            if chosen.owner.is_frozen:
                chosen.owner.held_back.append(chosen)
                continue
            self.turns += 1
            self._on_turn(chosen.name)
            chosen.greenlet.switch()

    def _choose(self) -> Waiting:
        ready = self._ready
        at = int(self.random.random() * len(ready))
        ready[at], ready[-1] = ready[-1], ready[at]
        return ready.pop()

    def _poll(self) -> None:
        for waiting, condition in tuple(self._polled.items()):
            if waiting.is_ready or condition():
                del self._polled[waiting]
                self.make_ready(waiting, is_met=True)

    def _fire_timers(self) -> None:
        timers, now = self._timers, self.clock.now
        while timers and timers[0][0] <= now:
            _, _, owner, callbacks = heapq.heappop(timers)
            if not owner.is_dead:
                for callback in tuple(callbacks):
                    callback()

    def _let_time_pass(self) -> None:
        timers = self._timers
        while timers and (timers[0][2].is_dead or not timers[0][3]):
            heapq.heappop(timers)
        if not timers:
            waiting = sorted(name for name, owner in self._names.values() if not owner.is_dead)
            raise Deadlock(f"waiting for ever: {', '.join(waiting)}")
        self.clock.now = max(self.clock.now, timers[0][0])
