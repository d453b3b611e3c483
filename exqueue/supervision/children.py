"""A supervisor's children: their specs, who lives, and how one is started and stopped."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import pykka

from exqueue.supervision.beginnings import Info
from exqueue.supervision.child_spec import START_TIMEOUT_S, ChildSpec, Restart, Strategy
from exqueue.supervision.context import ActorContext, Vitals
from exqueue.supervision.exits import Exit, exit_after
from exqueue.supervision.inbox import Envelope, undelivered, unfinished
from exqueue.supervision.reports import Occasion, Offender, Report
from exqueue.supervision.signals import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exqueue.supervision.commands import Status
    from exqueue.supervision.runtime import Task

GRACE_S = 5.0
"""Even a child that may be abandoned gets this long to end when it runs nothing of the user's."""


class Child:
    """One child: its spec and, while it lives, its thread. Touched by its supervisor only."""

    __slots__ = ("attempt", "last_error", "path", "ref", "spec", "started_at", "status", "task", "urn", "vitals")

    def __init__(self, spec: ChildSpec, path: str) -> None:
        self.spec = spec
        self.path = path
        self.status: Status = "stopped"
        self.ref: pykka.ActorRef[Any] | None = None
        self.task: Task | None = None
        self.vitals = Vitals()
        self.urn = ""
        self.started_at = -math.inf
        self.attempt = 0
        self.last_error = ""

    def is_thread_alive(self) -> bool:
        """Whether its thread runs."""
        return self.task is not None and self.task.is_alive()

    def busy_since(self) -> float | None:
        """Monotonic time since when it handles one message outside the user's code; ``None`` when it does not."""
        return None if self.vitals.in_user_code else self.vitals.busy_since

    def doing(self) -> str:
        """What it says it is doing."""
        return self.vitals.doing

    def stack(self) -> str:
        """Where its thread is right now; empty when it has none."""
        return "" if self.task is None else self.task.stack()


