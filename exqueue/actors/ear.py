"""The Listener's ear: a thread that waits for signals of the persistence, and only tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.actors.protocol import Deaf, Heard, Listening
from exqueue.actors.settings import VERB_TIMEOUT_S
from exqueue.errors import Outage

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.base import Persistence, Subscription
    from exqueue.supervision import Runtime
    from exqueue.supervision.runtime import Task

READ_FOR_S = 1.0
"""How long one look for a signal takes at most; a reader ends within this time when it is not wanted any more."""


class Ear:
    """Listens with one reader thread at a time. While it listens, this system's presence can be seen.

    Args:
        runtime: gives the threads.
        persistence: listened to.
        token: of this system.
        tell: puts a message into the inbox of the Listener; called from the reader.
    """

    def __init__(
        self, runtime: Runtime, persistence: Persistence, token: str, tell: Callable[[Listening | Heard | Deaf], None]
    ) -> None:
        self._runtime = runtime
        self._persistence = persistence
        self._token = token
        self._tell = tell
        self._task: Task | None = None
        # By the number of its reader, which puts it here: a stop that comes before the actor has heard of it must find
        # it too, or it would wait for the reader's look to end.
        self._subscriptions: dict[int, Subscription] = {}
        self.reader = 0
        """The number of the reader that is wanted: written by the actor only, read by the readers as well."""

    def open(self, name: str) -> None:
        """Start a new reader in a thread of this name; raises ``RuntimeError`` when no thread can be started."""
        self.reader += 1
        number = self.reader
        self._task = self._runtime.spawn(lambda: self._read(number), name)

    def close(self) -> None:
        """Want no reader any more, and end what it waits for."""
        self.reader += 1
        for subscription in list(self._subscriptions.values()):
            subscription.close()

    def join(self) -> None:
        """Wait until the last reader has ended, as long as its call of the persistence may take."""
        if self._task is not None:
            self._task.join(READ_FOR_S + VERB_TIMEOUT_S)

    def _read(self, number: int) -> None:
        """Run in the reader's own thread: subscribe, and tell what is heard, until nobody wants to know."""
        subscription: Subscription | None = None
        reason = "it is not wanted any more"
        try:
            subscription = self._runtime.call(self._persistence.subscribe, self._token, timeout=VERB_TIMEOUT_S)
            self._subscriptions[number] = subscription
            self._tell(Listening(number))
            while self.reader == number:
                signal = self._runtime.call(subscription.next, READ_FOR_S)
                if signal is not None:
                    self._tell(Heard(signal))
        except Outage as outage:
            reason = outage.reason
        except Exception as error:  # noqa: BLE001 - a closed socket may raise anything; all of it means to subscribe anew
            reason = f"{type(error).__name__}: {error}"
        finally:
            if subscription is not None:
                subscription.close()
            self._subscriptions.pop(number, None)
        self._tell(Deaf(number, reason))
