"""A persistence whose answers get lost: the verb is carried out, and whoever called it hears of an outage.

Or it is not carried out at all, and the outage says so.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from exqueue.errors import Outage

if TYPE_CHECKING:
    from exqueue.persistence.base import Persistence, Session, Subscription
    from exqueue.persistence.values import Signal


class LossyPersistence:
    """Hands everything on to another persistence.

    ``lose(verb, times)`` loses the next answers of a verb, ``refuse(verb, times)`` does not send it.
    ``lost`` counts the answers that were lost, by verb. While it ``is_deaf`` no signal arrives.
    """

    def __init__(self, behind: Persistence) -> None:
        self._behind = behind
        self._lock = threading.Lock()
        self._to_lose: dict[str, int] = {}
        self._to_refuse: dict[str, int] = {}
        self.lost: dict[str, int] = {}
        self.is_deaf = False

    @property
    def address(self) -> str:
        return self._behind.address

    @property
    def namespace(self) -> str:
        return self._behind.namespace

    def lose(self, verb: str, times: int) -> None:
        """Lose the next ``times`` answers of ``verb``."""
        with self._lock:
            self._to_lose[verb] = times

    def is_lost(self, verb: str) -> bool:
        with self._lock:
            left = self._to_lose.get(verb, 0)
            if left:
                self._to_lose[verb] = left - 1
                self.lost[verb] = self.lost.get(verb, 0) + 1
            return bool(left)

    def refuse(self, verb: str, times: int) -> None:
        """Do not carry ``verb`` out for ``times`` times, once the answers that are to be lost are lost."""
        with self._lock:
            self._to_refuse[verb] = times

    def is_refused(self, verb: str) -> bool:
        with self._lock:
            left = 0 if self._to_lose.get(verb, 0) else self._to_refuse.get(verb, 0)
            if left:
                self._to_refuse[verb] = left - 1
            return bool(left)

    def session(self, *, timeout: float, pooled: bool = False) -> Any:
        return LossySession(self, self._behind.session(timeout=timeout, pooled=pooled))

    def subscribe(self, token: str, *, timeout: float) -> Any:
        return LossySubscription(self, self._behind.subscribe(token, timeout=timeout))

    def close(self) -> None:
        self._behind.close()


class LossySubscription:
    """Drops the signals that nobody shall hear."""

    def __init__(self, persistence: LossyPersistence, behind: Subscription) -> None:
        self._persistence = persistence
        self._behind = behind

    def next(self, timeout: float) -> Signal | None:
        signal = self._behind.next(timeout)
        return None if self._persistence.is_deaf else signal

    def close(self) -> None:
        self._behind.close()


class LossySession:
    """Carries every verb out, and then perhaps loses its answer."""

    def __init__(self, persistence: LossyPersistence, behind: Session) -> None:
        self._persistence = persistence
        self._behind = behind

    def __getattr__(self, verb: str) -> Any:
        carry_out = getattr(self._behind, verb)

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._persistence.is_refused(verb):
                raise Outage(f"{verb} was not sent", sent=False)
            answer = carry_out(*args, **kwargs)
            if self._persistence.is_lost(verb):
                raise Outage(f"the answer of {verb} got lost")
            return answer

        return call
