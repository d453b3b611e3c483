"""The Reporter: writes the log of retries and deaths, and passes events on to whoever subscribed."""

from __future__ import annotations

import contextlib
import logging
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from exqueue.actors.audience import LAST_EVENTS_S, Audience
from exqueue.actors.courier import Reports
from exqueue.actors.ledger import Ledger
from exqueue.actors.protocol import BooksDue, DeathsNoted, LookForDeaths, ReportsNoted, Say, ToldNoMore
from exqueue.errors import Outage
from exqueue.messages import (
    Event,
    JobDied,
    JobFailed,
    LeadershipGained,
    LeadershipLost,
    ReporterMessage,
    Subscribe,
    Unsubscribe,
)
from exqueue.supervision import Actor, ActorContext, safe_logger
from exqueue.supervision.inbox import undelivered

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from exqueue.actors.settings import NodeSettings
    from exqueue.actors.tables import DeathKey

logger = safe_logger("exqueue")

deaths_logger = safe_logger("exqueue.deaths")
"""Of its own, so that who reports deaths elsewhere too can leave their lines out of what he collects."""

STACK_LEVEL = 3
"""A line of the log names the Reporter as its origin, not what runs its handlers."""

MARK_EVERY_S = 0.1
"""How often deaths that are in the log are marked so: the first at once, the many of a flood together."""

TRY_AGAIN_S = 1.0
"""How long after an outage the persistence is told again which deaths are in the log."""


