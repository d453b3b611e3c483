"""Starting: synchronous, in order, all or nothing, and what a start may say besides."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from exqueue.errors import ConfigError, NotStarted
from exqueue.supervision import (
    IGNORE,
    CountChildren,
    Info,
    Occasion,
    Restart,
    RestartChild,
    StartChild,
    Supervisor,
    TerminateChild,
)
from exqueue.supervision import Tree as OwnTree
from exqueue.supervision.child_spec import START_TIMEOUT_S
from exqueue.supervision.exits import SHUTDOWN
from exqueue.testing.simulation.runtime import SeededRuntime
from exqueue.testing.simulation.scheduler import Scheduler
from tests.supervision.tree import DEADLINE_S, Overseer, Player, Probe, Tree, child, crash, running

UNKIND = (ValueError("no start"), SystemExit(3), KeyboardInterrupt(), GeneratorExit())


def ignoring(_: Player) -> Any:
    """A start that says that there is nothing to run."""
    return IGNORE


def actor_threads() -> list[str]:
    """The threads of actors that run."""
    return sorted(t.name for t in threading.enumerate() if t.name.startswith("exqueue:"))


def test_otp_001_a_supervisor_without_children_starts_and_ends_as_a_shutdown() -> None:
    """That is how its end is told when it is asked to stop."""
    with running() as tree:
        assert tree.failed_start is None
    assert tree.until_down("").exit == SHUTDOWN


def test_otp_002_a_supervisor_may_say_that_there_is_nothing_to_run() -> None:
    """Its starter is told so, what it had begun is taken back, and no end is reported."""

    class Needless(Overseer):
        def on_start(self) -> Any:
            super().on_start()
            return IGNORE

    with running() as tree:
        before = actor_threads()
        started = tree.order(StartChild(child("f", Needless, children=(child("a"),))))
        assert (started.urn, started.info) == (None, None)
        tree.until_lived("stopped", "f/a")
        assert actor_threads() == before
        tree.settle()
        assert tree.probe.waiting() == []

    with pytest.raises(NotStarted, match="the root could not be started: ignored"):
        OwnTree.start(Needless)
    assert actor_threads() == []


@pytest.mark.parametrize(("how", "error"), [("children", ConfigError), ("on_start", NotStarted)])
def test_otp_003_a_start_that_returns_what_it_may_not_leaves_nothing_running(how: str, error: type[Exception]) -> None:
    """Children that are no specs are refused at once; ``on_start`` says nothing, `Info` or `IGNORE`."""

    class Odd(Supervisor):
        def on_start(self) -> Any:
            super().on_start()
            return "ready"

    with pytest.raises(
        error, match=r"children are ChildSpecs, got one str|on_start returns None, Info or IGNORE, got str"
    ):
        OwnTree.start(*([Odd] if how == "on_start" else []), children=("a",) if how == "children" else (child("a"),))
    assert actor_threads() == []


@pytest.mark.parametrize("error", UNKIND, ids=lambda e: type(e).__name__)
def test_otp_004_a_start_that_raises_is_told_with_its_stack(error: BaseException) -> None:
    """To the starter, once: nothing answers to the name and no end is reported."""
    with running() as tree:
        before = actor_threads()
        with pytest.raises(NotStarted, match=type(error).__name__) as failed:
            tree.order(StartChild(child("a", starting=crash(error))))
        assert "raise error" in failed.value.stack
        assert (tree.names.whereis("a"), actor_threads()) == (None, before)
        assert tree.order(CountChildren()).specs == 0
        assert tree.probe.waiting() == []


def test_otp_005_children_start_in_order_each_when_the_one_before_is_through() -> None:
    """In a tree of two floors too."""
    begun: list[tuple[str, set[str]]] = []
    through: set[str] = set()

    def note(actor: Player) -> None:
        begun.append((actor.name, set(through)))
        through.add(actor.name)

    inner = child("f", Overseer, children=(child("x", starting=note),))
    with running(child("a", starting=note), child("b", starting=note), inner, child("c", starting=note)) as tree:
        assert begun == [("a", set()), ("b", {"a"}), ("f/x", {"a", "b"}), ("c", {"a", "b", "f/x"})]
        assert tree.lived() == [("started", name) for name in ("a", "b", "f/x", "c")]


def test_otp_006_a_start_returns_when_all_static_children_are_started() -> None:
    """However long the last one takes."""
    let_go, returned = threading.Event(), threading.Event()
    held = threading.Event()

    def starting(_: Player) -> None:
        held.set()
        assert let_go.wait(DEADLINE_S)

    def start() -> None:
        with OwnTree.start(children=(child("a"), child("b", starting=starting))):
            returned.set()

    starter = threading.Thread(target=start)
    starter.start()
    assert held.wait(DEADLINE_S)
    assert not returned.is_set()
    let_go.set()
    starter.join(DEADLINE_S)
    assert returned.is_set()


def test_otp_007_a_child_that_cannot_start_takes_back_those_before_it() -> None:
    """In reverse order; it is reported, and the supervisor's own start fails with its name and reason."""
    failing = child("c", starting=crash(ValueError("c")))
    with running() as tree:
        with pytest.raises(NotStarted, match=r"^f could not be started: f/c could not be started: ValueError: c$"):
            tree.order(StartChild(child("f", Overseer, children=(child("a"), child("b"), failing, child("d")))))
        assert [name for name, _ in tree.names.snapshot()] == ["probe", ""]
        *before, report, last, first = tree.probe.waiting()
        assert [(m.what, m.name) for m in before] == [("started", "f/a"), ("started", "f/b")]
        assert (report.supervisor, report.occasion, report.offender.path) == ("f", Occasion.START_ERROR, "f/c")
        assert report.line() == "f/c could not be started: ValueError: c"
        assert [(m.what, m.name) for m in (last, first)] == [("stopped", "f/b"), ("stopped", "f/a")]


