"""The Reporter: writes the log of retries and deaths, and passes events on to whoever subscribed."""

from __future__ import annotations

from typing import Any

import pykka

from exqueue.actors.protocol import DeathsNoted, Say
from exqueue.actors.tables import deaths_table, subscribers_table
from exqueue.messages import (
    Event,
    JobDied,
    JobFailed,
    LeadershipGained,
    LeadershipLost,
    ReporterMessage,
    Subscribe,
    Subscriber,
    Unsubscribe,
)
from exqueue.supervision import Actor, ActorContext, safe_logger

logger = safe_logger("exqueue")


class Reporter(Actor):
    """Says what becomes of jobs and of the leadership, so that a slow log handler delays nobody else.

    The other actors log by themselves what is rare: crashes, outages, what a person told them that can't be done.

    A death stands on the board until its ERROR is written; after a crash the next Reporter writes it. So does who has
    subscribed, but by urn: their refs, which are no values, the next Reporter looks up among pykka's living actors.
    """

    def __init__(self, context: ActorContext) -> None:
        super().__init__(context)
        self._deaths = deaths_table(self.board)
        self._subscribers = subscribers_table(self.board)
        self._refs: dict[str, Subscriber] = {}

    def on_start(self) -> None:
        """Find the subscribers of the Reporter before, and write what it may have left."""
        for urn in list(self._subscribers):
            ref = pykka.ActorRegistry.get_by_urn(urn)
            if ref is None:
                self._subscribers.pop(urn, None)
            else:
                self._refs[urn] = ref
        self.tell_self(DeathsNoted())

    def on_stop(self) -> None:
        """Leave no death unsaid."""
        self._report_deaths()

    def on_receive(self, message: ReporterMessage | DeathsNoted | Say | Event) -> Any:
        """Handle a message; see `exqueue.actors.protocol`."""
        match message:
            case DeathsNoted():
                return self._report_deaths()
            case Say():
                return logger.log(message.level, message.line)
            case Subscribe():
                return self._on_subscribe(message)
            case Unsubscribe():
                return self._on_unsubscribe(message)
            case JobFailed():
                self._log_failure(message)
                return self._publish(message)
            case LeadershipGained():
                logger.info("%s leads with epoch %d", message.node, message.fence.epoch)
                return self._publish(message)
            case LeadershipLost():
                logger.info("%s does not lead any more: %s", message.node, message.reason)
                return self._publish(message)
            case _:
                return self._publish(message)

    def _on_subscribe(self, subscribe: Subscribe) -> bool:
        ref = subscribe.actor_ref
        self._refs[ref.actor_urn] = ref
        self._subscribers[ref.actor_urn] = frozenset(kind.__name__ for kind in subscribe.event_types)
        return True

    def _on_unsubscribe(self, unsubscribe: Unsubscribe) -> bool:
        return self._forget(unsubscribe.actor_ref.actor_urn)

    def _forget(self, urn: str) -> bool:
        self._refs.pop(urn, None)
        return self._subscribers.pop(urn, None) is not None

    def _publish(self, event: Event) -> None:
        for urn, ref in tuple(self._refs.items()):
            if type(event).__name__ not in self._subscribers[urn]:
                continue
            try:
                ref.tell(event)
            except pykka.ActorDeadError:
                self._forget(urn)
            except BaseException as error:  # noqa: BLE001 - the host program's own code, which may raise anything
                self._forget(urn)
                logger.warning("%s is told no more events: it raised %s: %s", urn, type(error).__name__, error)

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
            "job %s (%s, queue %s) is dead after %d failed %s: %s.\n%s"
            "To run it again: system.tell(RetryDead(%r)); to delete it: system.tell(DeleteDead(%r))",
            died.id,
            died.job or "class unknown",
            died.queue,
            died.attempts,
            "attempt" if died.attempts == 1 else "attempts",
            died.reason.rstrip("."),
            _with_newline(died.error.traceback if died.error is not None else ""),
            died.id,
            died.id,
        )


def _with_newline(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
