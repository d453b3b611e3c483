"""The supervisor: starts its children in order, restarts what fails, stops them in reverse order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from exqueue.errors import ConfigError, NotStarted
from exqueue.supervision import intensity as restart_intensity
from exqueue.supervision.actor import Actor, GiveUp
from exqueue.supervision.administration import Administration
from exqueue.supervision.child_spec import ChildSpec, Intensity, Restart, Strategy, checked_children
from exqueue.supervision.children import Child, Children
from exqueue.supervision.commands import (
    CountChildren,
    DeleteChild,
    RestartChild,
    StartChild,
    Started,
    TerminateChild,
    WhichChild,
    WhichChildren,
)
from exqueue.supervision.exits import Exit
from exqueue.supervision.log import safe_logger
from exqueue.supervision.reports import Occasion, Report, log_report
from exqueue.supervision.signals import Down

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from exqueue.supervision.context import ActorContext

logger = safe_logger("exqueue.supervision")


@dataclass(frozen=True, slots=True)
class RestartDue:
    """A restart that failed, or was put off by a backoff, is due."""

    id: str
    urn: str


@dataclass(frozen=True, slots=True)
class CheckChildren:
    """Look, here and below, for children whose thread is gone or hangs: what no `Down` tells of."""


class Supervisor(Actor):
    """Keeps its children alive, as OTP's supervisor does.

    Starting is synchronous: a child is started when its ``on_start`` is through, and this supervisor when all its
    children are. When one of them can't be started, those before it are stopped and this start fails with its reason.

    Source: Erlang/OTP's ``supervisor.erl``.

    Args:
        context: its own place in the tree.
        children: static children, in the order in which they are started; they come back after a restart of this
            supervisor, children added later do not.
        strategy: who is restarted with a child that failed.
        intensity: how often in how long; past it this supervisor stops its children and gives up, as a ``shutdown``.

    Raises:
        ConfigError: an argument is not what it may be, two children have one id, or the context names no place in a
            tree: nobody would hear of the children's ends.
    """

    is_supervisor: ClassVar[bool] = True

    hang_s: ClassVar[float] = 60.0
    """A child that handles one message for longer, outside the user's code, is replaced."""

    def __init__(
        self,
        context: ActorContext | None = None,
        *,
        children: Sequence[ChildSpec] = (),
        strategy: Strategy = Strategy.ONE_FOR_ONE,
        intensity: Intensity = Intensity(),  # noqa: B008 - a frozen value
    ) -> None:
        super().__init__(context)
        if self.context.name is None:
            raise ConfigError("a supervisor is started by Tree.start, or as a child of one that was")
        if not isinstance(strategy, Strategy):
            raise ConfigError(f"strategy is a member of Strategy, got {strategy!r}")
        if not isinstance(intensity, Intensity):
            raise ConfigError(f"intensity is an Intensity, got {intensity!r}")
        self.strategy = strategy
        self.intensity = intensity
        self._static = checked_children(children)
        self._children = Children(self.context, self.on_report)
        self._administration = Administration(self._children)
        self._history: tuple[float, ...] = ()

    # -- for subclasses, in this actor's own thread: what `exqueue.supervision.commands` says of the same verbs
    def start_child(self, spec: ChildSpec) -> Started:
        """Add a child and start it; see `StartChild`."""
        return self._administration.start(spec)

    def restart_child(self, child_id: str) -> Started:
        """Start a child that is stopped; see `RestartChild`."""
        return self._administration.restart(child_id)

    def ensure_child(self, spec: ChildSpec) -> None:
        """Add and start a child unless there is one of this id that lives or is being brought back.

        Raises:
            NotStarted: the child could not be started; the message says why.
        """
        self._administration.ensure(spec)

    def terminate_child(self, child_id: str) -> None:
        """Stop a child; see `TerminateChild`."""
        self._administration.terminate(child_id)

    def delete_child(self, child_id: str) -> None:
        """Forget a child that is stopped; see `DeleteChild`."""
        self._administration.delete(child_id)

    def remove_child(self, child_id: str) -> bool:
        """Stop a child and forget it, whatever it does. ``False`` when there is none of this id."""
        return self._administration.remove(child_id)

    def child_ids(self) -> tuple[str, ...]:
        """The ids of all children, in start order."""
        return tuple(child.spec.id for child in self._children)

    def is_stopped(self, child_id: str) -> bool:
        """Whether there is a child of this id that ended and does not come back by itself."""
        child = self._children.get(child_id)
        return child is not None and child.status == "stopped"

    def on_report(self, report: Report) -> None:
        """Run for each event of a child's life that went otherwise than asked for; logs it."""
        log_report(logger, report)

    def on_child_parked(self, spec: ChildSpec, end: Exit, delay_s: float) -> None:
        """Run when a child with a backoff ended and will be tried again after ``delay_s`` seconds."""
        logger.error("%s/%s gave up, tried again in %g s: %s", self.name, spec.id, delay_s, end.error or end.kind)

    # -- its own life
    def on_start(self) -> Any:
        """Start the static children in order.

        Raises:
            NotStarted: one of them could not be started.
        """
        for spec in self._static:
            child = self._children.add(spec)
            failure = self._failure(child)
            if failure is not None:
                raise NotStarted(child.path, failure.error, failure.traceback)

    def _failure(self, child: Child) -> Exit | None:
        outcome = self._children.start(child)
        if not isinstance(outcome, Exit) or outcome.kind == "ignored":
            return None
        self._children.report(Occasion.START_ERROR, child, outcome)
        return outcome

    def on_start_failed(self) -> None:
        """Stop what was started, whether a child failed or what a subclass does beside."""
        self._children.stop_all()

    def on_stop(self) -> None:
        """Stop the children in reverse order, each fully gone before the next."""
        self._children.stop_all()

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Children do not outlive their supervisor."""
        del exception_type, exception_value, traceback
        self._children.stop_all()

    def _wind_up(self) -> None:
        # Whatever a subclass made of the hooks above.
        self._children.stop_all()

    def on_receive(self, message: Any) -> Any:
        """Handle what supervision itself sends; a subclass calls this for what it does not know."""
        return self.on_supervision(message)

    def on_supervision(self, message: object) -> Any:
        """Handle a message of supervision; any other is refused when it was asked, else logged and dropped."""
        match message:
            case Down():
                return self._on_down(message)
            case RestartDue():
                return self._on_restart_due(message)
            case CheckChildren():
                return self._on_check_children()
            case _:
                return self._on_command(message)

    def _on_command(self, message: object) -> Any:
        match message:
            case StartChild():
                return self.start_child(message.spec)
            case RestartChild():
                return self.restart_child(message.id)
            case TerminateChild():
                return self.terminate_child(message.id)
            case DeleteChild():
                return self.delete_child(message.id)
            case WhichChildren():
                return self._administration.which()
            case WhichChild():
                return self._administration.which_one(message.id)
            case CountChildren():
                return self._administration.count()
            case _ if self.asker is not None:
                raise ConfigError(f"{self} knows no message of type {type(message).__name__}")
            case _:
                return super().on_receive(message)

    def _on_down(self, down: Down) -> None:
        child = self._children.by_urn(down.urn)
        if child is None:
            return
        self._children.ended(child)
        self._child_ended(child, down.exit)

    def _child_ended(self, child: Child, end: Exit) -> None:
        self._children.report(Occasion.CHILD_TERMINATED, child, end)
        child.last_error = end.error
        if child.spec.restart is Restart.TEMPORARY:
            self._children.forget(child)
        elif child.spec.restart is Restart.TRANSIENT and not end.is_abnormal:
            self._children.let_go(child)
        elif child.spec.backoff is not None:
            self._park(child, end)
        else:
            self._restart(child)

    def _park(self, child: Child, end: Exit) -> None:
        assert child.spec.backoff is not None  # noqa: S101 - asked by the caller
        now = self.clock.monotonic()
        if now - child.started_at > child.spec.backoff.cap_s:
            child.attempt = 0
        child.attempt += 1
        if child.attempt == 1 and end.kind in ("crashed", "lost"):
            # A first crash of its own is nothing to wait for; only who gave up, or crashes again, is put off.
            end = self._start_again(child) or end
            if child.status == "running":
                return
        delay_s = child.spec.backoff.delay_s(child.attempt - 1)
        self._children.mark(child, "parked")
        self.on_child_parked(child.spec, end, delay_s)
        self.send_after(delay_s, RestartDue(child.spec.id, child.urn))

    def _on_restart_due(self, message: RestartDue) -> None:
        child = self._children.get(message.id)
        if child is None or child.urn != message.urn or child.status not in ("parked", "restarting"):
            return
        if child.status == "restarting":
            self._restart(child)
            return
        failure = self._start_again(child)
        if failure is not None:
            self._park(child, failure)

    def _restart(self, child: Child) -> None:
        self._history, allowed = restart_intensity.add_restart(self._history, self.clock.monotonic(), self.intensity)
        if not allowed:
            how = f"more than {self.intensity.restarts} restarts in {self.intensity.period_s:g} s"
            why = f"{how}, the last of {child.path}"
            self._children.report(Occasion.SHUTDOWN, child, Exit("shutdown", why))
            raise GiveUp(f"{self.name or 'the supervisor'} gave up: {why}")
        group = self._children.restarted_with(child, self.strategy)
        for sibling in reversed(group):
            self._children.stop(sibling, for_restart=True)
        for member in group:
            if member.spec.restart is Restart.TEMPORARY and member is not child:
                self._children.forget(member)
                continue
            if self._start_again(member) is not None:
                # Back to the mailbox first, so that a stop gets in between two attempts.
                self._children.mark(member, "restarting")
                self.tell_self(RestartDue(member.spec.id, member.urn))
                return

    def _start_again(self, child: Child) -> Exit | None:
        failure = self._failure(child)
        if child.ref is not None:
            self._children.count_restart(child)
            self.on_child_restarted(child.path, child.last_error)
        return failure

    def on_child_restarted(self, path: str, reason: str) -> None:
        """Run when a child was started again after it ended for ``reason``."""
        logger.info("%s restarted (%s)", path, reason or "with a sibling")

    def _on_check_children(self) -> None:
        now = self.clock.monotonic()
        for child in tuple(self._children):
            if child.status != "running":
                continue
            if child.vitals.has_ended:
                continue  # Its Down is in the inbox.
            if child.spec.actor.is_supervisor:
                self.tell(child.path, CheckChildren())
            if not child.is_thread_alive():
                end = Exit("lost", "its thread is gone and did not say why")
            elif self._hangs(child, now):
                why = f"it hangs in {child.doing() or 'a handler'} for more than {self.hang_s:g} s"
                end = Exit("lost", why, child.stack())
            else:
                continue
            self._children.replace(child)
            self._child_ended(child, end)

    def _hangs(self, child: Child, now: float) -> bool:
        if child.spec.actor.is_supervisor:
            return False
        busy_since = child.busy_since()
        return busy_since is not None and now - busy_since > self.hang_s
