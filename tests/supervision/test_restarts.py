"""Who is restarted with whom, how often, and what happens past it."""

import threading
import time
from typing import Any

from exqueue.supervision import Backoff, Down, Exit, GiveUp, Intensity
from exqueue.supervision.supervisor import RestartDue
from tests.supervision.tree import DEADLINE_S, Overseer, Player, child, crash, running


class Family(Overseer):
    """A supervisor below the root that takes its own strategy and intensity."""


def test_a_child_that_dies_while_its_sibling_is_started_is_brought_back() -> None:
    """Its supervisor answers to no name yet; what tells of the end waits until it does."""

    def kill_sibling(player: Player) -> None:
        sibling = player.board.table("vitals")["f/a"]
        player.tell("f/a", crash(ValueError("early")))
        deadline = time.monotonic() + DEADLINE_S
        pause = threading.Event()
        while not sibling.has_ended:
            assert time.monotonic() < deadline
            pause.wait(0.001)

    with running(child("f", Family, children=(child("a"), child("b", starting=kill_sibling)))) as tree:
        tree.until_lived("restarted", "f/a")
        assert tree.ask("f/a", lambda actor: actor.name) == "f/a"


class Keeper(Overseer):
    """Says which children it parked."""

    def on_child_parked(self, spec: Any, end: Exit, delay_s: float) -> None:
        super().on_child_parked(spec, end, delay_s)
        self.tell("probe", ("parked", spec.id, delay_s))


def test_a_child_with_a_backoff_is_parked_tried_again_and_never_escalates() -> None:
    """Its delays double, it comes back when it can, and its supervisor, which allows no restart, lives on."""
    failing = [ValueError("1"), ValueError("2")]

    def starting(actor: Player) -> None:
        if actor.board.table("starts").get("broken") and failing:
            raise failing.pop()

    spec = child("a", starting=starting, backoff=Backoff(0.01, 60.0))
    with running(spec, kind=Keeper, intensity=Intensity(0, 5.0)) as tree:
        tree.board.table("starts")["broken"] = True
        tree.tell("a", crash(GiveUp("can't work")))
        delays = [tree.until(lambda m: isinstance(m, tuple))[2] for _ in range(3)]
        assert delays == [0.01, 0.02, 0.04]
        tree.until_lived("restarted", "a")
        assert tree.board.table("tree")["a"][1] == "running"
        assert not [m for m in tree.probe.waiting() if isinstance(m, Down) and m.name == ""]


def test_a_parked_child_that_is_stopped_does_not_come_back() -> None:
    """The attempt that was set for it finds nobody to start."""
    with running(child("a", backoff=Backoff(0.01)), kind=Keeper) as tree:
        tree.tell("a", crash(GiveUp("can't work")))
        tree.until(lambda m: isinstance(m, tuple))
        tree.ask("", lambda root: root.remove_child("a"))
        tree.supervise(RestartDue("a", ""))
        assert tree.names.whereis("a") is None
