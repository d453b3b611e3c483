"""The way to the persistence and back: how long it takes, and what gets lost on it.

Each call of a verb has three points at which others may have their turn: before it is carried out, between that and
its answer, and after the answer (see `SeededRuntime.call`). At each of them the caller's node may die.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exqueue.errors import ExqueueError, Outage
from exqueue.persistence.memory import MemoryPersistence
from exqueue.persistence.values import Fence
from exqueue.testing.simulation.scheduler import Bell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from exqueue.persistence.base import Subscription
    from exqueue.persistence.values import Exchanged, Push, Signal
    from exqueue.testing.simulation.scheduler import Scheduler


@dataclass(frozen=True, slots=True)
class Faults:
    """What may happen to a call: chances from 0 to 1, and virtual seconds.

    Args:
        way_s: how long a request, and an answer, is on its way at most.
        lost_requests: not carried out; the caller hears of an outage when its time-out is over.
        late_requests: as that, but carried out later, when nobody waits any more.
        late_by_s: how much later at most.
        lost_answers: carried out; the caller hears of an outage.
        lost_signals: of a subscription.
    """

    way_s: float = 0.002
    lost_requests: float = 0.0
    late_requests: float = 0.0
    late_by_s: float = 15.0
    lost_answers: float = 0.0
    lost_signals: float = 0.0


SILENT = 0.5
"""The chance that who can't be reached does not even refuse: the caller waits for as long as it may."""


class Network:
    """Everyone's way to one store in memory, whose clock is the virtual one.

    Args:
        scheduler: time and chance.
        note: takes (node, word, subject) of what the store did.

    Attributes:
        faults: what may happen from now on.
        store: the persistence itself, for whoever looks at it from outside: not simulated, never out.
    """

    def __init__(self, scheduler: Scheduler, note: Callable[[str, str, str], None]) -> None:
        self.faults = Faults()
        self.scheduler = scheduler
        self.store = MemoryPersistence(clock=scheduler.clock.time)
        self._note = note
        self._subscriptions: dict[SimulatedSubscription, None] = {}
        self._out_until = 0.0
        self._pushed: set[tuple[str, str]] = set()
        self._exchanged: set[tuple[str, Fence, int, int]] = set()

    # -- the weather
    @property
    def is_out(self) -> bool:
        """Whether the store can't be reached now."""
        return self.scheduler.clock.now < self._out_until

    def go_out(self, duration_s: float) -> None:
        """Let nobody reach the store for so long; what is under way is lost, subscriptions break."""
        self._out_until = self.scheduler.clock.now + duration_s
        for subscription in tuple(self._subscriptions):
            subscription.close()

    # -- calls
    def persistence(self, node: str) -> SimulatedPersistence:
        """The persistence as one node sees it."""
        return SimulatedPersistence(self, node)

    def carry(self, node: str, verb: str, act: Callable[[], Any], timeout: float) -> Any:
        """Carry a request to the store and its answer back.

        Raises:
            Outage: one of them got lost, or nobody can be reached.
        """
        scheduler, faults = self.scheduler, self.faults
        if self.is_out:
            self._refuse(verb, timeout)
        scheduler.sleep(scheduler.random.random() * faults.way_s)
        chance = scheduler.random.random()
        chance -= faults.lost_requests
        if self.is_out or chance < 0:
            self._lose(verb, "request", timeout)
        chance -= faults.late_requests
        if chance < 0:
            scheduler.after(timeout + scheduler.random.random() * faults.late_by_s, lambda: self._late(node, verb, act))
            self._lose(verb, "request", timeout)
        try:
            return self._carry_out(node, verb, act)
        finally:
            self._carry_signals()
            scheduler.sleep(scheduler.random.random() * faults.way_s)
            if self.is_out or chance - faults.lost_answers < 0:
                self._lose(verb, "answer", timeout)

    def _carry_out(self, node: str, verb: str, act: Callable[[], Any]) -> Any:
        try:
            answer = act()
        except ExqueueError as refused:
            self._note(node, verb, type(refused).__name__)
            raise
        if verb == "acquire" and isinstance(answer, Fence):
            self._note(node, "leads", str(answer.epoch))
        if verb == "presence":
            self._note(node, "sees", answer.state)
        return answer

    def _late(self, node: str, verb: str, act: Callable[[], Any]) -> None:
        self._note(node, "late", verb)
        with suppress(ExqueueError):
            self._carry_out(node, verb, act)
        self._carry_signals()

    def _lose(self, verb: str, what: str, timeout: float) -> None:
        self.scheduler.sleep(timeout)
        raise Outage(f"simulated: the {what} of {verb} got lost", sent=True)

    def _refuse(self, verb: str, timeout: float) -> None:
        if self.scheduler.random.random() < SILENT:
            self.scheduler.sleep(timeout)
        raise Outage(f"simulated: nobody can be reached for {verb}", sent=False)

    def claimed(self, node: str, queue: str) -> None:
        """The store has let a node have a queue."""
        self._note(node, "claims", queue)

    def pushed(self, node: str, pushes: Sequence[Push]) -> None:
        """The store has answered a push: note each job that it had never had before."""
        for push in pushes:
            for new in push.jobs:
                if (push.queue, new.id) not in self._pushed:
                    self._pushed.add((push.queue, new.id))
                    self._note(node, "pushed", new.id)

    def exchanged(
        self, node: str, call: tuple[str, Fence, int, int], settlements: Iterable[Any], answer: Exchanged
    ) -> None:
        """The store has answered an exchange: note, once, which settlements it has taken and what it has handed out."""
        if call in self._exchanged:
            return
        self._exchanged.add(call)
        for position, settlement in enumerate(settlements):
            word = "refused" if position in answer.refused else type(settlement).__name__.lower()
            self._note(node, word, settlement.id)
        for job in answer.jobs:
            self._note(node, "fetched", job.id)

    # -- signals
    def subscribe(self, node: str, token: str, timeout: float) -> SimulatedSubscription:
        """Listen; the subscription breaks with the next outage."""
        behind = self.carry(node, "subscribe", lambda: self.store.subscribe(token, timeout=timeout), timeout)
        subscription = SimulatedSubscription(self, behind)
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