class Children:
    """The children of one supervisor, in start order.

    What it knows of each stands on the board for whoever draws the tree: table ``tree`` (path -> (role, status)),
    ``restarts`` (path -> how often it was started again), ``vitals`` (path -> `Vitals`), ``abandoned threads`` (urn ->
    path). The rows of a path are written by the supervisor above it only.

    Args:
        context: the supervisor's place in the tree.
        on_report: takes each `Report`.
    """

    def __init__(self, context: ActorContext, on_report: Callable[[Report], None]) -> None:
        self._context = context
        self._on_report = on_report
        self._children: dict[str, Child] = {}
        self._by_urn: dict[str, Child] = {}
        self._tree = context.board.table("tree")
        self._restarts = context.board.table("restarts")
        self._vitals = context.board.table("vitals")
        self._abandoned = context.board.table("abandoned threads")

    def __iter__(self) -> Iterator[Child]:
        return iter(tuple(self._children.values()))

    def get(self, child_id: str) -> Child | None:
        """The child of this id."""
        return self._children.get(child_id)

    def by_urn(self, urn: str) -> Child | None:
        """The child whose living actor this is; ``None`` for an actor of earlier times."""
        return self._by_urn.get(urn)

    def path(self, child_id: str) -> str:
        """The place in the tree of a child of this id."""
        return f"{self._context.name}/{child_id}" if self._context.name else child_id

    def add(self, spec: ChildSpec) -> Child:
        """Take a child on, not started, of whose id there is none."""
        child = self._children[spec.id] = Child(spec, self.path(spec.id))
        self._context.names.expect(child.path)
        self.mark(child, "stopped")
        return child

    def forget(self, child: Child) -> None:
        """Let a child go that does not run, with the rows of all that was below it."""
        self._children.pop(child.spec.id, None)
        self._context.names.withdraw(child.path)
        for table in (self._tree, self._vitals, self._restarts):
            table.pop(child.path, None)
            # Not of every child: to look through the whole tree for each is quadratic.
            below = list(table) if child.spec.actor.is_supervisor else ()
            for path in below:
                if path.startswith(f"{child.path}/"):
                    table.pop(path, None)

    def let_go(self, child: Child) -> None:
        """The child ended and is not to come back by itself; its spec stays."""
        self.mark(child, "stopped")
        self._context.names.withdraw(child.path)

    def mark(self, child: Child, status: Status) -> None:
        """Note the child's status, on the board too, unless a successor of its supervisor writes there by now."""
        child.status = status
        if not self._context.vitals.is_replaced:
            self._tree[child.path] = (child.spec.actor.__name__, status)

    def count_restart(self, child: Child) -> None:
        """Count that the child was started again."""
        self._restarts[child.path] = self._restarts.get(child.path, 0) + 1

    def restarted_with(self, child: Child, strategy: Strategy) -> list[Child]:
        """The children that are restarted when this one failed, in start order."""
        everyone = list(self._children.values())
        match strategy:
            case Strategy.ONE_FOR_ONE:
                return [child]
            case Strategy.ONE_FOR_ALL:
                return everyone
            case Strategy.REST_FOR_ONE:
                return everyone[everyone.index(child) :]

    def report(self, occasion: Occasion, child: Child, reason: Exit) -> None:
        """Report an event of a child's life, or end."""
        spec = child.spec
        offender = Offender(child.path, spec.actor.__name__, child.urn, spec.restart, spec.patience_s)
        self._on_report(Report(self._context.name or "", occasion, reason, offender))

    def start(self, child: Child) -> Info | Exit:
        """Start a child and wait until its ``on_start`` is through.

        Returns:
            What it said, or why it does not run: ``not started``, or ``ignored`` (a temporary one is forgotten then).
        """
        outcome = self._launch(child)
        child.started_at = self._context.runtime.clock.monotonic()
        if child.spec.restart is Restart.TEMPORARY:
            # It is never started again: what it was given is its own, for as long as it wants it.
            child.spec = dataclasses.replace(child.spec, kwargs={})
        if not isinstance(outcome, Exit):
            self._by_urn[child.urn] = child
            self.mark(child, "running")
            return outcome
        self.ended(child)
        if outcome.kind == "ignored":
            if child.spec.restart is Restart.TEMPORARY:
                self.forget(child)
            else:
                self.let_go(child)
        return outcome

    def _launch(self, child: Child) -> Info | Exit:
        context = self._context
        if context.vitals.is_replaced:
            return Exit("not started", "its supervisor was replaced")
        started = context.runtime.reply()
        child.vitals = self._vitals[child.path] = Vitals()
        context.names.expect(child.path)
        place = ActorContext(
            name=child.path,
            runtime=context.runtime,
            names=context.names,
            board=context.board,
            supervisor=context.name or "",
            vitals=child.vitals,
            started=started,
        )
        try:
            child.ref, child.task = child.spec.actor.launch(place, **child.spec.kwargs)
            child.urn = child.ref.actor_urn
            outcome: Info | Exit | None = started.get(timeout=START_TIMEOUT_S)
        except pykka.Timeout:
            stack = child.stack()
            self.replace(child)
            return Exit("not started", f"on_start took more than {START_TIMEOUT_S:g} s", stack)
        except BaseException as error:  # noqa: BLE001 - a constructor or a thread that fails is a failed start
            return exit_after("not started", error)
        return Info() if outcome is None else outcome

    def ended(self, child: Child) -> None:
        """Note that the child's actor is no more."""
        self._by_urn.pop(child.urn, None)
        child.ref = child.task = None
        child.vitals.busy_since = None
        self.mark(child, "stopped")

    def stop(self, child: Child, *, for_restart: bool = False) -> None:
        """Stop a child and wait for its thread; one that takes longer than it may is abandoned."""
        if not for_restart and not self._context.vitals.is_replaced:
            self._context.names.withdraw(child.path)
        ref, task = child.ref, child.task
        if ref is None or task is None:
            self.mark(child, "stopped")
            return
        # This very actor: its name may be another's by now.
        ref.actor_inbox.offer(Envelope(Stop(), control=True))  # type: ignore[attr-defined] # our own inbox
        patience = child.spec.patience_s if child.vitals.in_user_code else max(child.spec.patience_s, GRACE_S)
        task.join(None if patience == math.inf else patience)
        if task.is_alive():
            end = Exit("lost", f"did not stop within {patience:g} s, its thread is abandoned", child.stack())
            self.replace(child)
        else:
            end = child.vitals.exit or Exit("lost", "is gone, and its thread did not say how it ended")
        is_asked_for = end.kind == "shutdown" or (end.kind == "normal" and child.spec.restart is not Restart.PERMANENT)
        # One that is given no time for the user's code is abandoned on purpose: its supervisors say why.
        is_meant = end.kind == "lost" and child.vitals.in_user_code and not patience
        if not is_asked_for and not is_meant:
            self.report(Occasion.SHUTDOWN_ERROR, child, end)
        self.ended(child)

    def stop_all(self) -> None:
        """Stop all children in reverse start order."""
        for child in reversed(tuple(self._children.values())):
            self.stop(child)

    def replace(self, child: Child) -> None:
        """Give up a thread that can't be ended: nothing reaches it, and nothing it does later has an effect here."""
        ref, task = child.ref, child.task
        if ref is None:
            return
        child.vitals.is_replaced = True
        ref.actor_stopped.set()
        self._context.names.unregister(child.path, ref)
        if child.spec.actor.is_supervisor:
            self._context.names.disown(child.path)
        for envelope in ref.actor_inbox.close():  # type: ignore[attr-defined] # our own inbox
            if not (getattr(envelope, "kept", False) and self._context.names.deliver(child.path, envelope)):
                undelivered(envelope)
        unfinished(ref.actor_inbox.in_hand, child.path)  # type: ignore[attr-defined] # our own inbox
        if task is not None and task.is_alive():
            # The thread takes this row away itself when it ends.
            self._abandoned[child.urn] = child.path
            if child.vitals.has_ended:
                self._abandoned.pop(child.urn, None)
        self.ended(child)
