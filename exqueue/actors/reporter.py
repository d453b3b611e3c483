"""The Reporter: writes the log of retries and deaths, and passes events on to whoever subscribed."""

from __future__ import annotations

import logging
from typing import Any

import pykka

from exqueue.actors.protocol import DeathsNoted
from exqueue.actors.tables import deaths_table, subscribers_table
from exqueue.messages import (
    Event,
    JobDied,
    JobFailed,
    ReporterMessage,
    Subscribe,
    Unsubscribe,
)
from exqueue.supervision import Actor, ActorContext

logger = logging.getLogger("exqueue")


class Reporter(Actor):
    """The only actor that waits for log handlers, so that a slow or broken one delays nobody else.

    A death stands on the board until its ERROR is written; after a crash the next Reporter writes it.
    """

    def __init__(self, context: ActorContext) -> None:
        super().__init__(context)
        self._deaths = deaths_table(self.board)
        self._subscribers = subscribers_table(self.board)

    def on_start(self) -> None:
        """Write what the Reporter before may have left."""
        self.tell_self(DeathsNoted())

    def on_stop(self) -> None:
        """Leave no death unsaid."""
        self._report_deaths()

    def on_receive(self, message: ReporterMessage | DeathsNoted | Event) -> Any:
        """Handle a message; see `exqueue.actors.protocol`."""
        match message:
            case DeathsNoted():
                return self._report_deaths()
            case Subscribe():
                return self._on_subscribe(message)
            case Unsubscribe():
                return self._on_unsubscribe(message)
            case JobFailed():
                self._log_failure(message)
                return self._publish(message)
            case _:
                return self._publish(message)

    def _on_subscribe(self, subscribe: Subscribe) -> bool:
        ref = subscribe.actor_ref
        self._subscribers[ref.actor_urn] = (ref, frozenset(subscribe.event_types))
        return True

    def _on_unsubscribe(self, unsubscribe: Unsubscribe) -> bool:
        return self._subscribers.pop(unsubscribe.actor_ref.actor_urn, None) is not None

    def _publish(self, event: Event) -> None:
        for urn, (ref, types) in list(self._subscribers.items()):
            if type(event) not in types:
                continue
            try:
                ref.tell(event)
            except pykka.ActorDeadError:
                self._subscribers.pop(urn, None)

    def _report_deaths(self) -> None:
        for key in list(self._deaths):
            died: JobDied | None = self._deaths.get(key)
            if died is None:
                continue
            self._log_death(died)
            self._deaths.pop(key, None)
            self._publish(died)

    def _log_failure(self, failed: JobFailed) -> None:
        logger.info(
            "job %s (%s, queue %s) failed at attempt %d, tried again in %.1f s: %s: %s",
            failed.id,
            failed.job,
            failed.queue,
            failed.attempt,
            failed.retry_in_s,
            failed.error.type,
            failed.error.message,
        )
        if failed.note is not None:
            logger.warning("job %s (%s): %s", failed.id, failed.job, failed.note)

    def _log_death(self, died: JobDied) -> None:
        logger.error(
            "job %s (%s, queue %s) is dead after %d failed attempts: %s.\n%s"
            "To run it again: system.tell(RetryDead(%r)); to delete it: system.tell(DeleteDead(%r))",
            died.id,
            died.job or "class unknown",
            died.queue,
            died.attempts,
            died.reason.rstrip("."),
            _with_newline(died.error.traceback if died.error is not None else ""),
            died.id,
            died.id,
        )


def _with_newline(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
