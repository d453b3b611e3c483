"""The way to the persistence and back: how long it takes, and what gets lost on it.

Each call of a verb has three points at which others may have their turn: before it is carried out, between that and
its answer, and after the answer (see `SeededRuntime.call`). At each of them the caller's node may die.
"""

from __future__ import annotations

import functools
import inspect
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exqueue.errors import ExqueueError, Outage
from exqueue.persistence.memory import MemoryPersistence
from exqueue.persistence.memory.session import MemorySession
from exqueue.testing.simulation.stand_ins import SimulatedPersistence, SimulatedSubscription
from exqueue.testing.simulation.store import StoreCopy, put_back, take_copy
from exqueue.testing.simulation.weather import Faults, Refuses, full, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exqueue.testing.simulation.scheduler import Scheduler

SILENT = 0.5
"""The chance that who can't be reached does not even refuse: the caller waits for as long as it may."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call of a verb, as it leaves its node."""

    node: str
    verb: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    timeout: float

    @property
    def named(self) -> dict[str, Any]:
        """Its arguments by their names in `exqueue.persistence.base.Session`."""
        bound = _signature(self.verb).bind(None, *self.args, **self.kwargs)
        return dict(bound.arguments)


@functools.cache
def _signature(verb: str) -> inspect.Signature:
    return inspect.signature(getattr(MemorySession, verb))


@dataclass(frozen=True, slots=True)
class Effect:
    """A request that the store has carried out, or refused by ``error``: now, whoever still waits for it."""

    request: Request
    answer: Any = None
    error: ExqueueError | None = None


class Network:
    """Everyone's way to one store in memory, whose clock is the virtual one.

    Args:
        scheduler: time and chance.
        note: takes (node, word, subject) of what happens on the way.

    Attributes:
        faults: what may happen from now on.
        refuses: what the store does not take now, for every caller.
        store: the persistence itself, for whoever looks at it from outside: not simulated, never out.
        watchers: called with each effect, at once.
        under_way: how many calls of each verb wait for their answers.
    """

    def __init__(self, scheduler: Scheduler, note: Callable[[str, str, str], None]) -> None:
        self.faults = Faults()
        self.refuses: Refuses | None = None
        self.scheduler = scheduler
        self.store = MemoryPersistence(clock=scheduler.clock.time)
        self.watchers: list[Callable[[Effect], None]] = []
        self.under_way: Counter[str] = Counter()
        self._behind = self.store.session(timeout=0)
        self._note = note
        self._subscriptions: dict[SimulatedSubscription, None] = {}
        self._out_until = 0.0

    # -- the weather
    @property
    def is_out(self) -> bool:
        """Whether the store can't be reached now."""
        return self.scheduler.clock.now < self._out_until

    def go_out(self, duration_s: float) -> None:
        """Let nobody reach the store for so long; what is under way is lost, subscriptions break."""
        self._out_until = max(self._out_until, self.scheduler.clock.now + duration_s)
        for subscription in tuple(self._subscriptions):
            subscription.close()

    def copy(self) -> StoreCopy:
        """All that is stored now, to go back to."""
        return take_copy(self.store)

    def go_back(self, copy: StoreCopy) -> None:
        """Let the store hold what it held then, as after a restart from an older snapshot."""
        put_back(self.store, copy)

    # -- calls
    def persistence(self, node: str) -> SimulatedPersistence:
        """The persistence as one node sees it."""
        return SimulatedPersistence(self, node)

    def call(self, node: str, verb: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], timeout: float) -> Any:
        """Call a verb from a node; see `carry`."""
        self.under_way[verb] += 1
        try:
            return self.carry(Request(node, verb, args, kwargs, timeout))
        finally:
            self.under_way[verb] -= 1

    def carry(self, request: Request) -> Any:
        """Carry a request to the store and its answer back.

        Raises:
            Outage: one of them got lost, or nobody can be reached.
        """
        scheduler, faults = self.scheduler, self.faults
        if self.is_out:
            self._refuse(request)
        scheduler.sleep(scheduler.random.random() * faults.way_s)
        chance = scheduler.random.random()
        chance -= faults.lost_requests
        if self.is_out or chance < 0:
            self._lose(request, "request")
        chance -= faults.late_requests
        if chance < 0:
            self._repeat(request, request.timeout)
            self._lose(request, "request")
        chance -= faults.twice
        if chance < 0:
            self._repeat(request, 0.0)
            chance = 1.0
        try:
            return self._carry_out(request)
        finally:
            self._carry_signals()
            chance -= faults.lost_answers
            longest = request.timeout if 0 <= chance < faults.slow_answers else faults.way_s
            scheduler.sleep(scheduler.random.random() * longest)
            if self.is_out or chance < 0:
                self._lose(request, "answer")

    def _carry_out(self, request: Request) -> Any:
        try:
            answer = self._answer(request)
        except ExqueueError as refused:
            self._watched(Effect(request, error=refused))
            raise
        self._watched(Effect(request, answer))
        return answer

    def _answer(self, request: Request) -> Any:
        if self.refuses is not None:
            if self.refuses == "full" and request.verb == "push":
                return tuple(full() for _ in request.named["pushes"])
            refused = refusal(self.refuses, request.verb)
            if refused is not None:
                raise refused
        return getattr(self._behind, request.verb)(*request.args, **request.kwargs)

    def _watched(self, effect: Effect) -> None:
        for watcher in self.watchers:
            watcher(effect)

    def _repeat(self, request: Request, at_least_s: float) -> None:
        delay_s = at_least_s + self.scheduler.random.random() * self.faults.late_by_s
        self.scheduler.after(delay_s, lambda: self._late(request))

    def _late(self, request: Request) -> None:
        self._note(request.node, "late", request.verb)
        with suppress(ExqueueError):
            self._carry_out(request)
        self._carry_signals()

    def _lose(self, request: Request, what: str) -> None:
        self.scheduler.sleep(request.timeout)
        raise Outage(f"simulated: the {what} of {request.verb} got lost", sent=True)

    def _refuse(self, request: Request) -> None:
        if self.scheduler.random.random() < SILENT:
            self.scheduler.sleep(request.timeout)
        raise Outage(f"simulated: nobody can be reached for {request.verb}", sent=False)

    # -- signals
    def subscribe(self, node: str, token: str, timeout: float) -> SimulatedSubscription:
        """Listen; the subscription breaks with the next outage."""
        scheduler = self.scheduler
        if self.is_out or self.refuses == "loading":
            self._refuse(Request(node, "subscribe", (), {}, timeout))
        scheduler.sleep(scheduler.random.random() * self.faults.way_s)
        subscription = SimulatedSubscription(self, self.store.subscribe(token, timeout=timeout))
        self._subscriptions[subscription] = None
        return subscription

    def unsubscribe(self, subscription: SimulatedSubscription) -> None:
        """Nothing is carried there any more."""
        self._subscriptions.pop(subscription, None)

    def _carry_signals(self) -> None:
        for subscription in tuple(self._subscriptions):
            while (signal := subscription.behind.next(0.0)) is not None:
                if self.scheduler.random.random() >= self.faults.lost_signals:
                    subscription.hear(signal)
