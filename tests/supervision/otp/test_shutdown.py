"""How a tree goes down, also where a thread does not."""

from __future__ import annotations

import math
from typing import Any

import pytest

from exqueue.errors import ConfigError
from exqueue.supervision import (
    ChildSpec,
    GiveUp,
    Intensity,
    Occasion,
    Report,
    Restart,
    Stop,
    Strategy,
    TerminateChild,
    children,
)
from exqueue.testing.simulation.runtime import SeededRuntime
from exqueue.testing.simulation.scheduler import Scheduler
from tests.supervision.otp.ends import break_starts, end, fragile, thread_of, wait_for_end
from tests.supervision.test_hangs import Held
from tests.supervision.tree import DEADLINE_S, Do, Overseer, Player, Tree, child, crash, running


def test_otp_051_children_stop_in_reverse_each_gone_before_the_next() -> None:
    """Its thread too; in a tree of two floors."""
    alive: dict[str, list[str]] = {}

    def stopping(actor: Player) -> None:
        alive[actor.name] = sorted(name for name, thread in threads.items() if thread.is_alive())

    inner = child("f", Overseer, children=(child("x", stopping=stopping), child("y", stopping=stopping)))
    with running(child("a", stopping=stopping), inner, child("b", stopping=stopping)) as tree:
        threads = {name: thread_of(name) for name in ("a", "f/x", "f/y", "b")}
    assert [name for what, name in tree.lived() if what == "stopped"] == ["b", "f/y", "f/x", "a"]
    assert alive == {"b": ["a", "b", "f/x", "f/y"], "f/y": ["a", "f/x", "f/y"], "f/x": ["a", "f/x"], "a": ["a"]}


def test_otp_052_a_child_that_does_not_stop_in_time_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    """It is not killed, since no thread can be: it is counted, an ERROR shows where it is, and the others stop well."""
    held = Held()
    with running(child("a"), child("b", shutdown_s=0.1), child("c")) as tree:
        urn, thread = tree.urn("b"), thread_of("b")
        asked = tree.send("b", lambda actor: actor.run_user(held))
        assert held.entered.wait(DEADLINE_S)
        tree.probe.waiting()
    assert tree.until_lived("stopped", "c")
    report = tree.until_reported(Occasion.SHUTDOWN_ERROR)
    assert report.line() == "b did not stop within 0.1 s, its thread is abandoned"
    assert "let_go.wait" in report.reason.traceback
    assert tree.until_lived("stopped", "a")
    assert dict(tree.board.table("abandoned threads")) == {urn: "b"}
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert [("its thread is abandoned" in line, "let_go.wait" in line) for line in errors] == [(True, True)]
    assert asked.is_answered()
    held.let_go.set()
    thread.join(DEADLINE_S)
    assert dict(tree.board.table("abandoned threads")) == {}


def test_otp_052_what_waits_for_a_sibling_that_does_not_stop_goes_to_its_successor() -> None:
    """A restart of all does not lose what was sent to be kept, nor wait for the thread that hangs."""
    held = Held()
    with running(child("a"), child("b", shutdown_s=0.0), strategy=Strategy.ONE_FOR_ALL) as tree:
        old, thread = tree.urn("b"), thread_of("b")
        tree.tell("b", lambda actor: actor.run_user(held))
        assert held.entered.wait(DEADLINE_S)
        waiting = tree.send("b", lambda actor: actor.actor_urn)
        end(tree, "a", "abnormal")
        assert waiting.get(timeout=DEADLINE_S) == tree.urn("b") != old
        held.let_go.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


