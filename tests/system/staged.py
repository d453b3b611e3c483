"""A persistence in front of which a test can stage what happens to a single call."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from exqueue.errors import Fenced, StaleCall
from tests.system.helpers import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.base import Persistence, Session, Subscription

    Act = Callable[[Callable[[], Any]], Any]


class Made(NamedTuple):
    """A call that reached the persistence or was staged."""

    verb: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class StagedPersistence:
    """Hands everything on to another persistence, but for the calls for which an act is staged.

    ``made`` holds every call in the order in which they were begun.
    """

    def __init__(self, behind: Persistence) -> None:
        self._behind = behind
        self._lock = threading.Lock()
        self._acts: dict[str, deque[Act]] = {}
        self.made: list[Made] = []

    @property
    def address(self) -> str:
        return self._behind.address

    @property
    def namespace(self) -> str:
        return self._behind.namespace

    def stage(self, verb: str, act: Act) -> None:
        """The next call of ``verb`` is ``act(carry_out)``: it raises or returns the answer, carried out or not."""
        with self._lock:
            self._acts.setdefault(verb, deque()).append(act)

    def begin(self, call: Made) -> Act | None:
        with self._lock:
            self.made.append(call)
            acts = self._acts.get(call.verb)
            return acts.popleft() if acts else None

    def calls(self, verb: str) -> list[Made]:
        """What was called so far."""
        with self._lock:
            return [call for call in self.made if call.verb == verb]

    def session(self, *, timeout: float, pooled: bool = False) -> Any:
        return StagedSession(self, self._behind.session(timeout=timeout, pooled=pooled))

    def subscribe(self, token: str, *, timeout: float) -> Subscription:
        return self._behind.subscribe(token, timeout=timeout)

    def close(self) -> None:
        self._behind.close()


class StagedSession:
    """Asks the stage before each call."""

    def __init__(self, stage: StagedPersistence, behind: Session) -> None:
        self._stage = stage
        self._behind = behind

    def __getattr__(self, verb: str) -> Any:
        carry_out = getattr(self._behind, verb)

        def call(*args: Any, **kwargs: Any) -> Any:
            act = self._stage.begin(Made(verb, args, kwargs))
            return carry_out(*args, **kwargs) if act is None else act(lambda: carry_out(*args, **kwargs))

        return call


class Hang:
    """An act that hangs, before or after the call is carried out, until it is let go; notes its thread."""

    def __init__(self, *, is_carried_out: bool) -> None:
        self._is_carried_out = is_carried_out
        self._let_go = threading.Event()
        self.hangs = threading.Event()
        self.thread = threading.current_thread()
        self.refused: Exception | None = None

    def __call__(self, carry_out: Callable[[], Any]) -> Any:
        self.thread = threading.current_thread()
        answer = carry_out() if self._is_carried_out else None
        self.hangs.set()
        assert self._let_go.wait(3 * PATIENCE_S)
        if self._is_carried_out:
            return answer
        try:
            return carry_out()
        except (StaleCall, Fenced) as refused:
            self.refused = refused
            raise

    def let_go(self) -> None:
        """Let the call return."""
        self._let_go.set()

    def come_back(self) -> None:
        """As `let_go`, and wait for the end of its thread."""
        self.let_go()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()
