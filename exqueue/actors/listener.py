"""The Listener: the node's ear and pulse: wake-ups from the persistence, sweeps of the queues, signs of life."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, assert_never

from exqueue.actors.beat import Beat, BeatQueue, encode_beat
from exqueue.actors.damage import known_damage, past_damage
from exqueue.actors.newer import sentences
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
    Swept,
    Unseen,
    Wake,
)
from exqueue.actors.settings import VERB_TIMEOUT_S
from exqueue.actors.tables import (
    RunTables,
    abandoned_count,
    abandoned_table,
    failures_table,
    fetcher_of,
    owned_table,
    queues_table,
    seen_table,
)
from exqueue.actors.watchdog import Watchdog
from exqueue.actors.weather import LISTENER, Weather, pause_s
from exqueue.errors import Outage
from exqueue.persistence.values import LockReleased, QueueWoken
from exqueue.supervision import Actor, ActorContext, Crash, Envelope, safe_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from exqueue.actors.settings import NodeSettings
    from exqueue.actors.tables import RunningRow
    from exqueue.persistence.base import Subscription
    from exqueue.persistence.values import Danger, Signal
    from exqueue.supervision.runtime import Task

logger = safe_logger("exqueue")

SWEEP_EVERY_S = 4.5
"""How often the queues are compared with the persistence: with the round trips a lost wake-up costs less than 5 s."""

BEAT_KEPT_S = 4 * SWEEP_EVERY_S
"""After how long without a beat a node counts as gone in the status."""

READ_FOR_S = 1.0
"""How long one look for a signal takes at most; the reader ends within this time when it is not wanted any more."""

ListenerMessage = Listening | Heard | Deaf | ListenAgain | SweepDue | BeatNow


class Listener(Actor):
    """Passes signals on as hints. They may be lost: a sweep, at least every `SWEEP_EVERY_S`, finds what they missed.

    One reader thread waits for the persistence and only tells. While it listens, this system's presence can be seen.
    """

    def __init__(self, context: ActorContext, *, settings: NodeSettings) -> None:
        super().__init__(context)
        self._settings = settings
        self._node = settings.config.node
        self._session = settings.persistence.session(timeout=VERB_TIMEOUT_S)
        self._weather = Weather(LISTENER, self.board, context.runtime)
        self._owned = owned_table(self.board)
        self._watchdog = Watchdog(self.board, self.clock, self._names.whereis)
        self._seen = seen_table(self.board)
        self._rng = context.runtime.random()
        self._queues = queues_table(self.board)
        self._reader = 0
        self._reader_task: Task | None = None
        # By the number of its reader, which puts it here: a stop that comes before the actor has heard of it must find
        # it too, or it would wait for the reader's look to end.
        self._subscriptions: dict[int, Subscription] = {}
        self._sweep_timer: int | None = None
        self._attempt = 0
        self._dangers: set[Danger] = set()

    def on_start(self) -> None:
        """Begin to listen, and to beat. The Listener before may have crashed with its subscription."""
        self._not_seen()
        self._start_reader()
        self.tell_self(SweepDue())

    def on_stop(self) -> None:
        """Take the signs of life back and end the reader."""
        self._stop_reading()
        try:
            self.call(self._session.forget, self._node)
        except Outage:
            logger.debug("the beat of %s could not be taken back, it ends by itself", self._node)
        self._weather.leave()
        self._session.close()
        if self._reader_task is not None:
            self._reader_task.join(READ_FOR_S + VERB_TIMEOUT_S)

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave no reader behind."""
        self._seen.pop("listening", None)
        self._stop_reading()

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

    # -- the reader
    def _start_reader(self) -> None:
        self._reader += 1
        number = self._reader
        self._reader_task = self.context.runtime.spawn(lambda: self._read(number), f"exqueue:{self.name}:reader")

    def _listen_again(self) -> None:
        try:
            self._start_reader()
        except RuntimeError as no_thread:
            # From Python 3.12 on none can be started while the program ends, and running jobs may still be waited for.
            self._on_deaf(Deaf(self._reader, str(no_thread)))

    def _stop_reading(self) -> None:
        self._reader += 1
        for subscription in list(self._subscriptions.values()):
            subscription.close()

    def _read(self, number: int) -> None:
        """Run in the reader's own thread: subscribe, and tell what is heard, until nobody wants to know.

        It reads `_reader`, which only the actor writes, to see whether it is still wanted.
        """
        runtime, token = self.context.runtime, self._settings.token
        subscription: Subscription | None = None
        reason = "it is not wanted any more"
        try:
            subscription = runtime.call(self._settings.persistence.subscribe, token, timeout=VERB_TIMEOUT_S)
            self._subscriptions[number] = subscription
            self._tell_from_reader(Listening(number))
            while self._reader == number:
                signal = runtime.call(subscription.next, READ_FOR_S)
                if signal is not None:
                    self._tell_from_reader(Heard(signal))
        except Outage as outage:
            reason = outage.reason
        except Exception as error:  # noqa: BLE001 - a closed socket may raise anything; all of it means to subscribe anew
            reason = f"{type(error).__name__}: {error}"
        finally:
            if subscription is not None:
                subscription.close()
            self._subscriptions.pop(number, None)
        self._tell_from_reader(Deaf(number, reason))

    def _tell_from_reader(self, message: ListenerMessage) -> None:
        self.inbox.put(Envelope(message))

    def _on_listening(self, listening: Listening) -> None:
        if listening.reader != self._reader:
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
        if deaf.reader != self._reader:
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
            self._watchdog.forget()
            return self._weather.storm(outage)
        # Only now: what is answered in part of the pulse is no end of an outage that the rest of it meets.
        self._weather.calm()
        return 0.0

    def _pulse(self) -> None:
        self._sweep()
        self._beat()

    def _sweep(self) -> None:
        self.doing("sweep")
        owned, due = tuple(self._owned.copy().values()), set()
        if not owned:
            return
        verdicts, damaged = past_damage(
            lambda sound: self.call(self._session.sweep, sound), owned, lambda one: one.queue
        )
        sound = (one for one in owned if one.queue not in damaged)
        for one, verdict in zip(sound, verdicts, strict=True):
            if verdict == "due":
                due.add(one.queue)
            if verdict != "fine":
                self.tell(fetcher_of(one.queue), Swept(one, verdict))
        for queue in damaged:
            # It looks for itself, meets the damage if it is in its way, and says so.
            self.tell(fetcher_of(queue), Wake())
        for queue in self._watchdog.stuck(due):
            self._restart(queue)

    def _restart(self, queue: str) -> None:
        line = f"queue {queue} has jobs to run and idle workers, its fetcher is connected and fetches nothing"
        self._say(logging.ERROR, f"{line}: it is restarted")
        self._names.control(fetcher_of(queue), Crash("it fetched nothing although it could"))

    def _say(self, level: int, line: str) -> None:
        """By the Reporter: a log handler that hangs must not stop the pulse."""
        self.tell("reporter", Say(level, line))

    def _beat(self) -> None:
        self.doing("beat")
        queues = self._queues.copy()
        abandoned, running = abandoned_table(self.board), self._running(queues)
        beat = Beat(
            queues={
                queue: BeatQueue(settings.concurrency, settings.serial, abandoned_count(self.board, queue))
                for queue, settings in queues.items()
            },
            workers={job: row.worker for job, row in running.items()},
            failures=(*failures_table(self.board).values(), *sentences(self.board, self.clock.monotonic())),
            damaged=known_damage(self.board),
            abandoned=frozenset(job for job, row in running.items() if row.urn in abandoned),
        )
        self.call(self._session.beat, self._node, encode_beat(beat), BEAT_KEPT_S)
        self.doing("")

    def _running(self, queues: Iterable[str]) -> dict[tuple[str, str], RunningRow]:
        """(queue, id) -> who executes it; without what is superseded, of which the persistence lists another run."""
        found: dict[tuple[str, str], RunningRow] = {}
        for queue in queues:
            tables = RunTables(self.board, queue)
            found |= {(queue, key[0]): row for key, row in list(tables.running.items()) if key not in tables.superseded}
        return found
