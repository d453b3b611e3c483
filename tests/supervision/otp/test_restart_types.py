"""Which end brings which child back."""

from __future__ import annotations

import gc
import weakref
from functools import partial
from typing import Any

import pytest

from exqueue.supervision import (
    CountChildren,
    Intensity,
    Restart,
    RestartChild,
    StartChild,
    Strategy,
    TerminateChild,
)
from tests.supervision.otp.ends import ALL_WAYS, end, mortal
from tests.supervision.tree import Player, child, crash, running
from tests.system.helpers import eventually

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def comes_back(restart: Restart, way: str) -> bool:
    """Whether a child of this type is another one after it ended in this way."""
    with running(mortal("a", restart=restart), intensity=Intensity(5, 60.0)) as tree:
        old = tree.urn("a")
        end(tree, "a", way)
        is_back = tree.names.whereis("a") is not None
        assert not is_back or tree.urn("a") != old
        counts = tree.order(CountChildren())
        kept = 0 if restart is Restart.TEMPORARY else 1
        assert (counts.specs, counts.active, counts.supervisors, counts.workers) == (kept, int(is_back), 0, kept)
        return is_back


def test_otp_022_a_permanent_child_comes_back_after_a_normal_end() -> None:
    """It has no end of its own."""
    assert comes_back(Restart.PERMANENT, "normal")


@pytest.mark.parametrize("way", ["shutdown", "shutdown for a reason"])
def test_otp_023_a_permanent_child_comes_back_after_a_shutdown(way: str) -> None:
    """That somebody else than its supervisor asked for."""
    assert comes_back(Restart.PERMANENT, way)


@pytest.mark.parametrize("way", ["abnormal", "killed"])
def test_otp_024_a_permanent_child_comes_back_after_a_failure(way: str) -> None:
    """Its own, or that of its thread."""
    assert comes_back(Restart.PERMANENT, way)


def test_otp_025_a_transient_child_is_done_after_a_normal_end() -> None:
    """Its spec stays, and counts as one that does not run."""
    assert not comes_back(Restart.TRANSIENT, "normal")


@pytest.mark.parametrize("way", ["shutdown", "shutdown for a reason"])
def test_otp_026_a_transient_child_is_done_after_a_shutdown(way: str) -> None:
    """It can be started again by whoever wants it."""
    assert not comes_back(Restart.TRANSIENT, way)
    with running(mortal("a", restart=Restart.TRANSIENT)) as tree:
        end(tree, "a", way)
        assert tree.order(RestartChild("a")).urn == tree.urn("a")


@pytest.mark.parametrize("way", ["abnormal", "killed"])
def test_otp_027_a_transient_child_comes_back_after_a_failure(way: str) -> None:
    """A thread that is gone is one."""
    assert comes_back(Restart.TRANSIENT, way)


@pytest.mark.parametrize("way", ALL_WAYS)
def test_otp_028_a_temporary_child_never_comes_back_and_is_forgotten(way: str) -> None:
    """However it ended."""
    assert not comes_back(Restart.TEMPORARY, way)


def test_otp_028_a_temporary_child_that_is_terminated_is_forgotten() -> None:
    """By whoever asked for it, too."""
    with running(child("a", restart=Restart.TEMPORARY)) as tree:
        tree.order(TerminateChild("a"))
        assert tree.order(CountChildren()).specs == 0
        assert "a" not in tree.board.table("tree")


@pytest.mark.parametrize("strategy", [Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE])
def test_otp_029_a_temporary_sibling_that_is_taken_down_is_forgotten(strategy: Strategy) -> None:
    """It is not restarted with the one that failed, and the supervisor goes on."""
    with running(child("a"), child("b", restart=Restart.TEMPORARY), child("c"), strategy=strategy) as tree:
        end(tree, "a", "abnormal")
        assert tree.statuses() == {"a": "running", "c": "running"}
        assert tree.names.whereis("b") is None


def is_gone(watch: weakref.ref[Large]) -> bool:
    """Whether nothing keeps it any more, a cycle aside."""
    gc.collect()
    return watch() is None


class Large:
    """What a child is given to start with."""


def test_otp_030_what_a_temporary_child_was_given_is_not_kept_for_it() -> None:
    """Once its own code lets go of it, it is gone; a permanent child's is kept for its restart."""

    class Once(Player):
        def __init__(self, context: Any, *, large: Large) -> None:
            super().__init__(context)
            self.seen = type(large).__name__

    with running() as tree:
        for id, restart, is_kept in (("t", Restart.TEMPORARY, False), ("p", Restart.PERMANENT, True)):
            large = Large()
            watch = weakref.ref(large)
            tree.order(StartChild(child(id, Once, restart=restart, large=large)))
            del large
            assert tree.ask(id, lambda actor: actor.seen) == "Large"
            if is_kept:
                gc.collect()
                assert watch() is not None
            else:
                eventually(partial(is_gone, watch))
        tree.tell("p", crash(ValueError("once")))
        tree.until_lived("restarted", "p")
