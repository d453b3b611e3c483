"""A persistence in memory that can be cut off, in the virtual time of a seeded runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exqueue.errors import Outage
from exqueue.persistence.memory import MemoryPersistence

if TYPE_CHECKING:
    from exqueue.persistence.values import Signal
    from tests.simulation.seeded_runtime import SeededRuntime


class WeatheredPersistence:
    """While ``is_cut_off`` every verb is an outage: some were certainly not sent, of others nobody knows."""

    def __init__(self, runtime: SeededRuntime) -> None:
        self._runtime = runtime
        self._behind = MemoryPersistence(clock=runtime.clock.time)
        self._calls = 0
        self.is_cut_off = False

    @property
    def address(self) -> str:
        return self._behind.address

    @property
    def namespace(self) -> str:
        return self._behind.namespace

    def check(self) -> None:
        """Raise what the present weather raises."""
        self._calls += 1
        if self.is_cut_off:
            raise Outage("it is cut off", sent=bool(self._calls % 2))

    def session(self, *, timeout: float, pooled: bool = False) -> Any:
        return WeatheredSession(self, self._behind.session(timeout=timeout, pooled=pooled))

    def subscribe(self, token: str, *, timeout: float) -> Any:
        self.check()
        return DeafSubscription(self, self._runtime)

    def close(self) -> None:
        self._behind.close()


class WeatheredSession:
    """Carries a verb out when the weather allows it."""

    def __init__(self, persistence: WeatheredPersistence, behind: Any) -> None:
        self._persistence = persistence
        self._behind = behind

    def close(self) -> None:
        self._behind.close()

    def __getattr__(self, verb: str) -> Any:
        carry_out = getattr(self._behind, verb)

        def call(*args: Any, **kwargs: Any) -> Any:
            # A sweep of nothing asks nobody, as with a real server.
            if args != ((),):
                self._persistence.check()
            return carry_out(*args, **kwargs)

        return call


class DeafSubscription:
    """Hears nothing, in virtual time: signals are hints, and sweeps find what they would have told of."""

    def __init__(self, persistence: WeatheredPersistence, runtime: SeededRuntime) -> None:
        self._persistence = persistence
        self._runtime = runtime
        self._is_closed = False

    def next(self, timeout: float) -> Signal | None:
        self._runtime.wait(lambda: self._is_closed or self._persistence.is_cut_off, timeout)
        if self._is_closed:
            raise Outage("it was closed", sent=False)
        self._persistence.check()
        return None

    def close(self) -> None:
        self._is_closed = True
