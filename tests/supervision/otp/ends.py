"""The ways in which a child ends, and the waiting until its supervisor has dealt with that."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from exqueue.supervision import CheckChildren, GiveUp, Stop
from tests.supervision.tree import DEADLINE_S, Player, child, crash

if TYPE_CHECKING:
    from exqueue.supervision import ChildSpec, Exit, Vitals
    from tests.supervision.tree import Tree

ALL_WAYS = ("normal", "shutdown", "shutdown for a reason", "abnormal", "killed")


class Mortal(Player):
    """One whose thread can be gone without a word, which is as near to ``kill`` as a thread comes."""

    def _depart(self, end: Exit) -> None:
        if self.board.table("killed").pop(self.name, False):
            raise OSError("out of order")
        super()._depart(end)


def mortal(id: str, **how: Any) -> ChildSpec:
    """The spec of a child that can be killed."""
    return child(id, Mortal, **how)


def thread_of(name: str) -> threading.Thread:
    """The thread of the actor of this name."""
    return next(t for t in threading.enumerate() if t.name == f"exqueue:{name}")


def end(tree: Tree, name: str, way: str) -> None:
    """End a child of the root in this way, and wait until the root has done what it does about it."""
    match way:
        case "normal":
            tree.tell(name, lambda actor: actor.stop())
        case "shutdown":
            tree.names.control(name, Stop())
        case "shutdown for a reason":
            tree.tell(name, crash(GiveUp("had enough")))
        case "abnormal":
            tree.tell(name, crash(ValueError("broke")))
        case "killed":
            thread = thread_of(name)
            tree.board.table("killed")[name] = True
            tree.tell(name, crash(SystemExit("killed")))
            thread.join(DEADLINE_S)
            tree.supervise(CheckChildren())
            return
    tree.until_down(name)
    tree.settle()


def fragile(id: str, **how: Any) -> ChildSpec:
    """The spec of a child whose start fails as often as `break_starts` said."""

    def starting(actor: Player) -> None:
        left = actor.board.table("breaks").get(actor.name, 0)
        if left:
            actor.board.table("breaks")[actor.name] = left - 1
            raise ValueError("can't start")

    return child(id, starting=starting, **how)


def break_starts(tree: Tree, name: str, times: int = 1_000_000) -> None:
    """From now on so many starts of this child fail."""
    tree.board.table("breaks")[name] = times


def wait_for_end(vitals: Vitals) -> None:
    """Wait until an actor does nothing more, in the thread of another."""
    deadline, pause = time.monotonic() + DEADLINE_S, threading.Event()
    while not vitals.has_ended:
        assert time.monotonic() < deadline
        pause.wait(0.001)