class SimulatedSubscription:
    """See `exqueue.persistence.base.Subscription`."""

    def __init__(self, network: Network, behind: Subscription) -> None:
        self.behind = behind
        self._network = network
        self._signals: deque[Signal] = deque()
        self._changed = Bell(network.scheduler)
        self._is_closed = False

    def hear(self, signal: Signal) -> None:
        self._signals.append(signal)
        self._changed.ring()

    def next(self, timeout: float) -> Signal | None:
        if not self._signals and not self._is_closed:
            self._network.scheduler.wait_at(self._changed, timeout)
        if self._is_closed:
            raise Outage("simulated: the subscription is broken")
        return self._signals.popleft() if self._signals else None

    def close(self) -> None:
        self._is_closed = True
        self._network.unsubscribe(self)
        self.behind.close()
        self._changed.ring()


class SimulatedPersistence:
    """See `exqueue.persistence.base.Persistence`: as one node sees it, through the network."""

    namespace = "default"

    def __init__(self, network: Network, node: str) -> None:
        self._network = network
        self._node = node
        self._opened: list[SimulatedSubscription] = []

    @property
    def address(self) -> str:
        return "simulated://"

    def session(self, *, timeout: float, pooled: bool = False) -> Any:
        return SimulatedSession(self._network, self._node, timeout)

    def subscribe(self, token: str, *, timeout: float) -> SimulatedSubscription:
        subscription = self._network.subscribe(self._node, token, timeout)
        self._opened.append(subscription)
        return subscription

    def close(self) -> None:
        """Close what this node has open, as the end of its process does."""
        for subscription in self._opened:
            subscription.close()


class SimulatedSession:
    """See `exqueue.persistence.base.Session`: every verb goes through the network."""

    def __init__(self, network: Network, node: str, timeout: float) -> None:
        self._network = network
        self._node = node
        self._timeout = timeout
        self._behind = network.store.session(timeout=timeout)

    def __getattr__(self, verb: str) -> Any:
        carried_out = getattr(self._behind, verb)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._network.carry(self._node, verb, lambda: carried_out(*args, **kwargs), self._timeout)

        return call

    def push(self, caller: str, pushes: Sequence[Push]) -> Any:
        """See `Session.push`; what is stored for the first time is noted."""

        def act() -> Any:
            answers = self._behind.push(caller, pushes)
            self._network.pushed(self._node, pushes)
            return answers

        return self._network.carry(self._node, "push", act, self._timeout)

    def claim(self, queue: str, fence: Fence, seat: int) -> Any:
        """See `Session.claim`; who owns a queue is noted."""

        def act() -> Any:
            claimed = self._behind.claim(queue, fence, seat)
            self._network.claimed(self._node, queue)
            return claimed

        return self._network.carry(self._node, "claim", act, self._timeout)

    def exchange(self, queue: str, fence: Fence, seat: int, call: int, settlements: Any, want: int, **how: bool) -> Any:
        """See `Session.exchange`; what is settled is noted."""

        def act() -> Any:
            answer = self._behind.exchange(queue, fence, seat, call, settlements, want, **how)
            self._network.exchanged(self._node, (queue, fence, seat, call), settlements, answer)
            return answer

        return self._network.carry(self._node, "exchange", act, self._timeout)

    def close(self) -> None:
        pass
