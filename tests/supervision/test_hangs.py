"""A thread can't be ended: whoever hangs is replaced, and what it does later has no effect."""

import threading
from typing import Any, ClassVar

import pytest

from exqueue.errors import ActorDead
from exqueue.supervision import CheckChildren, Exit, ThreadRuntime, children
from tests.supervision.tree import DEADLINE_S, Overseer, Player, SetClock, Tree, child, crash, running


class Impatient(Overseer):
    hang_s: ClassVar[float] = 1.0


class Held:
    """A call that hangs until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.let_go = threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.let_go.wait(DEADLINE_S)


def thread_of(name: str) -> threading.Thread:
    """The thread of the actor of this name."""
    return next(t for t in threading.enumerate() if t.name == f"exqueue:{name}")


def test_a_child_that_hangs_is_replaced_and_its_late_return_has_no_effect() -> None:
    """The call returns into nothing: what follows it in the handler is not run."""
    clock, held, after = SetClock(), Held(), threading.Event()
    with running(child("a"), runtime=ThreadRuntime(clock), kind=Impatient) as tree:
        old, thread = tree.urn("a"), thread_of("a")
        tree.tell("a", lambda actor: [step() for step in (lambda: actor.call(held), after.set)])
        assert held.entered.wait(DEADLINE_S)
        clock.now += 1.0
        tree.supervise(CheckChildren())
        assert tree.board.table("restarts").get("a") is None
        clock.now += 0.1
        tree.supervise(CheckChildren())
        new = tree.urn("a")
        assert new != old
        assert dict(tree.board.table("abandoned threads")) == {old: "a"}
        held.let_go.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()
        assert not after.is_set()
        assert tree.urn("a") == new
        tree.supervise(CheckChildren())
        assert tree.board.table("restarts")["a"] == 1
        assert dict(tree.board.table("abandoned threads")) == {}


def test_what_waits_for_a_child_that_hangs_goes_to_its_successor() -> None:
    """Kept envelopes are handed over, not lost with the thread."""
    clock, held = SetClock(), Held()
    with running(child("a"), runtime=ThreadRuntime(clock), kind=Impatient) as tree:
        tree.tell("a", lambda actor: actor.call(held))
        assert held.entered.wait(DEADLINE_S)
        waiting = tree.send("a", lambda actor: actor.actor_urn)
        clock.now += 2.0
        tree.supervise(CheckChildren())
        assert waiting.get(timeout=DEADLINE_S) == tree.urn("a")
        held.let_go.set()


def test_user_code_is_no_hang_however_long_it_takes() -> None:
    """Neither while it runs nor in what follows it in the same handler."""
    clock, first, then = SetClock(), Held(), Held()
    with running(child("a"), runtime=ThreadRuntime(clock), kind=Impatient) as tree:
        old = tree.urn("a")
        tree.tell("a", lambda actor: (actor.run_user(first), actor.call(then)))
        assert first.entered.wait(DEADLINE_S)
        clock.now += 1_000.0
        tree.supervise(CheckChildren())
        first.let_go.set()
        assert then.entered.wait(DEADLINE_S)
        tree.supervise(CheckChildren())
        then.let_go.set()
        assert tree.urn("a") == old


def test_an_idle_child_does_not_hang() -> None:
    """Waiting for a message is no work."""
    clock = SetClock()
    with running(child("a"), runtime=ThreadRuntime(clock), kind=Impatient) as tree:
        old = tree.urn("a")
        clock.now += 1_000.0
        tree.supervise(CheckChildren())
        assert tree.urn("a") == old


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_vanished_is_noticed() -> None:
    """It told nobody; the next look finds it."""

    class Vanishing(Player):
        def _depart(self, end: Exit) -> None:
            if end.kind == "crashed":
                raise OSError("out of order")
            super()._depart(end)

    with running(child("a", Vanishing)) as tree:
        old, thread = tree.urn("a"), thread_of("a")
        tree.tell("a", crash(ValueError("into thin air")))
        thread.join(DEADLINE_S)
        tree.supervise(CheckChildren())
        assert tree.urn("a") != old
        assert tree.board.table("restarts")["a"] == 1


def test_an_end_that_is_told_already_is_not_taken_for_a_lost_thread() -> None:
    """The look that comes between a child's end and its Down leaves it to the Down."""
    with running(child("a")) as tree:
        thread = thread_of("a")

        def look_after_the_end(root: Any) -> None:
            tree.tell("a", crash(ValueError("said why")))
            thread.join(DEADLINE_S)
            root.on_supervision(CheckChildren())

        tree.ask("", look_after_the_end)
        assert "said why" in tree.until_down("a").exit.error
        tree.until_lived("restarted", "a")
        assert tree.board.table("restarts")["a"] == 1


def test_an_actor_replaced_while_it_started_does_not_take_its_name_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that takes too long is a failed one, also when it ends well later."""
    monkeypatch.setattr(children, "START_TIMEOUT_S", 0.05)
    held = Held()
    slow = iter([True])

    def starting(_: Player) -> None:
        if next(slow, False):
            held()

    with running() as tree:
        assert "on_start took more than" in _start_in(tree, starting)
        thread = thread_of("a")
        assert _start_in(tree, starting) == ""
        new = tree.urn("a")
        held.let_go.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()
        assert tree.urn("a") == new


def _start(root: Any, starting: Any) -> str:
    try:
        root.start_child(child("a", starting=starting))
    except ActorDead as refused:
        return str(refused)
    return ""


def _start_in(tree: Tree, starting: Any) -> str:
    return str(tree.ask("", lambda root: _start(root, starting)))
