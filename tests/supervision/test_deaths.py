"""However an actor ends, it is noticed once, it is brought back, and nobody else in the process suffers."""

import threading
from collections.abc import Iterator
from typing import Any

import pykka
import pytest

from exqueue.errors import ActorDead, ConfigError
from exqueue.supervision import ActorContext, Crash, Down
from tests.supervision.tree import DEADLINE_S, Do, Player, Tree, child, crash, running

UNKIND = (SystemExit(3), KeyboardInterrupt(), GeneratorExit())


class Bystander(pykka.ThreadingActor):
    def on_receive(self, message: Any) -> Any:
        return message


@pytest.fixture(autouse=True)
def bystander() -> Iterator[None]:
    """An actor of the host program that must still answer when the test is over."""
    ref = Bystander.start()
    yield
    try:
        assert ref.ask("still there?", timeout=DEADLINE_S) == "still there?"
        assert ref in pykka.ActorRegistry.get_all()
    finally:
        ref.stop(timeout=DEADLINE_S)


def downs(tree: Tree) -> list[Down]:
    """The ends told to the root and not yet looked at."""
    tree.settle()
    return [m for m in tree.probe.waiting() if isinstance(m, Down)]


def test_a_crash_while_the_supervisor_starts_other_children_is_not_missed() -> None:
    """The supervisor answers to no name yet; it hears of the end when all of its children stand."""
    has_ended = threading.Event()

    def crash_once(actor: Player) -> None:
        if not has_ended.is_set():
            actor.tell_self(Do(crash(ValueError("at once"))))

    def wait_for_the_end_of_a(actor: Player) -> None:
        while any(name == "a" for name, _ in actor._names.snapshot()):  # noqa: SLF001
            has_ended.wait(0.001)
        vitals = actor.board.table("vitals")["a"]
        while not vitals.has_ended:
            has_ended.wait(0.001)
        has_ended.set()

    with running(child("a", starting=crash_once), child("b", starting=wait_for_the_end_of_a)) as tree:
        assert tree.until_down("a").exit.kind == "crashed"
        tree.settle()
        assert dict(tree.board.table("restarts")) == {"a": 1}


def test_an_error_under_ask_is_answered_and_one_crash() -> None:
    """The asker gets the error and the actor is replaced."""
    with running(child("a")) as tree:
        old = tree.urn("a")
        with pytest.raises(ValueError, match="asked"):
            tree.ask("a", crash(ValueError("asked")))
        assert tree.until_down("a").urn == old
        assert tree.urn("a") != old
        assert downs(tree) == []


@pytest.mark.parametrize("error", UNKIND, ids=lambda e: type(e).__name__)
def test_what_would_end_the_asker_is_answered_as_a_dead_actor(error: BaseException) -> None:
    """SystemExit and its like never come out of an ask; they are one crash of the one who raised them."""
    with running(child("a")) as tree:
        with pytest.raises(ActorDead, match=type(error).__name__):
            tree.ask("a", crash(error))
        assert tree.until_down("a").exit.kind == "crashed"
        tree.until_lived("restarted", "a")
        assert downs(tree) == []


def test_a_refusal_is_an_answer_and_no_crash() -> None:
    """An ExqueueError under ask goes to the asker; the same actor answers the next question."""
    with running(child("a")) as tree:
        old = tree.urn("a")
        with pytest.raises(ConfigError, match="not like this"):
            tree.ask("a", crash(ConfigError("not like this")))
        assert tree.urn("a") == old
        assert downs(tree) == []


def test_a_refusal_under_tell_is_a_crash() -> None:
    """Nobody is there to take the refusal, so it may not pass in silence."""
    with running(child("a")) as tree:
        tree.tell("a", crash(ConfigError("nobody asked")))
        assert "nobody asked" in tree.until_down("a").exit.error


def test_an_error_in_on_turn_end_is_a_crash() -> None:
    """The work at the end of a turn is guarded like a handler."""

    class Turning(Player):
        def on_turn_end(self) -> None:
            if self.board.table("turn").pop("fails", None):
                raise ValueError("at the end")

    with running(child("a", Turning)) as tree:
        tree.board.table("turn")["fails"] = True
        tree.ask("a", lambda _: None)
        assert "at the end" in tree.until_down("a").exit.error
        tree.until_lived("restarted", "a")


def test_an_error_in_on_failure_hides_nothing() -> None:
    """The first error is the one that is reported."""

    class Worse(Player):
        def on_failure(self, *_: Any) -> None:
            raise OSError("second")

    with running(child("a", Worse)) as tree:
        tree.tell("a", crash(ValueError("first")))
        assert "first" in tree.until_down("a").exit.error
        tree.until_lived("restarted", "a")


@pytest.mark.parametrize("error", [ValueError("late"), *UNKIND], ids=lambda e: type(e).__name__)
def test_an_error_in_on_stop_ends_the_stop_all_the_same(error: BaseException) -> None:
    """A child that fails while it stops is gone like any other, and stays gone."""
    with running(child("a", stopping=crash(error))) as tree:
        tree.ask("", lambda root: root.terminate_child("a"))
        tree.settle()
        assert tree.names.whereis("a") is None
        assert tree.board.table("tree")["a"][1] == "stopped"


def test_an_error_in_on_stop_of_an_actor_that_stops_itself_is_a_crash() -> None:
    """It is reported once, as a crash, and the child comes back."""
    fails = iter([True])

    def stopping(_: Player) -> None:
        if next(fails, False):
            raise ValueError("late")

    with running(child("a", stopping=stopping)) as tree:
        tree.tell("a", lambda actor: actor.stop())
        assert tree.until_down("a").exit.kind == "crashed"
        tree.until_lived("restarted", "a")
        assert downs(tree) == []


def test_a_refusal_out_of_on_stop_still_ends_the_actor() -> None:
    """A stop that is asked for ends the thread although on_stop raises what else would be only an answer."""
    ref = Player.start(ActorContext(), stopping=crash(ConfigError("not now")))
    task: Any = ref.ask(Do(lambda actor: actor._task), timeout=DEADLINE_S)  # noqa: SLF001 - the thread itself is what must end
    with pytest.raises(ConfigError, match="not now"):
        ref.stop(timeout=DEADLINE_S)
    task.join(DEADLINE_S)
    assert not task.is_alive()


def test_a_crash_on_command_is_a_crash() -> None:
    """`Crash` raises in the actor as its own error would."""
    with running(child("a")) as tree:
        tree.names.tell("a", Crash("on purpose"))
        assert tree.until_down("a").exit.error == "RuntimeError: on purpose"


def test_supervised_actors_are_unknown_to_the_registry_of_the_host() -> None:
    """stop_all() of the host program does not reach into a tree."""
    with running(child("a")) as tree:
        urns = {ref.actor_urn for ref in pykka.ActorRegistry.get_all()}
        assert tree.urn("a") not in urns
