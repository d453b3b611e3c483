"""The base of all actors: pykka's, guarded, so that every death is noticed once and none takes others with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeVar

import pykka
from pykka.messages import _ActorStop

from exqueue.errors import ActorDead, ExqueueError
from exqueue.supervision.board import Board
from exqueue.supervision.exits import NORMAL, SHUTDOWN, Exit, exit_after
from exqueue.supervision.inbox import Envelope, Inbox, undelivered
from exqueue.supervision.log import safe_logger
from exqueue.supervision.names import Names
from exqueue.supervision.reply import Reply
from exqueue.supervision.runtime import Runtime, Task, ThreadRuntime
from exqueue.supervision.signals import Crash, Fired, Stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")

logger = safe_logger("exqueue.supervision")

MAX_MESSAGES_A_TURN = 1_000
"""After so many messages `Actor.on_turn_end` runs although more are waiting."""


class Vitals:
    """What one actor does right now. Written by the actor, but for ``is_replaced``, which its supervisor writes.

    ``doing``: a word for people; ``busy_since``: monotonic seconds since when it handles a message, ``None`` when it
    waits; ``in_user_code``: the user's code runs, for as long as it likes; ``is_replaced``: another actor has taken its
    place, so what it still does must have no effect; ``has_ended``: its end is told, and its thread does nothing more.
    """

    __slots__ = ("busy_since", "doing", "has_ended", "in_user_code", "is_replaced")

    def __init__(self) -> None:
        self.doing = ""
        self.busy_since: float | None = None
        self.in_user_code = False
        self.is_replaced = False
        self.has_ended = False


@dataclass(frozen=True, slots=True)
class ActorContext:
    """Where an actor lives. Made by its supervisor for each start.

    Args:
        name: its path, by which others tell it things; ``""`` is the root's, ``None`` that of an actor outside a tree.
        runtime: threads and time.
        names: who answers to which name.
        board: the values that outlive actors.
        supervisor: the name that is told of its end.
        vitals: what it does, for whoever looks.
        started: answered with ``None`` when ``on_start`` is through, else with the `Exit` that it caused.
    """

    name: str | None = None
    runtime: Runtime = field(default_factory=ThreadRuntime)
    names: Names = field(default_factory=Names)
    board: Board = field(default_factory=Board)
    supervisor: str | None = None
    vitals: Vitals = field(default_factory=Vitals)
    started: Reply[Exit | None] | None = None


class Replaced(BaseException):
    """Ends the thread of an actor whose place was taken while it hung in a call. Never seen by user code."""


DEFERRED = object()
"""Returned by a handler that keeps `Actor.asker` and answers later."""


class GiveUp(Exception):
    """Raised by an actor that ends on purpose, as a ``shutdown``, because it can't do its work any more."""


