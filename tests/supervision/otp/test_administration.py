"""What people may ask of a supervisor, and what they are refused with."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from exqueue.errors import ActorDead, AskTimeout, ChildRefused, ConfigError
from exqueue.supervision import (
    ChildCounts,
    ChildInfo,
    CountChildren,
    DeleteChild,
    Envelope,
    Intensity,
    Names,
    Restart,
    RestartChild,
    StartChild,
    TerminateChild,
    Tree,
    WhichChild,
    WhichChildren,
)
from tests.supervision.otp.ends import thread_of
from tests.supervision.test_hangs import Held
from tests.supervision.tree import DEADLINE_S, Do, Overseer, child, crash, running

MANY_CHILDREN = 2_000


def test_otp_061_a_terminated_child_keeps_its_spec() -> None:
    """Unless it is temporary; to terminate it once more is no error, and one that is not there is said to be so."""
    with running(child("a"), child("t", restart=Restart.TEMPORARY)) as tree:
        thread = thread_of("a")
        for _ in range(2):
            tree.order(TerminateChild("a"))
            assert not thread.is_alive()
        tree.order(TerminateChild("t"))
        assert tree.statuses() == {"a": "stopped"}
        for id in ("t", "x"):
            with pytest.raises(ChildRefused, match=f"{id}: not found"):
                tree.order(TerminateChild(id))


def test_otp_062_a_child_is_restarted_only_when_it_is_stopped() -> None:
    """See 046 for one that is being restarted."""
    with running(child("a")) as tree:
        old = tree.urn("a")
        with pytest.raises(ChildRefused, match="a: running"):
            tree.order(RestartChild("a"))
        with pytest.raises(ChildRefused, match="x: not found"):
            tree.order(RestartChild("x"))
        tree.order(TerminateChild("a"))
        assert tree.order(RestartChild("a")).urn == tree.urn("a") != old


def test_otp_063_a_child_is_deleted_only_when_it_is_stopped() -> None:
    """Then it is gone from the counts and the board, and its id is free."""
    with running(child("a")) as tree:
        with pytest.raises(ChildRefused, match="a: running"):
            tree.order(DeleteChild("a"))
        tree.order(TerminateChild("a"))
        tree.order(DeleteChild("a"))
        assert tree.order(CountChildren()) == ChildCounts(0, 0, 0, 0)
        assert not [table for table in ("tree", "restarts", "vitals") if "a" in tree.board.table(table)]
        with pytest.raises(ChildRefused, match="a: not found"):
            tree.order(DeleteChild("a"))
        tree.order(StartChild(child("a")))


def test_otp_065_the_children_are_shown_the_newest_first() -> None:
    """All, or the one that is asked for."""
    with running(child("a"), child("f", Overseer)) as tree:
        tree.order(StartChild(child("z")))
        tree.order(TerminateChild("z"))
        wanted = (
            ChildInfo("z", "z", "Player", "stopped", None, is_supervisor=False),
            ChildInfo("f", "f", "Overseer", "running", tree.urn("f"), is_supervisor=True),
            ChildInfo("a", "a", "Player", "running", tree.urn("a"), is_supervisor=False),
        )
        assert tree.order(WhichChildren()) == wanted
        assert tree.order(WhichChild("a")) == wanted[2]
        tree.order(StartChild(child("y")), "f")
        assert tree.order(WhichChild("y"), "f").path == "f/y"
        with pytest.raises(ChildRefused, match="f/x: not found"):
            tree.order(WhichChild("x"), "f")


def test_otp_066_the_counts_are_right_with_many_children() -> None:
    """Specs, those that run, supervisors and others."""
    with running(child("f", Overseer), child("g", Overseer)) as tree:
        for number in range(MANY_CHILDREN):
            tree.order(StartChild(child(f"n{number}")))
        assert tree.order(CountChildren()) == ChildCounts(MANY_CHILDREN + 2, MANY_CHILDREN + 2, 2, MANY_CHILDREN)
        for number in range(0, MANY_CHILDREN, 20):
            tree.order(TerminateChild(f"n{number}"))
        active = MANY_CHILDREN + 2 - MANY_CHILDREN // 20
        assert tree.order(CountChildren()) == ChildCounts(MANY_CHILDREN + 2, active, 2, MANY_CHILDREN)


@pytest.mark.parametrize("way", ["stopped", "gave up"])
def test_otp_067_who_asks_a_dead_supervisor_is_told_at_once(way: str) -> None:
    """Also with a time-out of an hour."""
    with Tree.start(children=(child("a"),), intensity=Intensity(0, 5.0)) as tree:
        if way == "stopped":
            tree.stop()
        else:
            tree.tell("a", Do(crash(ValueError("too many"))))
            ended = tree.wait(DEADLINE_S)
            assert ended is not None
            assert ended.kind == "shutdown"
        begun = time.monotonic()
        for path in ("", "a", "x"):
            with pytest.raises(ActorDead, match="nobody answers"):
                tree.ask(path, WhichChildren(), timeout_s=3_600)
        assert time.monotonic() - begun < DEADLINE_S
        assert not tree.is_alive()


def test_otp_067_who_waits_for_a_supervisor_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The question was behind what killed it."""
    held, is_asked, deliver = Held(), threading.Event(), Names.deliver

    def noted(names: Names, name: str, envelope: Envelope) -> bool:
        answer = deliver(names, name, envelope)
        if isinstance(envelope.message, CountChildren):
            is_asked.set()
        return answer

    monkeypatch.setattr(Names, "deliver", noted)
    with Tree.start(Overseer) as tree, ThreadPoolExecutor(1) as asker:
        tree.tell("", Do(lambda _: [step() for step in (held, lambda: crash(ValueError("behind it"))(None))]))
        assert held.entered.wait(DEADLINE_S)
        asking = asker.submit(tree.ask, "", CountChildren(), timeout_s=DEADLINE_S)
        assert is_asked.wait(DEADLINE_S)
        held.let_go.set()
        with pytest.raises(ActorDead, match="the root ended before it answered"):
            asking.result(DEADLINE_S)


def test_otp_069_an_unknown_message_is_logged_and_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    """Who asked it is refused; of the message only the type is shown, whatever its text does."""

    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("from __str__")

        __repr__ = __str__

    with Tree.start(children=(child("a"), child("f", Overseer))) as tree:
        tree.tell("", Hostile())
        with pytest.raises(ConfigError, match="knows no message of type Hostile"):
            tree.ask("", Hostile())
        assert tree.ask("", CountChildren()).active == 2
        (said,) = [r.getMessage() for r in caplog.records if "Unexpected" in r.getMessage()]
        assert said.endswith("of type Hostile")
        with pytest.raises(AskTimeout, match="the root did not answer WhichChildren within 0 s"):
            tree.ask("", WhichChildren(), timeout_s=0)
