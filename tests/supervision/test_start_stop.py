"""The order in which a tree comes up and goes down, and that nothing of it is left."""

import threading

from exqueue.supervision import Restart
from tests.supervision.tree import DEADLINE_S, Lived, Overseer, child, crash, running


def test_children_start_in_order_and_stop_in_reverse() -> None:
    """Each is through before the next begins, in a tree of two floors too."""
    inner = child("f", Overseer, children=(child("x"), child("y")))
    with running(child("a"), inner, child("b")) as tree:
        assert tree.lived() == [("started", n) for n in ("a", "f/x", "f/y", "b")]
    assert tree.lived() == [("stopped", n) for n in ("b", "f/y", "f/x", "a")]


def test_a_failed_start_stops_those_before_it_in_reverse() -> None:
    """A supervisor starts with all its children or not at all."""
    with running(child("a"), child("b"), child("c", starting=crash(ValueError("c"))), child("d")) as tree:
        assert tree.failed_start is not None
        assert "c could not be started: ValueError: c" in tree.failed_start.error
        wanted = [("started", "a"), ("started", "b"), ("stopped", "b"), ("stopped", "a")]
        assert tree.lived() == wanted
        assert [name for name, _ in tree.names.snapshot()] == ["probe"]


def test_a_child_is_ensured_and_removed_whatever_it_does() -> None:
    """One that is stopped is started again where it stood, one that runs is left alone; a removed one is forgotten."""
    with running() as tree:
        tree.ask("", lambda root: root.ensure_child(child("a")))
        urn = tree.urn("a")
        tree.ask("", lambda root: root.ensure_child(child("a")))
        assert tree.urn("a") == urn
        tree.ask("", lambda root: root.terminate_child("a"))
        tree.ask("", lambda root: root.ensure_child(child("a")))
        assert tree.urn("a") != urn
        assert tree.ask("", lambda root: root.remove_child("a"))
        assert not tree.ask("", lambda root: root.remove_child("a"))
        assert tree.ask("", lambda root: root.child_ids()) == ()


def test_a_temporary_child_that_is_terminated_is_forgotten() -> None:
    """Nothing could bring it back."""
    with running(child("a", restart=Restart.TEMPORARY)) as tree:
        tree.ask("", lambda root: root.terminate_child("a"))
        assert tree.ask("", lambda root: root.child_ids()) == ()


def test_a_child_that_does_not_stop_is_left_behind_and_shown() -> None:
    """Its thread stands on the board until it ends."""
    let_go = threading.Event()
    with running(child("a", shutdown_s=0.0)) as tree:
        urn = tree.urn("a")
        held = threading.Event()
        tree.tell("a", lambda actor: [step() for step in (held.set, lambda: let_go.wait(DEADLINE_S))])
        assert held.wait(DEADLINE_S)
        tree.ask("", lambda root: root.terminate_child("a"))
        assert dict(tree.board.table("abandoned threads")) == {urn: "a"}
        thread = next(t for t in threading.enumerate() if t.name == "exqueue:a")
        let_go.set()
        thread.join(DEADLINE_S)
        assert dict(tree.board.table("abandoned threads")) == {}


def test_ten_trees_of_fifty_actors_leave_no_thread() -> None:
    """Nor a name."""
    before = set(threading.enumerate())
    for _ in range(10):
        with running(*(child(f"n{n}") for n in range(50))) as tree:
            assert len(tree.names.snapshot()) == 52
        assert set(threading.enumerate()) == before
        assert [name for name, _ in tree.names.snapshot()] == ["probe"]
        assert sum(isinstance(m, Lived) and m.what == "stopped" for m in tree.probe.waiting()) == 50
