"""Who is restarted with whom, how often, and what happens past it."""

import threading
import time
from typing import Any

import pytest

from exqueue.supervision import Backoff, Down, Exit, GiveUp, Intensity, Restart, Strategy, ThreadRuntime
from exqueue.supervision.supervisor import TryAgain
from tests.supervision.tree import DEADLINE_S, Overseer, Player, SetClock, Tree, child, crash, running

MANY = Intensity(50, 60.0)


class Family(Overseer):
    """A supervisor below the root that takes its own strategy and intensity."""


def urns(tree: Tree, names: str = "abc") -> dict[str, str]:
    """Who answers to which name."""
    return {name: tree.urn(name) for name in names}


@pytest.mark.parametrize(
    ("strategy", "renewed", "order"),
    [
        (Strategy.ONE_FOR_ONE, "b", ["+b"]),
        (Strategy.ONE_FOR_ALL, "abc", ["-c", "-a", "+a", "+b", "+c"]),
        (Strategy.REST_FOR_ONE, "bc", ["-c", "+b", "+c"]),
    ],
)
def test_a_strategy_renews_its_group_in_order(strategy: Strategy, renewed: str, order: list[str]) -> None:
    """Siblings of the group stop in reverse start order, then all start in start order; others are the same actors."""
    with running(*map(child, "abc"), strategy=strategy) as tree:
        before = urns(tree)
        tree.probe.waiting()
        tree.tell("b", crash(ValueError("b")))
        tree.until_down("b")
        tree.settle()
        signs = {"started": "+", "stopped": "-"}
        assert [signs[what] + name for what, name in tree.lived() if what in signs] == order
        after = urns(tree)
        assert "".join(name for name in "abc" if before[name] != after[name]) == renewed
        assert tree.ask("", lambda root: root.child_ids()) == ("a", "b", "c")


@pytest.mark.parametrize(("last_s", "gives_up"), [(5.0, True), (5.001, False)])
def test_one_restart_more_than_allowed_in_the_window_is_one_too_many(last_s: float, *, gives_up: bool) -> None:
    """One more ends the supervisor while the first still belongs to the window, whose end counts."""
    clock = SetClock()
    start = clock.now
    with running(child("a"), runtime=ThreadRuntime(clock), intensity=Intensity(2, 5.0)) as tree:
        for at in (0.0, 1.0):
            clock.now = start + at
            tree.tell("a", crash(ValueError("again")))
            tree.until_lived("restarted", "a")
        clock.now = start + last_s
        tree.tell("a", crash(ValueError("again")))
        if gives_up:
            end = tree.until_down("").exit
            assert (end.kind, "more than 2 restarts in 5 s" in end.error) == ("shutdown", True)
        else:
            tree.until_lived("restarted", "a")


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


def family(restart: Restart = Restart.PERMANENT, **how: Any) -> Any:
    """A supervisor of two that allows no restart."""
    return child("f", Family, restart=restart, children=(child("a"), child("b")), intensity=Intensity(0, 5.0), **how)


def test_a_supervisor_that_gives_up_stops_its_children_and_is_restarted_when_permanent() -> None:
    """Its children do not outlive it; its parent brings all of them back."""
    with running(family()) as tree:
        old = tree.urn("f/b")
        tree.tell("f/a", crash(ValueError("one too many")))
        tree.until_lived("stopped", "f/b")
        assert tree.until_down("f").exit.kind == "shutdown"
        tree.until_lived("restarted", "f")
        assert tree.urn("f/b") != old


def test_a_transient_supervisor_that_gave_up_is_not_restarted() -> None:
    """Giving up is a shutdown, which a transient child does not come back from."""
    with running(family(Restart.TRANSIENT)) as tree:
        tree.tell("f/a", crash(ValueError("one too many")))
        tree.until_down("f")
        tree.settle()
        assert [tree.names.whereis(name) for name in ("f", "f/a", "f/b")] == [None, None, None]
        assert tree.board.table("tree")["f"] == ("Family", "stopped")


@pytest.mark.parametrize(
    ("restart", "after_crash", "after_end"),
    [(Restart.PERMANENT, True, True), (Restart.TRANSIENT, True, False), (Restart.TEMPORARY, False, False)],
)
def test_what_comes_back_after_which_end(restart: Restart, *, after_crash: bool, after_end: bool) -> None:
    """Permanent always, transient after a crash only, temporary never."""
    for what, comes_back in ((crash(ValueError("x")), after_crash), (lambda actor: actor.stop(), after_end)):
        with running(child("a", restart=restart)) as tree:
            tree.tell("a", what)
            tree.until_down("a")
            tree.settle()
            assert (tree.names.whereis("a") is not None) is comes_back
            assert tree.ask("", lambda root: root.child_ids()) == (() if restart is Restart.TEMPORARY else ("a",))


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
        tree.supervise(TryAgain("a", ""))
        assert tree.names.whereis("a") is None


def test_a_failed_restart_is_tried_again_and_counts() -> None:
    """By a message to itself: a question that waits is answered between two attempts."""
    failing = [ValueError("1"), ValueError("2")]

    def starting(actor: Player) -> None:
        actor.tell("probe", "attempt")
        if actor.board.table("starts").get("broken") and failing:
            raise failing.pop()

    with running(child("a", starting=starting), intensity=MANY) as tree:
        tree.board.table("starts")["broken"] = True
        tree.tell("a", crash(ValueError("first")))
        tree.until_lived("restarted", "a")
        assert failing == []
        assert tree.ask("", lambda root: len(root._history)) == 3  # noqa: SLF001 - how often it was counted shows nowhere else


def test_failed_restarts_past_the_intensity_end_the_supervisor() -> None:
    """A child that can't be started any more is not tried for ever."""

    def starting(actor: Player) -> None:
        if actor.board.table("starts").get("broken"):
            raise ValueError("for good")

    with running(child("a", starting=starting), child("b"), intensity=Intensity(3, 60.0)) as tree:
        tree.board.table("starts")["broken"] = True
        tree.tell("a", crash(ValueError("first")))
        tree.until_lived("stopped", "b")
        assert "more than 3 restarts" in tree.until_down("").exit.error


def test_the_end_of_an_earlier_actor_is_not_taken_for_the_present_one() -> None:
    """A Down whose urn is not the child's changes nothing."""
    with running(child("a")) as tree:
        old = tree.urn("a")
        tree.tell("a", crash(ValueError("x")))
        tree.until_lived("restarted", "a")
        new = tree.urn("a")
        tree.supervise(Down("a", old, Exit("crashed", "again?")))
        assert tree.urn("a") == new
        assert tree.board.table("restarts")["a"] == 1