def test_otp_053_a_child_without_patience_is_left_behind_at_once_and_cleans_nothing_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The grace is for others. What it does when it comes back has no effect: its on_stop does not run."""
    monkeypatch.setattr(children, "GRACE_S", 1_000.0)
    held = Held()
    with running(child("a", shutdown_s=0.0)) as tree:
        thread = thread_of("a")
        tree.tell("a", lambda actor: actor.run_user(held))
        assert held.entered.wait(DEADLINE_S)
        tree.order(TerminateChild("a"))
        assert (thread.is_alive(), tree.statuses()) == (True, {"a": "stopped"})
        held.let_go.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()
        assert ("stopped", "a") not in tree.lived()


@pytest.mark.parametrize("kind", ["worker", "supervisor"])
def test_otp_054_without_an_end_to_its_patience_a_supervisor_waits(kind: str) -> None:
    """For a child of its own, or for one of a supervisor below it; here for a day."""
    scheduler = Scheduler(1)
    spec = child("a", stopping=lambda _: scheduler.sleep(86_400.0), shutdown_s=math.inf)
    spec = spec if kind == "worker" else child("f", Overseer, children=(spec,))
    tree = Tree(SeededRuntime(scheduler), (spec,), Overseer)
    begun = scheduler.clock.now
    tree.send("", lambda root: root.terminate_child(spec.id)).get()
    assert scheduler.clock.now - begun >= 86_400.0
    assert tree.statuses() == {spec.id: "stopped"}
    assert not [m for m in tree.probe.waiting() if isinstance(m, Report)]
    tree.stop()


WAYS = {
    "normal": Do(lambda actor: actor.stop()),
    "shutdown": Stop(),
    "shutdown for a reason": Do(crash(GiveUp("had enough"))),
    "abnormal": Do(crash(ValueError("broke"))),
}


@pytest.mark.parametrize("restart", list(Restart), ids=lambda restart: restart.value)
@pytest.mark.parametrize("way", WAYS)
def test_otp_056_a_child_that_ends_while_its_supervisor_stops_is_let_go(restart: Restart, way: str) -> None:
    """It is not started again and waited for no longer; what was not asked of it is reported."""

    def stopping(actor: Player) -> None:
        vitals = actor.board.table("vitals")["a"]
        assert actor.tell("a", WAYS[way])
        wait_for_end(vitals)

    with running(child("a", restart=restart), child("z", stopping=stopping)) as tree:
        thread = thread_of("a")
        tree.probe.waiting()
    assert not thread.is_alive()
    seen = tree.probe.waiting()
    assert "started" not in [getattr(m, "what", "") for m in seen]
    reports = [(m.occasion, m.offender.path) for m in seen if isinstance(m, Report)]
    is_unasked = way == "abnormal" or (way == "normal" and restart is Restart.PERMANENT)
    assert reports == ([(Occasion.SHUTDOWN_ERROR, "a")] if is_unasked else [])


def test_otp_057_a_child_that_hides_from_its_supervisor_does_not_hang_it() -> None:
    """What is waited for is its thread: not its name, not an answer."""

    def hide(actor: Any) -> None:
        actor._names.unregister(actor.name, actor.actor_ref)  # noqa: SLF001 - what no actor should do

    with running(child("a")) as tree:
        thread = thread_of("a")
        tree.ask("a", hide)
        tree.order(TerminateChild("a"))
        assert not thread.is_alive()


class Silent(Player):
    """Its thread ends with nothing of what an actor does about its end."""

    def _actor_loop(self) -> None:
        self._live()


def test_otp_057_a_child_that_is_gone_without_a_word_does_not_hang_its_supervisor() -> None:
    """The report says that nobody knows how it ended."""
    with running(child("a", Silent)) as tree:
        thread = thread_of("a")
        tree.tell("a", crash(ValueError("broke")))
        thread.join(DEADLINE_S)
        tree.order(TerminateChild("a"))
        report = tree.until_reported(Occasion.SHUTDOWN_ERROR)
        assert report.line() == "a is gone, and its thread did not say how it ended"


def test_otp_058_a_supervisor_can_be_stopped_while_it_restarts_a_child_in_vain() -> None:
    """The stop overtakes the next attempt."""
    with running(child("b"), fragile("a"), intensity=Intensity(1_000_000, 1_000.0)) as tree:
        break_starts(tree, "a")
        end(tree, "a", "abnormal")
        assert tree.statuses()["a"] == "restarting"
    assert not tree.task.is_alive()
    assert tree.until_down("").exit.kind == "shutdown"


def test_otp_059_a_supervisor_is_waited_for_without_end() -> None:
    """Any other time is refused: its children would be abandoned with it."""
    for given in (0.0, 5.0, 1e9):
        with pytest.raises(ConfigError, match=r"shutdown_s of a supervisor is math\.inf"):
            ChildSpec("f", Overseer, shutdown_s=given)
    assert ChildSpec("f", Overseer, shutdown_s=math.inf).patience_s == math.inf


class Careless(Overseer):
    """A supervisor whose own hooks stop nothing, and fail."""

    def on_failure(self, *_: Any) -> None:
        raise SystemExit("no time for children")


@pytest.mark.parametrize("kind", [Overseer, Careless])
def test_otp_060_the_children_of_a_supervisor_that_dies_do_not_survive_it(kind: type[Overseer]) -> None:
    """No link ends them, so it does so itself however it ends, whatever its class says about it."""
    with running(child("f", kind, children=(child("a"), child("g", kind, children=(child("b"),))))) as tree:
        old = [thread_of(name) for name in ("f/a", "f/g", "f/g/b")]
        urns = {tree.urn(name) for name in ("f/a", "f/g/b")}
        end(tree, "f", "abnormal")
        assert [thread.is_alive() for thread in old] == [False, False, False]
        assert not urns & {tree.urn("f/a"), tree.urn("f/g/b")}
        assert tree.statuses("f") == {"a": "running", "g": "running"}
