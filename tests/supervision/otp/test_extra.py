"""What OTP gets from its virtual machine for nothing, and threads do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from exqueue.errors import NotStarted
from exqueue.supervision import Down, Exit, Intensity, StartChild, Strategy, ThreadRuntime
from exqueue.testing.simulation.runtime import SeededRuntime
from exqueue.testing.simulation.scheduler import Scheduler
from tests.supervision.otp.ends import end, thread_of, wait_for_end
from tests.supervision.tree import DEADLINE_S, Do, Overseer, Player, Tree, child, crash, running

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.supervision.runtime import Task

UNKIND = (ValueError("broke"), SystemExit(3), KeyboardInterrupt(), GeneratorExit())


def told(tree: Tree, name: str) -> list[Down]:
    """The ends of an actor that its supervisor was told and nobody looked at yet."""
    tree.settle()
    return [m for m in tree.probe.waiting() if isinstance(m, Down) and m.name == name]


@pytest.mark.parametrize("error", UNKIND, ids=lambda e: type(e).__name__)
def test_otp_079_whatever_a_handler_raises_is_one_end(error: BaseException) -> None:
    """Also what would end a program."""
    with running(child("a")) as tree:
        tree.tell("a", crash(error))
        assert type(error).__name__ in tree.until_down("a").exit.error
        assert told(tree, "a") == []
        assert dict(tree.board.table("restarts")) == {"a": 1}


@pytest.mark.parametrize("error", UNKIND, ids=lambda e: type(e).__name__)
def test_otp_079_what_a_thread_beside_an_actor_raises_is_one_end_of_the_actor(error: BaseException) -> None:
    """Nobody has to look after it."""
    with running(child("a")) as tree:
        task: Task = tree.ask("a", lambda actor: actor.run_beside(lambda: crash(error)(None), "reader"))
        assert f"reader: {type(error).__name__}" in tree.until_down("a").exit.error
        task.join(DEADLINE_S)
        assert told(tree, "a") == []
        assert dict(tree.board.table("restarts")) == {"a": 1}


def test_otp_079_a_thread_beside_an_actor_that_ends_well_ends_nothing() -> None:
    """It was only that."""
    with running(child("a")) as tree:
        old = tree.urn("a")
        tree.ask("a", lambda actor: actor.run_beside(lambda: None, "reader")).join(DEADLINE_S)
        assert (tree.urn("a"), told(tree, "a")) == (old, [])


class Threadless(ThreadRuntime):
    """Starts no thread for the names in ``refused``."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()

    def spawn(self, target: Callable[[], None], name: str) -> Task:
        if name in self.refused:
            raise RuntimeError("can't start new thread")
        return super().spawn(target, name)


def test_otp_079_a_thread_that_cannot_be_started_is_a_failed_start() -> None:
    """Told like any other reason; of a restart each counts, until the supervisor gives up."""
    runtime = Threadless()
    with running(child("a"), runtime=runtime) as tree:
        runtime.refused |= {"exqueue:a", "exqueue:b"}
        with pytest.raises(NotStarted, match="can't start new thread"):
            tree.order(StartChild(child("b")))
        tree.tell("a", crash(ValueError("once")))
        assert tree.until_down("a").exit.kind == "crashed"
        assert "more than 1 restarts" in tree.until_down("").exit.error


def test_otp_080_two_that_die_in_the_same_instant_are_one_restart() -> None:
    """The second end is that of an actor which is replaced by then; it counts as nothing."""
    with running(*map(child, "abc"), strategy=Strategy.ONE_FOR_ALL, intensity=Intensity(1, 60.0)) as tree:

        def kill_both(_: Any) -> None:
            for name in "ab":
                thread = thread_of(name)
                tree.tell(name, crash(ValueError("both")))
                thread.join(DEADLINE_S)

        tree.ask("", kill_both)
        tree.settle()
        assert dict(tree.board.table("restarts")) == dict.fromkeys("abc", 1)
        assert set(tree.statuses().values()) == {"running"}


@pytest.mark.parametrize("seed", range(30))
def test_otp_080_it_is_one_restart_in_whatever_order_it_is_seen(seed: int) -> None:
    """Or two, when the second dies after the first was dealt with; then both are counted."""
    scheduler = Scheduler(seed)
    tree = Tree(
        SeededRuntime(scheduler),
        tuple(map(child, "abc")),
        Overseer,
        strategy=Strategy.ONE_FOR_ALL,
        intensity=Intensity(2, 60.0),
    )
    for name in "ab":
        tree.tell(name, crash(ValueError("both")))
    scheduler.sleep(1.0)
    restarts = set(tree.board.table("restarts").values())
    counted = tree.ask("", lambda root: len(root._history))  # noqa: SLF001 - how often it was counted
    assert restarts == {counted}
    assert set(tree.statuses().values()) == {"running"}
    tree.stop()


def test_otp_081_one_that_dies_while_a_sibling_is_shut_down_is_not_restarted_twice() -> None:
    """It is part of the round that goes on already."""

    def stopping(actor: Player) -> None:
        vitals = actor.board.table("vitals")["b"]
        if actor.tell("b", Do(crash(ValueError("meanwhile")))):
            wait_for_end(vitals)

    children = (child("a"), child("b"), child("c", stopping=stopping))
    with running(*children, strategy=Strategy.ONE_FOR_ALL, intensity=Intensity(1, 60.0)) as tree:
        end(tree, "a", "abnormal")
        assert dict(tree.board.table("restarts")) == dict.fromkeys("abc", 1)
        assert set(tree.statuses().values()) == {"running"}
        tree.order(StartChild(child("d")))


def test_otp_082_the_late_end_of_an_earlier_actor_changes_nothing() -> None:
    """It is known by its urn."""
    with running(child("a")) as tree:
        old = tree.urn("a")
        end(tree, "a", "abnormal")
        new = tree.urn("a")
        tree.supervise(Down("a", old, Exit("crashed", "again?")))
        assert (tree.urn("a"), tree.board.table("restarts")["a"]) == (new, 1)


@pytest.mark.parametrize("hostility", [ValueError, SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("where", ["handler", "start"])
def test_otp_083_an_error_whose_text_raises_is_told_by_its_name(hostility: type[BaseException], where: str) -> None:
    """It hides neither that there was one nor anything else."""

    class Hostile(Exception):
        def __str__(self) -> str:
            raise hostility("from the text")

        __repr__ = __str__

    with running(child("a")) as tree:
        if where == "handler":
            tree.tell("a", crash(Hostile()))
            assert "Hostile" in tree.until_down("a").exit.error
            tree.until_lived("restarted", "a")
        else:
            with pytest.raises(NotStarted, match="Hostile"):
                tree.order(StartChild(child("b", starting=crash(Hostile()))))
        assert tree.statuses() == {"a": "running"}
