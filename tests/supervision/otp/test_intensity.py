"""How often in how long, what counts, and what happens past it."""

from __future__ import annotations

from typing import Any

import pytest

from exqueue.errors import ChildRefused, NotStarted
from exqueue.supervision import (
    CountChildren,
    DeleteChild,
    Intensity,
    Restart,
    RestartChild,
    StartChild,
    Strategy,
    TerminateChild,
    ThreadRuntime,
)
from tests.supervision.otp.ends import break_starts, end, fragile
from tests.supervision.tree import Overseer, SetClock, child, crash, running

ALL = tuple(Strategy)
WITHOUT_END = Intensity(1_000_000, 1_000.0)
NONE = Intensity(0, 5.0)


def ids(strategy: Strategy) -> str:
    """A strategy by its word."""
    return strategy.value


@pytest.mark.parametrize("strategy", ALL, ids=ids)
def test_otp_038_one_restart_too_many_ends_the_supervisor(strategy: Strategy) -> None:
    """As a shutdown, after all of its children."""
    with running(*map(child, "ab"), strategy=strategy, intensity=Intensity(2, 60.0)) as tree:
        for _ in range(2):
            end(tree, "a", "abnormal")
            assert tree.statuses() == {"a": "running", "b": "running"}
        tree.probe.waiting()
        tree.tell("a", crash(ValueError("one too many")))
        tree.until_lived("stopped", "b")
        told = tree.until_down("").exit
        assert (told.kind, "more than 2 restarts in 60 s" in told.error) == ("shutdown", True)
        assert [tree.names.whereis(name) for name in ("", "a", "b")] == [None] * 3


def test_otp_039_failures_that_are_far_apart_never_end_it() -> None:
    """However many there are."""
    clock = SetClock()
    with running(child("a"), runtime=ThreadRuntime(clock), intensity=Intensity(1, 1.0)) as tree:
        for _ in range(4):
            clock.now += 2.1
            end(tree, "a", "abnormal")
            assert tree.statuses() == {"a": "running"}


def test_otp_040_with_none_allowed_the_first_is_one_too_many() -> None:
    """The child is not even tried again."""
    with running(child("a"), intensity=NONE) as tree:
        tree.until_lived("started", "a")
        tree.tell("a", crash(ValueError("first")))
        assert tree.until_down("").exit.kind == "shutdown"
        assert ("started", "a") not in tree.lived()


@pytest.mark.parametrize(("last_s", "gives_up"), [(5.0, True), (5.001, False)])
def test_otp_041_both_ends_belong_to_the_window(last_s: float, *, gives_up: bool) -> None:
    """In milliseconds, where OTP counts whole seconds."""
    clock = SetClock()
    start = clock.now
    with running(child("a"), runtime=ThreadRuntime(clock), intensity=Intensity(2, 5.0)) as tree:
        for at in (0.0, 1.0):
            clock.now = start + at
            end(tree, "a", "abnormal")
        clock.now = start + last_s
        tree.probe.waiting()
        tree.tell("a", crash(ValueError("again")))
        if gives_up:
            assert tree.until_down("").exit.kind == "shutdown"
        else:
            tree.until_lived("restarted", "a")


@pytest.mark.parametrize("strategy", ALL, ids=ids)
def test_otp_042_each_failed_restart_counts(strategy: Strategy) -> None:
    """So that a child which can't be started any more is not tried for ever."""
    with running(fragile("a"), child("b"), strategy=strategy, intensity=Intensity(3, 60.0)) as tree:
        break_starts(tree, "a")
        tree.tell("a", crash(ValueError("first")))
        tree.until_lived("stopped", "b")
        assert "more than 3 restarts" in tree.until_down("").exit.error
        assert tree.board.table("breaks")["a"] == 1_000_000 - 3


@pytest.mark.parametrize("strategy", [Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE], ids=ids)
def test_otp_043_one_death_counts_once(strategy: Strategy) -> None:
    """However many are restarted with it."""
    with running(*map(child, "abcd"), strategy=strategy, intensity=Intensity(1, 60.0)) as tree:
        end(tree, "a", "abnormal")
        assert dict(tree.board.table("restarts")) == dict.fromkeys("abcd", 1)
        assert set(tree.statuses().values()) == {"running"}


def test_otp_044_what_people_ask_for_counts_as_nothing() -> None:
    """A supervisor that allows no restart outlives any number of them, failed ones too."""
    with running(fragile("a"), intensity=NONE) as tree:
        for _ in range(3):
            tree.order(TerminateChild("a"))
            tree.order(RestartChild("a"))
        tree.order(TerminateChild("a"))
        break_starts(tree, "a", times=3)
        for _ in range(3):
            with pytest.raises(NotStarted):
                tree.order(RestartChild("a"))
        tree.order(DeleteChild("a"))
        break_starts(tree, "a", times=3)
        for _ in range(3):
            with pytest.raises(NotStarted):
                tree.order(StartChild(fragile("a")))
        tree.order(StartChild(fragile("a")))
        assert tree.statuses() == {"a": "running"}