def test_otp_008_the_first_reason_and_its_stack_reach_the_outermost_caller() -> None:
    """Through as many supervisors as there are."""

    def deep_down(_: Player) -> None:
        raise ZeroDivisionError("deep down")

    spec = child("z", starting=deep_down)
    for name in "dcba":
        spec = child(name, Overseer, children=(spec,))
    with pytest.raises(NotStarted) as failed:
        OwnTree.start(children=(spec,))
    assert failed.value.reason.endswith("a/b/c/d/z could not be started: ZeroDivisionError: deep down")
    assert "in deep_down" in failed.value.stack
    assert actor_threads() == []


@pytest.mark.parametrize("restart", [Restart.PERMANENT, Restart.TRANSIENT])
@pytest.mark.parametrize("is_static", [True, False])
def test_otp_009_a_child_that_ignores_its_start_keeps_its_spec(restart: Restart, *, is_static: bool) -> None:
    """It counts as one that does not run, and may be started later."""
    spec = child("a", starting=ignoring, restart=restart)
    with running(*([spec] if is_static else [])) as tree:
        if not is_static:
            assert tree.order(StartChild(spec)).urn is None
        counts = tree.order(CountChildren())
        assert (counts.specs, counts.active) == (1, 0)
        assert tree.statuses() == {"a": "stopped"}
        assert tree.order(RestartChild("a")).urn is None


@pytest.mark.parametrize("is_static", [True, False])
def test_otp_010_a_temporary_child_that_ignores_its_start_is_not_kept(*, is_static: bool) -> None:
    """From the list of its supervisor or added later."""
    spec = child("a", starting=ignoring, restart=Restart.TEMPORARY)
    with running(*([spec] if is_static else [])) as tree:
        if not is_static:
            assert tree.order(StartChild(spec)).urn is None
        assert tree.order(CountChildren()).specs == 0


def test_otp_012_an_added_child_that_cannot_start_is_not_kept() -> None:
    """Its id is free for the next attempt."""
    with running() as tree:
        with pytest.raises(NotStarted, match="a could not be started: ValueError: no"):
            tree.order(StartChild(child("a", starting=crash(ValueError("no")))))
        assert tree.order(CountChildren()).specs == 0
        assert tree.order(StartChild(child("a"))).urn == tree.urn("a")


def test_otp_013_a_stopped_child_that_cannot_be_started_again_stays_stopped() -> None:
    """Who asked is told, the spec is kept, and nobody tries by himself."""
    attempts: list[str] = []

    def starting(actor: Player) -> None:
        attempts.append(actor.name)
        if len(attempts) > 1:
            raise ValueError("not again")

    with running(child("a", starting=starting)) as tree:
        tree.order(TerminateChild("a"))
        with pytest.raises(NotStarted, match="not again"):
            tree.order(RestartChild("a"))
        tree.settle()
        assert (tree.statuses(), len(attempts)) == ({"a": "stopped"}, 2)


def test_otp_014_what_a_start_says_reaches_who_asked_for_it_and_nobody_else() -> None:
    """A start without an asker, and one by the supervisor itself, go as if nothing had been said."""
    numbers = iter(range(1, 10))

    def starting(_: Player) -> Any:
        return Info(next(numbers))

    with running(child("static", starting=starting)) as tree:
        started = tree.order(StartChild(child("a", starting=starting)))
        assert (started.urn, started.info) == (tree.urn("a"), 2)
        tree.tell("a", crash(ValueError("once")))
        tree.until_lived("restarted", "a")
        assert tree.statuses() == {"static": "running", "a": "running"}
        tree.order(TerminateChild("a"))
        assert tree.order(RestartChild("a")).info == 4


def test_otp_015_a_name_that_a_stranger_answers_to_is_not_taken() -> None:
    """The start fails, the stranger keeps its name, and the spec is not kept."""
    with running() as tree:
        stranger = Probe()
        tree.names.register("a", stranger)  # type: ignore[arg-type] # as much of a ref as names need
        with pytest.raises(NotStarted, match="a: already started"):
            tree.order(StartChild(child("a")))
        assert tree.names.whereis("a") is stranger  # type: ignore[comparison-overlap] # as above
        assert tree.order(CountChildren()).specs == 0
        assert "exqueue:a" not in actor_threads()


@pytest.mark.parametrize("seed", range(5))
def test_otp_015_a_late_actor_of_a_supervisor_that_was_given_up_does_not_take_the_name(seed: int) -> None:
    """Its own start ends when its successor answers to the name already, which goes on doing so."""
    scheduler = Scheduler(seed)
    delays_s = iter((1.0, START_TIMEOUT_S - 0.5))

    def starting(_: Player) -> None:
        scheduler.sleep(next(delays_s, 0.0))

    spec = child("f", Overseer, children=(child("slow", starting=starting), child("late", starting=starting)))
    tree = Tree(SeededRuntime(scheduler), (), Overseer)
    with pytest.raises(NotStarted, match="on_start took more than"):
        tree.send("", lambda root: root.start_child(spec)).get()
    tree.order(StartChild(spec))
    urn = tree.urn("f/late")
    assert len(tree.board.table("abandoned threads")) == 1
    scheduler.sleep(START_TIMEOUT_S)
    assert tree.urn("f/late") == urn
    assert dict(tree.board.table("abandoned threads")) == {}
    tree.stop()
