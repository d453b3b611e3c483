"""The persistence as the actors of one simulated node see it: every call goes through the network."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from exqueue.errors import Outage
from exqueue.testing.simulation.scheduler import Bell

if TYPE_CHECKING:
    from exqueue.persistence.base import Subscription
    from exqueue.persistence.values import Signal
    from exqueue.testing.simulation.network import Network


class SimulatedSubscription:
    """See `exqueue.persistence.base.Subscription`.

    Args:
        network: that it is carried over.
        behind: the store's own.
    """

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
    """See `exqueue.persistence.base.Session`."""

    def __init__(self, network: Network, node: str, timeout: float) -> None:
        self._network = network
        self._node = node
        self._timeout = timeout

    def __getattr__(self, verb: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._network.call(self._node, verb, args, kwargs, self._timeout)

        return call

    def close(self) -> None:
        pass
