"""The order in which a tree comes up and goes down, and that nothing of it is left."""

import threading

from tests.supervision.tree import Lived, child, running


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


def test_ten_trees_of_fifty_actors_leave_no_thread() -> None:
    """Nor a name."""
    before = set(threading.enumerate())
    for _ in range(10):
        with running(*(child(f"n{n}") for n in range(50))) as tree:
            assert len(tree.names.snapshot()) == 52
        assert set(threading.enumerate()) == before
        assert [name for name, _ in tree.names.snapshot()] == ["probe"]
        assert sum(isinstance(m, Lived) and m.what == "stopped" for m in tree.probe.waiting()) == 50
