"""A start that fails half-way leaves nothing behind of what it had begun."""

import threading

import pytest

from exqueue.errors import ActorDead
from exqueue.supervision import ActorContext, Intensity, children
from tests.supervision.test_hangs import Held
from tests.supervision.tree import DEADLINE_S, Lived, Overseer, Tree, child, crash, running


def names(tree: Tree) -> list[str]:
    """Who answers to a name."""
    return sorted(name for name, _ in tree.names.snapshot())


def actor_threads() -> set[str]:
    """The threads of actors."""
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("exqueue:")}


class HalfStarted(Overseer):
    """Fails after its children stand."""

    def __init__(self, context: ActorContext | None = None, *, error: BaseException) -> None:
        super().__init__(context, children=(child("one"), child("two")))
        self._error = error

    def on_start(self) -> None:
        super().on_start()
        raise self._error


@pytest.mark.parametrize("error", [ValueError("half-way"), SystemExit("half-way")], ids=lambda e: type(e).__name__)
def test_a_supervisor_that_fails_after_its_children_started_stops_them(error: BaseException) -> None:
    """In reverse order, and before its own failure is told."""
    with running() as tree:
        before = actor_threads()
        with pytest.raises(ActorDead, match="half-way"):
            tree.ask("", lambda root: root.start_child(child("half", HalfStarted, error=error)))
        assert actor_threads() == before
        assert names(tree) == ["", "probe"]
        lived = [(m.what, m.name) for m in tree.probe.waiting() if isinstance(m, Lived)]
        assert lived == [
            ("started", "half/one"),
            ("started", "half/two"),
            ("stopped", "half/two"),
            ("stopped", "half/one"),
        ]


def test_a_restart_that_fails_half_way_leaves_no_children_either() -> None:
    """The next attempt finds the names free."""
    fails = iter([False, True, False])

    class Sometimes(Overseer):
        def __init__(self, context: ActorContext) -> None:
            super().__init__(context, children=(child("one"),))

        def on_start(self) -> None:
            super().on_start()
            if next(fails):
                raise ValueError("half-way")

    with running(child("half", Sometimes), intensity=Intensity(5, 60.0)) as tree:
        tree.tell("half", crash(ValueError("once")))
        tree.until_lived("restarted", "half")
        tree.settle()
        assert names(tree) == ["", "half", "half/one", "probe"]
        threads = [thread.name for thread in threading.enumerate() if thread.name == "exqueue:half/one"]
        assert len(threads) == 1


def test_a_supervisor_that_took_too_long_to_start_takes_its_children_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its start ends, well or not; those of its successor, which have the same names, stay."""
    monkeypatch.setattr(children, "START_TIMEOUT_S", 0.2)
    held, hangs = Held(), iter([True])

    class Slow(Overseer):
        def __init__(self, context: ActorContext) -> None:
            super().__init__(context, children=(child("one"),))

        def on_start(self) -> None:
            super().on_start()
            if next(hangs, False):
                held()

    with running() as tree:
        with pytest.raises(ActorDead, match="on_start took more than"):
            tree.ask("", lambda root: root.start_child(child("slow", Slow)))
        left = [thread for thread in threading.enumerate() if thread.name.startswith("exqueue:slow")]
        assert sorted(thread.name for thread in left) == ["exqueue:slow", "exqueue:slow/one"]
        tree.ask("", lambda root: root.start_child(child("slow", Slow)))
        urn = tree.urn("slow/one")
        held.let_go.set()
        for thread in left:
            thread.join(DEADLINE_S)
        assert [thread.name for thread in left if thread.is_alive()] == []
        assert tree.urn("slow/one") == urn
        assert tree.board.table("tree")["slow/one"] == ("Player", "running")
        tree.tell("slow/one", crash(ValueError("once")))
        tree.until_lived("restarted", "slow/one")


def test_what_fails_while_a_failed_start_is_taken_back_hides_nothing() -> None:
    """The starter is told of the first error, at once."""

    class Worse(HalfStarted):
        def on_start_failed(self) -> None:
            super().on_start_failed()
            raise OSError("second")

    with running() as tree, pytest.raises(ActorDead, match="first"):
        tree.ask("", lambda root: root.start_child(child("half", Worse, error=ValueError("first"))))