class Reporter(Actor):
    """Says what becomes of jobs and of the leadership, so that a slow log handler delays nobody else.

    The other actors log by themselves what is rare: crashes, outages, what a person told them that can't be done.

    A death stands on the board until its ERROR is written, and is marked in the persistence until that is known there:
    after a crash the next Reporter writes it, after that of the node the one of the next leader. So does who has
    subscribed, but by urn: their refs, which are no values, the next Reporter looks up among pykka's living actors.

    A subscriber's ``tell`` is code of the host program too, and costs nobody else anything: see `Audience`.

    A log handler is code of the host program: one that hangs is waited for, like a job. Another Reporter would hang
    too, at its lock, and say twice what the first one has in hand.
    """

    def __init__(self, context: ActorContext, *, settings: NodeSettings) -> None:
        super().__init__(context)
        self._ledger = Ledger(self.board, settings, self.clock, self.call)
        self._reports = None if settings.report is None else Reports(self.board)
        self._books_timer: int | None = None
        self._books_due_at = self._books_done_at = -math.inf
        self._audience = Audience(self)

    def on_start(self) -> None:
        """Find the subscribers of the Reporter before, and write what it may have left."""
        self._audience.find_again()
        self.tell_self(DeathsNoted())
        self.tell_self(LookForDeaths())

    def on_stop(self) -> None:
        """Leave nothing unsaid that was told before, and no death unmarked that was said."""
        # The stop has overtaken what was told before it: at the latest that the lock is given back.
        for envelope in self.inbox.close():
            if isinstance(envelope.message, Say | Event):
                self.on_receive(envelope.message)
            else:
                undelivered(envelope)
        self._report_deaths()
        if self._ledger.has_unmarked:
            self._do_the_books()
        self._ledger.close()
        self._warn(self._audience.close(LAST_EVENTS_S))

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave no connection behind, and no thread that waits for more."""
        self._ledger.close()
        self._audience.close(0.0)

    def on_receive(
        self, message: ReporterMessage | DeathsNoted | LookForDeaths | BooksDue | Say | ToldNoMore | Event
    ) -> Any:
        """Handle a message; see `exqueue.actors.protocol`."""
        match message:
            case Subscribe():
                return self._audience.subscribe(message)
            case Unsubscribe():
                return self._audience.forget(message.actor_ref.actor_urn)
            case ToldNoMore():
                self._warn([self._audience.told_no_more(message)])
            case DeathsNoted():
                self._report_deaths()
            case LookForDeaths():
                self._books_in(self._ledger.wait_s)
            case BooksDue():
                self._on_books_due()
            case Say():
                self._log(message.level, message.line)
            case JobFailed():
                self._log_failure(message)
                self._publish(message)
            case LeadershipGained():
                self._log(logging.INFO, "%s leads with epoch %d", message.node, message.fence.epoch)
                self._publish(message)
            case LeadershipLost():
                self._log(logging.INFO, "%s does not lead any more: %s", message.node, message.reason)
                self._publish(message)
            case _:
                self._publish(message)
        return None

    def _publish(self, event: Event) -> None:
        self._warn(self._audience.publish(event))

    def _warn(self, complaints: Iterable[str]) -> None:
        for complaint in filter(None, complaints):
            self._log(logging.WARNING, complaint)

    def _log(self, level: int, sentence: str, *args: object) -> None:
        self.run_user(logger.log, level, sentence, *args, stacklevel=STACK_LEVEL)

    def _report_deaths(self) -> None:
        with contextlib.suppress(Outage):
            self._ledger.leave_to_others()
        for key, died in self._ledger.to_say():
            self._log_death(died)
            self._ledger.said(key, died)
            if self._reports is not None:
                self._hand_on(self._reports, key, died)
            self._publish(died)

        if self._ledger.has_unmarked:
            self._books_in(self._books_done_at + MARK_EVERY_S - self.clock.monotonic())

    def _hand_on(self, reports: Reports, key: DeathKey, died: JobDied) -> None:
        complaint = reports.add(key, died)
        if complaint:
            self._log(logging.WARNING, complaint)
        self.tell("courier", ReportsNoted())

    # -- what the persistence is told and asked
    def _books_in(self, delay_s: float) -> None:
        due_at = self.clock.monotonic() + max(0.0, delay_s)
        if self._books_timer is not None and self._books_due_at <= due_at:
            return
        self.cancel_timer(self._books_timer)
        self._books_due_at = due_at
        self._books_timer = self.send_after(delay_s, BooksDue())

    def _on_books_due(self) -> None:
        self._books_timer = None
        self._do_the_books()
        self._report_deaths()

    def _do_the_books(self) -> None:
        self.doing("mark deaths")
        try:
            damaged = self._ledger.balance()
        except Outage:
            self._books_in(TRY_AGAIN_S)
        else:
            if damaged is not None:
                sentence = "queue %s: which of its deaths are in the log can't be marked, they may be said again: %s"
                self._log(logging.WARNING, sentence, damaged.queue, damaged.reason)
            if not self._ledger.is_balanced:
                self._books_in(max(MARK_EVERY_S, self._ledger.wait_s))
        self._books_done_at = self.clock.monotonic()
        self.doing("")

    def _log_failure(self, failed: JobFailed) -> None:
        self._log(
            logging.INFO,
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
            self._log(logging.WARNING, "job %s (%s): %s", failed.id, failed.job, failed.note)

    def _log_death(self, died: JobDied) -> None:
        self.run_user(
            deaths_logger.log,
            logging.ERROR,
            "job %s (%s, queue %s) is dead after %d failed %s: %s.%s\n%s"
            "To run it again: system.tell(RetryDead(%r)); to delete it: system.tell(DeleteDead(%r))",
            died.id,
            died.job or "class unknown",
            died.queue,
            died.attempts,
            "attempt" if died.attempts == 1 else "attempts",
            died.reason.rstrip("."),
            _when(died) if died.found_after_crash else "",
            _with_newline(died.error.traceback if died.error is not None else ""),
            died.id,
            died.id,
            stacklevel=STACK_LEVEL,
        )


def _when(died: JobDied) -> str:
    at = datetime.fromtimestamp(died.at, UTC)
    return f" It died at {at:%Y-%m-%d %H:%M:%S} UTC; whoever buried it ended before it could say so."


def _with_newline(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
