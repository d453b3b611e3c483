"""A supervisor's children: their specs, who lives, and how one is started and stopped."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any, Literal

import pykka

from exqueue.supervision.actor import ActorContext, Vitals
from exqueue.supervision.child_spec import START_TIMEOUT_S, ChildSpec, Strategy
from exqueue.supervision.exits import Exit, exit_after
from exqueue.supervision.inbox import Envelope, undelivered, unfinished
from exqueue.supervision.signals import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue.supervision.log import SafeLogger
    from exqueue.supervision.runtime import Task

Status = Literal["running", "restarting", "parked", "stopped"]

GRACE_S = 0.5
"""Even a child that may be left behind gets this long to end when it runs nothing of the user's."""


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


class Children:
    """The children of one supervisor, in start order.

    What it knows of each stands on the board for whoever draws the tree: table ``tree`` (path -> (role, status)),
    ``restarts`` (path -> how often it was started again), ``vitals`` (path -> `Vitals`), ``abandoned threads`` (urn ->
    path). The rows of a path are written
    by the supervisor above it only.
    """

    def __init__(self, context: ActorContext, logger: SafeLogger) -> None:
        self._context = context
        self._logger = logger
        self._children: dict[str, Child] = {}
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
        for child in self._children.values():
            if child.ref is not None and child.urn == urn:
                return child
        return None

    def add(self, spec: ChildSpec) -> Child:
        """Take a child on, not started. Raises ``ValueError`` when there is one of this id."""
        if spec.id in self._children:
            message = f"there is a child {spec.id!r} already"
            raise ValueError(message)
        path = f"{self._context.name}/{spec.id}" if self._context.name else spec.id
        child = self._children[spec.id] = Child(spec, path)
        self._context.names.expect(path)
        self.mark(child, "stopped")
        return child

    def forget(self, child: Child) -> None:
        """Let a child go that does not run, with the rows of all that was below it."""
        self._children.pop(child.spec.id, None)
        self._context.names.withdraw(child.path)
        for table in (self._tree, self._vitals, self._restarts):
            for path in list(table):
                if path == child.path or path.startswith(f"{child.path}/"):
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

    def start(self, child: Child) -> Exit | None:
        """Start a child and wait until its ``on_start`` is through. Returns why it failed, or ``None``."""
        context = self._context
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
            failure: Exit | None = started.get(timeout=START_TIMEOUT_S)
        except pykka.Timeout:
            self.replace(child)
            failure = Exit("not started", f"on_start took more than {START_TIMEOUT_S:g} s")
        except BaseException as error:  # noqa: BLE001 - a constructor or a thread that fails is a failed start
            failure = exit_after("not started", error)
        child.started_at = context.runtime.clock.monotonic()
        if failure is None:
            self.mark(child, "running")
        else:
            self.ended(child)
        return failure

    def ended(self, child: Child) -> None:
        """Note that the child's actor is no more."""
        child.ref = child.task = None
        child.vitals.busy_since = None
        self.mark(child, "stopped")

    def stop(self, child: Child, *, for_restart: bool = False) -> None:
        """Stop a child and wait for its thread; one that takes longer than it may is left behind."""
        if not for_restart and not self._context.vitals.is_replaced:
            self._context.names.withdraw(child.path)
        ref, task = child.ref, child.task
        if ref is None or task is None:
            self.mark(child, "stopped")
            return
        # This very actor: its name may be another's by now.
        ref.actor_inbox.offer(Envelope(Stop(), control=True))  # type: ignore[attr-defined] # our own inbox
        patience = child.spec.shutdown_s if child.vitals.in_user_code else max(child.spec.shutdown_s, GRACE_S)
        task.join(None if patience == math.inf else patience)
        if task.is_alive():
            # A child that is given no time for the user's code is left behind on purpose: its supervisors say why.
            level = logging.DEBUG if child.vitals.in_user_code and not patience else logging.WARNING
            line = "%s did not stop within %g s, its thread is left behind; it was at: %s"
            self._logger.log(level, line, child.path, patience, child.vitals.doing or "nothing that it tells")
            self.replace(child)
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
