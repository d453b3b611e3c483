"""The Listener: the node's ear and pulse: wake-ups from the persistence, sweeps of the queues, signs of life."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, assert_never

from exqueue.actors.beat import encode_beat, present_beat
from exqueue.actors.ear import Ear
from exqueue.actors.protocol import (
    BeatNow,
    Deaf,
    Heard,
    ListenAgain,
    Listening,
    LockFree,
    Say,
    Seen,
    SweepDue,
    Unseen,
    Wake,
)
from exqueue.actors.settings import VERB_TIMEOUT_S
from exqueue.actors.sweeper import Sweeper
from exqueue.actors.tables import fetcher_of, seen_table
from exqueue.actors.weather import LISTENER, Weather, pause_s
from exqueue.errors import Outage
from exqueue.persistence.values import LockReleased, QueueWoken
from exqueue.supervision import Actor, ActorContext, Envelope, safe_logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from exqueue.actors.settings import NodeSettings
    from exqueue.persistence.values import Danger, Signal

logger = safe_logger("exqueue")

SWEEP_EVERY_S = 4.5
"""How often the queues are compared with the persistence: with the round trips a lost wake-up costs less than 5 s."""

BEAT_KEPT_S = 4 * SWEEP_EVERY_S
"""After how long without a beat a node counts as gone in the status."""

ListenerMessage = Listening | Heard | Deaf | ListenAgain | SweepDue | BeatNow


class Listener(Actor):
    """Passes signals on as hints. They may be lost: a sweep, at least every `SWEEP_EVERY_S`, finds what they missed.

    While its `Ear` listens, this system can be seen by others.
    """

    def __init__(self, context: ActorContext, *, settings: NodeSettings) -> None:
        super().__init__(context)
        self._node = settings.config.node
        self._session = settings.persistence.session(timeout=VERB_TIMEOUT_S)
        self._weather = Weather(LISTENER, self.board, context.runtime)
        self._ear = Ear(context.runtime, settings.persistence, settings.token, self._tell_from_reader)
        self._sweeper = Sweeper(
            self.board, self.clock, self._names, lambda owned: self.call(self._session.sweep, owned)
        )
        self._seen = seen_table(self.board)
        self._rng = context.runtime.random()
        self._sweep_timer: int | None = None
        self._attempt = 0
        self._dangers: set[Danger] = set()

    def on_start(self) -> None:
        """Begin to listen, and to beat. The Listener before may have crashed with its subscription."""
        self._not_seen()
        self._open_ear()
        self.tell_self(SweepDue())

    def on_stop(self) -> None:
        """Take the signs of life back and end the reader."""
        self._ear.close()
        try:
            self.call(self._session.forget, self._node)
        except Outage:
            logger.debug("the beat of %s could not be taken back, it ends by itself", self._node)
        self._weather.leave()
        self._session.close()
        self._ear.join()

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave no reader behind."""
        self._seen.pop("listening", None)
        self._ear.close()

    def on_receive(self, message: ListenerMessage) -> None:
        """Handle a message; see `exqueue.actors.protocol`."""
        match message:
            case Heard():
                self._on_heard(message.signal)
            case Listening():
                self._on_listening(message)
            case Deaf():
                self._on_deaf(message)
            case ListenAgain():
                self._listen_again()
            case SweepDue():
                self._on_sweep_due()
            case BeatNow():
                self._try(self._beat)
            case _:
                assert_never(message)

    def _on_heard(self, signal: Signal) -> None:
        match signal:
            case QueueWoken():
                self.tell(fetcher_of(signal.queue), Wake())
            case LockReleased():
                self.tell("leader", LockFree())
            case _:
                assert_never(signal)

    # -- the ear
    def _open_ear(self) -> None:
        self._ear.open(f"exqueue:{self.name}:reader")

    def _listen_again(self) -> None:
        try:
            self._open_ear()
        except RuntimeError as no_thread:
            # From Python 3.12 on none can be started while the program ends, and running jobs may still be waited for.
            self._on_deaf(Deaf(self._ear.reader, str(no_thread)))

    def _tell_from_reader(self, message: ListenerMessage) -> None:
        self.inbox.put(Envelope(message))

    def _on_listening(self, listening: Listening) -> None:
        if listening.reader != self._ear.reader:
            return
        self._seen["listening"] = True
        self.tell("leader", Seen())
        self._attempt = 0
        # What was signalled while nobody listened is lost.
        self._on_sweep_due()
        self._try(self._warn_of_dangers)

    def _warn_of_dangers(self) -> None:
        """Say once what in the settings of the persistence loses jobs, also when a later server has them."""
        for danger in self.call(self._session.diagnose):
            if danger not in self._dangers:
                self._dangers.add(danger)
                self._say(logging.ERROR if danger.is_grave else logging.WARNING, danger.sentence)

    def _on_deaf(self, deaf: Deaf) -> None:
        if deaf.reader != self._ear.reader:
            return
        if self._attempt == 0:
            self._not_seen()
        self._attempt += 1
        logger.debug("the subscription is broken, subscribing again: %s", deaf.reason)
        self.send_after(pause_s(self._attempt, self._rng), ListenAgain())

    def _not_seen(self) -> None:
        self._seen.pop("listening", None)
        self.tell("leader", Unseen())

    # -- the pulse
    def _on_sweep_due(self) -> None:
        self.cancel_timer(self._sweep_timer)
        again_s = self._try(self._pulse) or SWEEP_EVERY_S
        self._sweep_timer = self.send_after(again_s, SweepDue())

    def _try(self, action: Callable[[], None]) -> float:
        """Returns 0, or the seconds until it is worth while to ask the persistence for anything at all."""
        try:
            action()
        except Outage as outage:
            self._sweeper.forget()
            return self._weather.storm(outage)
        # Only now: what is answered in part of the pulse is no end of an outage that the rest of it meets.
        self._weather.calm()
        return 0.0

    def _pulse(self) -> None:
        self.doing("sweep")
        self._sweeper.sweep()
        self._beat()

    def _say(self, level: int, line: str) -> None:
        """By the Reporter: a log handler that hangs must not stop the pulse."""
        self.tell("reporter", Say(level, line))

    def _beat(self) -> None:
        self.doing("beat")
        self.call(self._session.beat, self._node, encode_beat(present_beat(self.board, self.clock)), BEAT_KEPT_S)
        self.doing("")