def test_otp_045_between_two_attempts_others_are_served() -> None:
    """A restart that failed is tried again by a message to itself, behind those that wait; each attempt counts."""
    with running(fragile("a"), intensity=WITHOUT_END) as tree:
        break_starts(tree, "a")
        end(tree, "a", "abnormal")
        for _ in range(5):
            assert tree.statuses() == {"a": "restarting"}
        break_starts(tree, "a", times=0)
        tree.until_lived("restarted", "a")
        attempts = tree.ask("", lambda root: len(root._history))  # noqa: SLF001 - how often it was counted
        assert attempts >= 5


@pytest.mark.parametrize("strategy", ALL, ids=ids)
def test_otp_046_a_child_that_is_being_restarted_is_shown_as_that(strategy: Strategy) -> None:
    """It can't be started, restarted or deleted meanwhile, and does not count as active."""
    with running(child("b"), fragile("a"), strategy=strategy, intensity=WITHOUT_END) as tree:
        break_starts(tree, "a")
        end(tree, "a", "abnormal")
        assert tree.statuses() == {"b": "running", "a": "restarting"}
        counts = tree.order(CountChildren())
        assert (counts.specs, counts.active) == (2, 1)
        for order, why in (
            (RestartChild("a"), "restarting"),
            (DeleteChild("a"), "restarting"),
            (StartChild(fragile("a")), "already present"),
        ):
            with pytest.raises(ChildRefused) as refused:
                tree.order(order)
            assert (refused.value.path, refused.value.reason) == ("a", why)


@pytest.mark.parametrize("strategy", ALL, ids=ids)
def test_otp_047_who_terminates_a_child_that_is_being_restarted_ends_the_attempts(strategy: Strategy) -> None:
    """It is stopped from then on."""
    with running(child("b"), fragile("a"), strategy=strategy, intensity=WITHOUT_END) as tree:
        break_starts(tree, "a")
        end(tree, "a", "abnormal")
        tree.order(TerminateChild("a"))
        left = tree.board.table("breaks")["a"]
        tree.settle()
        assert tree.statuses() == {"b": "running", "a": "stopped"}
        assert tree.board.table("breaks")["a"] == left


def test_otp_048_rest_for_one_waits_for_the_one_in_the_middle() -> None:
    """Those before it run, those after it do not, until it is back."""
    children = (child("a"), fragile("b"), child("c"))
    with running(*children, strategy=Strategy.REST_FOR_ONE, intensity=WITHOUT_END) as tree:
        old = tree.urn("a")
        break_starts(tree, "b")
        end(tree, "b", "abnormal")
        assert tree.statuses() == {"a": "running", "b": "restarting", "c": "stopped"}
        break_starts(tree, "b", times=0)
        tree.until_lived("restarted", "c")
        assert (tree.urn("a"), set(tree.statuses().values())) == (old, {"running"})


def family(restart: Restart, **how: Any) -> Any:
    """A supervisor of two that allows no restart."""
    return child("f", Overseer, restart=restart, children=(child("a"), child("b")), intensity=NONE, **how)


def test_otp_049_a_permanent_supervisor_that_gave_up_comes_back() -> None:
    """With all of its children; for its parent that is one restart."""
    with running(family(Restart.PERMANENT), intensity=Intensity(1, 60.0)) as tree:
        old = tree.urn("f/b")
        tree.tell("f/a", crash(ValueError("one too many")))
        tree.until_lived("stopped", "f/b")
        assert tree.until_down("f").exit.kind == "shutdown"
        tree.until_lived("restarted", "f")
        assert tree.urn("f/b") != old
        tree.tell("f/a", crash(ValueError("and again")))
        assert "more than 1 restarts" in tree.until_down("").exit.error


@pytest.mark.parametrize(("restart", "left"), [(Restart.TRANSIENT, {"f": "stopped"}), (Restart.TEMPORARY, {})])
def test_otp_049_another_supervisor_that_gave_up_does_not(restart: Restart, left: dict[str, str]) -> None:
    """The trap: giving up is a shutdown, after which a transient child does not come back."""
    with running(family(restart)) as tree:
        tree.tell("f/a", crash(ValueError("one too many")))
        tree.until_down("f")
        tree.settle()
        assert [tree.names.whereis(name) for name in ("f", "f/a", "f/b")] == [None, None, None]
        assert tree.statuses() == left


def test_otp_050_a_supervisor_comes_back_with_its_static_children_only() -> None:
    """Those that were added later are nobody's any more."""
    with running(child("f", Overseer, children=(child("a"),))) as tree:
        tree.order(StartChild(child("late")), "f")
        end(tree, "f", "abnormal")
        assert tree.statuses("f") == {"a": "running"}
        assert tree.names.whereis("f/late") is None
