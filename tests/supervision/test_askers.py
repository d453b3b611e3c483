"""Whoever asks is answered once, also by an actor that hangs or answers by itself and then fails."""

from typing import Any, ClassVar

import pytest

from exqueue.errors import ActorDead, ConfigError
from exqueue.supervision import DEFERRED, CheckChildren, Reply, ThreadRuntime
from tests.supervision.test_hangs import Held, Impatient, thread_of
from tests.supervision.tree import DEADLINE_S, Player, SetClock, child, running


def test_who_asked_an_actor_that_hangs_is_told_when_it_is_replaced() -> None:
    """Not only after its own time-out; the late return answers nobody a second time."""
    clock, held = SetClock(), Held()
    with running(child("a"), runtime=ThreadRuntime(clock), kind=Impatient) as tree:
        asked = tree.send("a", lambda actor: actor.call(held))
        assert held.entered.wait(DEADLINE_S)
        thread = thread_of("a")
        clock.now += 2.0
        tree.supervise(CheckChildren())
        with pytest.raises(ActorDead, match="a was given up while it handled the message"):
            asked.get(timeout=DEADLINE_S)
        held.let_go.set()
        thread.join(DEADLINE_S)
        with pytest.raises(ActorDead, match="given up"):
            asked.get(timeout=0)


def test_who_asked_a_child_that_does_not_stop_is_told_when_it_is_left_behind() -> None:
    """A stop that waits no longer leaves no asker waiting."""
    held = Held()
    with running(child("a", shutdown_s=0.0)) as tree:
        asked = tree.send("a", lambda actor: actor.run_user(held))
        assert held.entered.wait(DEADLINE_S)
        thread = thread_of("a")
        tree.ask("", lambda root: root.terminate_child("a"))
        with pytest.raises(ActorDead, match="given up"):
            asked.get(timeout=DEADLINE_S)
        held.let_go.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


def test_an_asker_that_was_answered_keeps_its_answer_when_the_actor_is_replaced() -> None:
    """What hangs after the answer, at the end of the turn, takes nothing back."""
    clock, held = SetClock(), Held()
    hangs = iter([True])

    class Slow(Player):
        def on_turn_end(self) -> None:
            if next(hangs, False):
                self.call(held)

    with running(child("a", Slow), runtime=ThreadRuntime(clock), kind=Impatient) as tree:
        asked = tree.send("a", lambda _: "answer")
        assert held.entered.wait(DEADLINE_S)
        clock.now += 2.0
        tree.supervise(CheckChildren())
        assert asked.get(timeout=DEADLINE_S) == "answer"
        held.let_go.set()


class Noting(Player):
    """Notes on the board what on_failure is given."""

    said: ClassVar[str] = "said"

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        del exception_type, traceback
        self.board.table("failures")[self.said] = str(exception_value)


@pytest.mark.parametrize("error", [ValueError("after it"), ConfigError("after it"), SystemExit("after it")])
def test_a_handler_that_answers_by_itself_and_then_fails_crashes_by_its_own_error(error: BaseException) -> None:
    """The asker keeps the answer, on_failure runs, and the reported error is the handler's: nobody heard it."""

    def answer_and_fail(actor: Any) -> object:
        actor.asker.set("answer")
        raise error

    with running(child("a", Noting)) as tree:
        assert tree.ask("a", answer_and_fail) == "answer"
        down = tree.until_down("a")
        assert (down.exit.kind, down.exit.error) == ("crashed", f"{_shown(error)}: after it")
        assert dict(tree.board.table("failures")) == {"said": "after it"}
        tree.until_lived("restarted", "a")


def _shown(error: BaseException) -> str:
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def test_a_handler_that_answers_twice_crashes() -> None:
    """The asker keeps the first answer."""

    def twice(actor: Any) -> object:
        actor.asker.set("first")
        return "second"

    with running(child("a")) as tree:
        assert tree.ask("a", twice) == "first"
        assert "this question is answered already" in tree.until_down("a").exit.error
        tree.until_lived("restarted", "a")


def test_a_handler_that_answers_by_itself_may_go_on() -> None:
    """With `DEFERRED` there is no second answer."""

    def answer(actor: Any) -> object:
        actor.asker.set("answer")
        return DEFERRED

    with running(child("a")) as tree:
        old = tree.urn("a")
        assert tree.ask("a", answer) == "answer"
        assert tree.urn("a") == old


def test_an_answer_is_not_changed_by_a_failure_that_comes_later() -> None:
    """`fail_unless_answered` says whether its error is the answer."""
    reply: Reply[int] = Reply()
    reply.set(1)
    assert not reply.fail_unless_answered(ValueError("late"))
    assert reply.get(timeout=0) == 1
    other: Reply[int] = Reply()
    assert other.fail_unless_answered(ValueError("first"))
    with pytest.raises(RuntimeError, match="answered already"):
        other.fail(ValueError("second"))
    with pytest.raises(ValueError, match="first"):
        other.get(timeout=0)