class Actor(pykka.ThreadingActor):
    """An actor whose end, however it comes, is reported exactly once: to its supervisor and to its monitors.

    - Anything that a handler raises under ``tell`` ends the actor as a crash: also ``SystemExit``, which pykka alone
      would take as the wish to stop every actor of the process.
    - Under ``ask`` the errors in `refusals` are answers: the asker gets them and the actor lives on. Any other error is
      a crash of the actor, and the asker gets it too.
    - A handler that can't answer yet keeps `asker`, returns `DEFERRED` and answers later.
    - ``on_start`` must do nothing slow; what it raises is reported to the starter as "not started".
    """

    use_daemon_thread: ClassVar[bool] = True

    refusals: ClassVar[tuple[type[Exception], ...]] = (ExqueueError,)
    """Errors that answer an ``ask`` and are no crash."""

    def __init__(self, context: ActorContext | None = None) -> None:
        self.context = ActorContext() if context is None else context
        self.name = self.context.name or ""
        self.board = self.context.board
        self.clock = self.context.runtime.clock
        self._names = self.context.names
        self._vitals = self.context.vitals
        self._timers: dict[int, Callable[[], None]] = {}
        self._timer_number = 0
        self._messages_this_turn = 0
        self.asker: Reply[Any] | None = None
        self._task: Task | None = None
        self.inbox = Inbox(self.context.runtime.line())
        super().__init__()

    # -- what subclasses use
    def tell(self, name: str, message: object) -> bool:
        """Send a message to whoever answers to ``name``; ``False`` when nobody does (the message is dropped)."""
        return self._names.tell(name, message)

    def tell_self(self, message: object) -> None:
        """Send a message to this very actor, behind what waits."""
        self.inbox.put(Envelope(message))

    def hand_on(self, message: object, asker: Reply[Any] | None) -> None:
        """While this actor fails: leave a message that it had taken already to the next actor of its name."""
        envelope = Envelope(message, asker, kept=True)
        if not self._names.deliver(self.name, envelope):
            undelivered(envelope)

    def send_after(self, delay_s: float, message: object) -> int:
        """Send ``message`` to this very actor after ``delay_s`` seconds; returns the timer's number."""
        self._timer_number += 1
        number = self._timer_number
        inbox, fired = self.inbox, Envelope(Fired(number, message))
        self._timers[number] = self.context.runtime.after(max(delay_s, 0.0), lambda: inbox.put(fired))
        return number

    def cancel_timer(self, number: int | None) -> None:
        """Cancel a timer: its message is not handled any more, even if it is in the inbox already."""
        if number is not None:
            cancel = self._timers.pop(number, None)
            if cancel is not None:
                cancel()

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call something that may block: the only way to a persistence."""
        try:
            return self.context.runtime.call(function, *args, **kwargs)
        finally:
            if self._vitals.is_replaced:
                raise Replaced

    def run_user(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the user's code: the only way to it."""
        self._vitals.in_user_code = True
        try:
            return self.context.runtime.run_user(function, *args, **kwargs)
        finally:
            # How long the user's code took must not look like a hang of what follows it.
            if self._vitals.busy_since is not None:
                self._vitals.busy_since = self.clock.monotonic()
            self._vitals.in_user_code = False

    @property
    def is_replaced(self) -> bool:
        """Whether another actor has taken this one's place while its thread could not be ended."""
        return self._vitals.is_replaced

    def is_alive(self, urn: str) -> bool:
        """Whether the very actor of this urn answers to a name of this system."""
        return any(ref.actor_urn == urn for _, ref in self._names.snapshot())

    def doing(self, what: str) -> None:
        """Say what this actor is at, for those who look at the tree."""
        self._vitals.doing = what

    def on_turn_end(self) -> None:
        """Run when the inbox is empty (or `MAX_MESSAGES_A_TURN` were handled): for work that is better done at once.

        Executed in the actor's own thread; what it raises is a crash.
        """

    # -- pykka's hooks for new kinds of actors
    def _create_actor_inbox(self) -> Inbox:  # type: ignore[override] # pykka calls it on the instance
        return self.inbox

    @staticmethod
    def _create_future() -> Reply[Any]:
        return Reply()

    def _start_actor_loop(self) -> None:
        self._task = self.context.runtime.spawn(self._actor_loop, f"exqueue:{self.name or type(self).__name__}")

    @classmethod
    def launch(cls, context: ActorContext, **kwargs: Any) -> tuple[pykka.ActorRef[Any], Task]:
        """Start an actor under a supervisor: like ``start``, but unknown to pykka's process-wide registry.

        (The registry is the host program's: its ``stop_all()`` must not reach into a supervision tree.)

        Raises:
            RuntimeError: no thread could be started.
        """
        actor = cls(context, **kwargs)
        actor._start_actor_loop()
        assert actor._task is not None  # noqa: S101 - set by the line above
        return actor.actor_ref, actor._task

    # -- the life of an actor, in its own thread
    def _actor_loop(self) -> None:
        end = SHUTDOWN
        try:
            end = self._live()
        except Replaced:
            return
        except BaseException as error:  # noqa: BLE001 - the guard of the loop: nothing may leave it
            end = exit_after("crashed", error)
        finally:
            if not self._vitals.is_replaced:
                self._depart(end)
            # In this order: whoever adds the row looks at has_ended afterwards.
            self._vitals.has_ended = True
            self.board.table("abandoned threads").pop(self.actor_urn, None)

    def _live(self) -> Exit:
        started = self.context.started
        try:
            self.on_start()
        except BaseException as error:  # noqa: BLE001 - see the class: SystemExit in on_start is a failed start too
            end = exit_after("not started", error)
            if started is None:
                logger.error("%s could not start: %s\n%s", self, end.error, end.traceback)  # noqa: TRY400 - text, no frames
            self._guarded("on_start_failed", self.on_start_failed)
            return end
        if self._vitals.is_replaced:
            self._guarded("on_start_failed", self.on_start_failed)
            raise Replaced
        if self.context.name is not None:
            self._names.register(self.name, self.actor_ref)
        if started is not None:
            started.set(None)
        while True:
            envelope = self.inbox.get()
            end_or_none = self._handle(envelope)
            if end_or_none is not None:
                return end_or_none

    def _handle(self, envelope: Envelope) -> Exit | None:
        self._vitals.busy_since = self.clock.monotonic()
        self.inbox.in_hand = envelope
        self.asker = reply_to = envelope.reply_to
        try:
            self._respond(envelope)
            reply_to = None
            if self.actor_stopped.is_set():
                return SHUTDOWN if isinstance(envelope.message, Stop) else NORMAL
            self._messages_this_turn += 1
            if self._messages_this_turn >= MAX_MESSAGES_A_TURN or self.inbox.empty():
                self._messages_this_turn = 0
                self.on_turn_end()
        except BaseException as error:  # noqa: BLE001 - the guard of every handler
            return self._failed(error, reply_to)
        self.inbox.in_hand = None
        self._vitals.busy_since = None
        return None

    def _respond(self, envelope: Envelope) -> None:
        reply_to = envelope.reply_to
        try:
            response = self._handle_receive(envelope.message)
            if reply_to is not None and response is not DEFERRED:
                reply_to.set(response)
        except self.refusals as refusal:
            if reply_to is None or self.actor_stopped.is_set() or self._vitals.is_replaced:
                raise
            # A handler may have answered by itself before it failed; then its error is nobody's answer.
            if not reply_to.fail_unless_answered(refusal):
                raise

    def _handle_receive(self, message: Any) -> Any:
        kind = type(message)
        if kind is Fired:
            if self._timers.pop(message.timer, None) is None:
                return None
            return self.on_receive(message.message)
        if kind is Stop:
            return self._stop()
        if kind is Crash:
            raise RuntimeError(message.why)
        return super()._handle_receive(message)

    def _failed(self, error: BaseException, reply_to: Reply[Any] | None) -> Exit:
        if isinstance(error, Replaced) or self._vitals.is_replaced:
            raise error
        if reply_to is not None:
            answer: BaseException = error
            if not isinstance(error, Exception):
                answer = ActorDead(f"{self} ended by {type(error).__name__}")
            reply_to.fail_unless_answered(answer)
        self._guarded("on_failure", lambda: self.on_failure(type(error), error, error.__traceback__))
        end = exit_after("shutdown" if isinstance(error, GiveUp) else "crashed", error)
        if self.context.supervisor is None:
            logger.error("%s crashed: %s\n%s", self, end.error, end.traceback)
        return end

    def _guarded(self, hook: str, run: Callable[[], None]) -> None:
        try:
            run()
        except Exception as second:  # noqa: BLE001 - the first error is the one to report
            logger.warning("%s: %s raised too: %s", self, hook, exit_after("crashed", second).error)

    def _stop(self) -> None:
        pykka.ActorRegistry.unregister(self.actor_ref)
        self.actor_stopped.set()
        self.on_stop()

    def _depart(self, end: Exit) -> None:
        """Nothing may be sent here any more; what waits is parked for the next actor or answered; the end is told."""
        pykka.ActorRegistry.unregister(self.actor_ref)
        self.actor_stopped.set()
        for cancel in self._timers.values():
            cancel()
        self._timers.clear()
        if self.context.name is not None:
            self._names.unregister(self.name, self.actor_ref)
        for envelope in self.inbox.close():
            if isinstance(envelope.message, _ActorStop) and envelope.reply_to is not None:
                envelope.reply_to.set(None)
            elif not (getattr(envelope, "kept", False) and self._names.deliver(self.name, envelope)):
                undelivered(envelope)
        started = self.context.started
        if end.kind == "not started" and started is not None:
            started.set(end)
        elif self.context.name is not None:
            self._names.report_down(self.name, self.actor_urn, self.context.supervisor, end)

    def on_start_failed(self) -> None:
        """Run in the actor's own thread when ``on_start`` raised or took too long: take back what it had begun."""

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Run in the actor's own thread after an error came out of a handler, before the end is reported."""

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.name or self.actor_urn!r}"
