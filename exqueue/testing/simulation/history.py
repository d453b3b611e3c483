"""What happened in a simulation: every turn goes into a digest, every event is kept to be looked at."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Event(NamedTuple):
    """``at``: virtual seconds; ``node``: where; ``what``: one word; ``of``: the job, queue or sentence it is about."""

    at: float
    turn: int
    node: str
    what: str
    of: str

    def __str__(self) -> str:
        return f"{self.at:10.4f} {self.turn:6} {self.node:8} {self.what:10} {self.of}"


class History:
    """Events in their order, and the digest of them and of all turns between them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._digest = hashlib.sha256()

    def turn(self, at: float, name: str) -> None:
        """Somebody has a turn."""
        self._digest.update(f"{at!r} {name}\n".encode())

    def note(self, event: Event) -> None:
        """Something happened."""
        self.events.append(event)
        self._digest.update(f"{event}\n".encode())

    def all(self, what: str, of: str | None = None, node: str | None = None) -> list[Event]:
        """The events of one kind."""
        return [
            event
            for event in self.events
            if event.what == what and of in (None, event.of) and node in (None, event.node)
        ]

    def count(self, what: str, of: str | None = None) -> int:
        """How many there were."""
        return len(self.all(what, of))

    def digest(self) -> str:
        """The same for the same history, in whatever process."""
        return self._digest.hexdigest()

    def story(self) -> str:
        """The events as text, for whoever looks why a seed fails."""
        return "\n".join(map(str, self.events))


class LogListener(logging.Handler):
    """Notes what is logged as events whose word is the level, until it is closed; nothing reaches other handlers."""

    def __init__(self, note: Callable[[str, str], None]) -> None:
        super().__init__(logging.INFO)
        self._note = note
        self._is_closed = False
        self._logger = logging.getLogger("exqueue")
        self._before = (self._logger.level, self._logger.propagate)
        self._logger.setLevel(logging.INFO)
        self._logger.propagate = False
        self._logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Note it at whoever has its turn."""
        if not self._is_closed:
            self._note(record.levelname, record.getMessage())

    def close(self) -> None:
        """Be deaf from now on."""
        self._is_closed = True

    def leave(self) -> None:
        """Let the logger be as it was before."""
        self._logger.removeHandler(self)
        level, self._logger.propagate = self._before
        self._logger.setLevel(level)
        super().close()
