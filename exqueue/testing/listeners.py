"""Who hears of what happens in a stand-in: its log and its subscribers, told in the thread in which it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exqueue.actors.lines import line_of_death, line_of_failure, line_of_note
from exqueue.actors.protocol import DeathsNoted, Say
from exqueue.actors.tables import deaths_table, subscribers_table
from exqueue.messages import EVENT_TYPES, JobDied, JobFailed
from exqueue.supervision import safe_logger

if TYPE_CHECKING:
    from exqueue.messages import Event, Subscribe, Subscriber
    from exqueue.supervision import Board

logger = safe_logger("exqueue")

deaths_logger = safe_logger("exqueue.deaths")


class Listeners:
    """Takes what the actors of a system would be told.

    Args:
        board: of the stand-in.
    """

    def __init__(self, board: Board) -> None:
        self._types = subscribers_table(board)
        self._deaths = deaths_table(board)
        self._refs: dict[str, Subscriber] = {}

    def tell(self, name: str, message: object) -> bool:
        """Stand for the actor of this name."""
        if name == "reporter":
            self._report(message)
        return True

    def subscribe(self, message: Subscribe) -> bool:
        """See `Subscribe`. Whoever it is, it is told in the thread in which something happens."""
        urn = message.actor_ref.actor_urn
        self._refs[urn] = message.actor_ref
        self._types[urn] = frozenset(kind.__name__ for kind in message.event_types)
        return True

    def unsubscribe(self, urn: str) -> bool:
        """See `Unsubscribe`."""
        self._types.pop(urn, None)
        return self._refs.pop(urn, None) is not None

    def _report(self, message: Any) -> None:
        if isinstance(message, Say):
            logger.log(message.level, "%s", message.line)
        elif isinstance(message, DeathsNoted):
            for key in list(self._deaths):
                self._bury(self._deaths.pop(key))
        elif isinstance(message, EVENT_TYPES):
            if isinstance(message, JobFailed):
                self._log_failure(message)
            self._publish(message)

    def _bury(self, died: JobDied) -> None:
        deaths_logger.error(*line_of_death(died))
        self._publish(died)

    def _log_failure(self, failed: JobFailed) -> None:
        logger.info(*line_of_failure(failed))
        if failed.note is not None:
            logger.warning(*line_of_note(failed))

    def _publish(self, event: Event) -> None:
        for urn, types in self._types.copy().items():
            if type(event).__name__ in types:
                self._refs[urn].tell(event)
