"""The base of all actors: pykka's, guarded, so that every death is noticed once and none takes others with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeVar

import pykka
from pykka.messages import _ActorStop

from exqueue.errors import ActorDead, ChildRefused, ExqueueError
from exqueue.supervision.beginnings import IGNORE, Beginning, Info
from exqueue.supervision.context import ActorContext
from exqueue.supervision.exits import IGNORED, NORMAL, SHUTDOWN, Exit, exit_after
from exqueue.supervision.inbox import Envelope, Inbox, undelivered
from exqueue.supervision.inside import enter
from exqueue.supervision.log import safe_logger
from exqueue.supervision.reply import Reply
from exqueue.supervision.signals import Crash, Fired, Stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from exqueue.supervision.runtime import Task

P = ParamSpec("P")
T = TypeVar("T")

logger = safe_logger("exqueue.supervision")

MAX_MESSAGES_A_TURN = 1_000
"""After so many messages `Actor.on_turn_end` runs although more are waiting."""


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
    - ``on_start`` must do nothing slow; what it raises is reported to the starter as "not started". It may return
      `Info` for the starter, or `IGNORE`: there is nothing to run.

    Args:
        context: what the tree gives to each of its actors; ``None``: of an actor outside of any tree.
    """

    use_daemon_thread: ClassVar[bool] = True

    is_supervisor: ClassVar[bool] = False
    """Whether it has children: it is waited for however long they take to stop."""

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

    def run_beside(self, function: Callable[[], object], what: str) -> Task:
        """Run a function in a thread of its own, in which nothing is lost: what it raises crashes this actor, once.

        Args:
            function: must touch nothing of this actor's but `tell_self`.
            what: a word for the thread's name.

        Raises:
            RuntimeError: no thread could be started.
        """
        inbox, names = self.inbox, self._names

        def run() -> None:
            enter(names)
            try:
                function()
            except BaseException as error:  # noqa: BLE001 - the guard of the thread: whatever ends it is told
                inbox.offer(Envelope(Crash(f"{what}: {exit_after('crashed', error).error}"), control=True))

        return self.context.runtime.spawn(run, f"exqueue:{self.name}+{what}")

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

    def on_start(self) -> Any:
        """Run in the actor's own thread before the first message; see the class. Returns a `Beginning`."""

    def on_receive(self, message: Any) -> Any:
        """Note that nobody wrote a handler. Of the message only the type: what it holds may be anybody's secret."""
        logger.warning("Unexpected message received by %s: of type %s", self, type(message).__name__)

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
        enter(self._names)
        try:
            end = self._live()
        except Replaced:
            return
        except BaseException as error:  # noqa: BLE001 - the guard of the loop: nothing may leave it
            end = exit_after("crashed", error)
        finally:
            if not self._vitals.is_replaced:
                self._vitals.exit = end
                self._guarded("winding up", self._wind_up)
                self._depart(end)
            # In this order: whoever adds the row looks at has_ended afterwards.
            self._vitals.has_ended = True
            self.board.table("abandoned threads").pop(self.actor_urn, None)

    def _live(self) -> Exit:
        started = self.context.started
        try:
            beginning = self._begin()
        except Replaced:
            self._guarded("on_start_failed", self.on_start_failed)
            raise
        except BaseException as error:  # noqa: BLE001 - see the class: SystemExit in on_start is a failed start too
            end = exit_after("not started", error)
            if started is None:
                logger.error("%s could not start: %s\n%s", self, end.error, end.traceback)  # noqa: TRY400 - text, no frames
            self._guarded("on_start_failed", self.on_start_failed)
            return end
        if beginning is IGNORE:
            self._guarded("on_start_failed", self.on_start_failed)
            return IGNORED
        if started is not None:
            started.set(beginning)
        while True:
            # In no variable: a message must not live on while the next one is waited for.
            end_or_none = self._handle(self.inbox.get())
            if end_or_none is not None:
                return end_or_none

    def _begin(self) -> Beginning:
        # First: what is sent from now on waits until on_start is through, and what that asks others for finds its way.
        if self.context.name is not None and not self._names.register(self.name, self.actor_ref):
            raise ChildRefused(self.name, "already started")
        beginning = self.on_start()
        if not (beginning is None or beginning is IGNORE or isinstance(beginning, Info)):
            raise TypeError(f"on_start returns None, Info or IGNORE, got {type(beginning).__name__}")
        if self._vitals.is_replaced:
            raise Replaced
        return beginning

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
        if self.context.name is None:
            # As pykka has it: who waits for on_failure finds the actor dead. In a tree the supervisor says when it is.
            pykka.ActorRegistry.unregister(self.actor_ref)
            self.actor_stopped.set()
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
        if end.kind in ("not started", "ignored") and started is not None:
            started.set(end)
        elif self.context.name is not None:
            self._names.report_down(self.name, self.actor_urn, self.context.supervisor, end)
        if self.context.name is not None and self.context.supervisor is None:
            self._names.withdraw(self.name)

    def _wind_up(self) -> None:
        """Let go, however this actor ended, of what must not outlive it; what a subclass's hooks do comes before."""

    def on_start_failed(self) -> None:
        """Run in the actor's own thread to take back what ``on_start`` had begun.

        When that raised, took too long or returned `IGNORE`; also when it was not run, since another actor answers to
        the name.
        """

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Run in the actor's own thread after an error came out of a handler, before the end is reported."""

    def __str__(self) -> str:
        return f"{type(self).__name__} ({self.name or self.actor_urn})"
