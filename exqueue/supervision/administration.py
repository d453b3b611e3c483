"""What may be done to a supervisor's children from without, with the refusals that OTP has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.errors import ChildRefused, NotStarted
from exqueue.supervision.child_spec import Restart
from exqueue.supervision.commands import ChildCounts, ChildInfo, Started
from exqueue.supervision.exits import Exit

if TYPE_CHECKING:
    from exqueue.supervision.child_spec import ChildSpec
    from exqueue.supervision.children import Child, Children


class Administration:
    """The verbs of `exqueue.supervision.commands`, which says what each answers and how it is refused.

    None of them counts as a restart: how often something fails is one thing, what people ask for another.

    Source: the ``handle_call`` of Erlang/OTP's ``supervisor.erl``.
    """

    def __init__(self, children: Children) -> None:
        self._children = children

    def start(self, spec: ChildSpec) -> Started:
        """See `StartChild`."""
        known = self._children.get(spec.id)
        if known is not None:
            raise ChildRefused(known.path, "already started" if known.status == "running" else "already present")
        child = self._children.add(spec)
        try:
            return self._start(child)
        except NotStarted:
            self._children.forget(child)
            raise

    def restart(self, child_id: str) -> Started:
        """See `RestartChild`."""
        return self._start(self._stopped(child_id))

    def ensure(self, spec: ChildSpec) -> None:
        """Have a child of this id that runs or is being brought back; it may raise `NotStarted`."""
        child = self._children.get(spec.id)
        if child is None:
            self.start(spec)
        elif child.status == "stopped":
            self._start(child)

    def terminate(self, child_id: str) -> None:
        """See `TerminateChild`."""
        child = self._child(child_id)
        self._children.stop(child)
        if child.spec.restart is Restart.TEMPORARY:
            self._children.forget(child)

    def delete(self, child_id: str) -> None:
        """See `DeleteChild`."""
        self._children.forget(self._stopped(child_id))

    def remove(self, child_id: str) -> bool:
        """Stop a child and forget it, whatever it does. ``False`` when there is none of this id."""
        child = self._children.get(child_id)
        if child is None:
            return False
        self._children.stop(child)
        self._children.forget(child)
        return True

    def which(self) -> tuple[ChildInfo, ...]:
        """See `WhichChildren`."""
        return tuple(map(_info, reversed(tuple(self._children))))

    def which_one(self, child_id: str) -> ChildInfo:
        """See `WhichChild`."""
        return _info(self._child(child_id))

    def count(self) -> ChildCounts:
        """See `CountChildren`."""
        children = tuple(self._children)
        supervisors = sum(child.spec.actor.is_supervisor for child in children)
        active = sum(child.status == "running" and child.is_thread_alive() for child in children)
        return ChildCounts(len(children), active, supervisors, len(children) - supervisors)

    def _start(self, child: Child) -> Started:
        outcome = self._children.start(child)
        if not isinstance(outcome, Exit):
            return Started(child.urn, outcome.value)
        if outcome.kind == "ignored":
            return Started(None)
        raise NotStarted(child.path, outcome.error, outcome.traceback)

    def _child(self, child_id: str) -> Child:
        child = self._children.get(child_id)
        if child is None:
            raise ChildRefused(self._children.path(child_id), "not found")
        return child

    def _stopped(self, child_id: str) -> Child:
        child = self._child(child_id)
        if child.status != "stopped":
            raise ChildRefused(child.path, "running" if child.status == "running" else "restarting")
        return child


def _info(child: Child) -> ChildInfo:
    urn = child.urn if child.ref is not None else None
    is_supervisor = child.spec.actor.is_supervisor
    return ChildInfo(child.spec.id, child.path, child.spec.actor.__name__, child.status, urn, is_supervisor)
