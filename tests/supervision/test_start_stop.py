"""The order in which a tree comes up and goes down, and that nothing of it is left."""

import threading

from tests.supervision.tree import DEADLINE_S, Do, Lived, Player, child, running


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


def test_what_is_told_to_an_actor_that_is_still_starting_waits_for_it() -> None:
    """As in OTP, where a process has its name before its ``init`` runs: so a sibling that it asks can answer."""
    answers: list[bool] = []
    heard = threading.Event()

    def ask_a_sibling(actor: Player) -> None:
        has_answered = threading.Event()

        def answer(sibling: Player) -> None:
            answers.append(sibling.tell("b", Do(lambda _: heard.set())))
            has_answered.set()

        actor.tell("a", Do(answer))
        assert has_answered.wait(DEADLINE_S)
        assert not heard.is_set()

    with running(child("a"), child("b", starting=ask_a_sibling)):
        assert heard.wait(DEADLINE_S)
    assert answers == [True]


def test_ten_trees_of_fifty_actors_leave_no_thread() -> None:
    """Nor a name."""
    before = set(threading.enumerate())
    for _ in range(10):
        with running(*(child(f"n{n}") for n in range(50))) as tree:
            assert len(tree.names.snapshot()) == 52
        assert set(threading.enumerate()) == before
        assert [name for name, _ in tree.names.snapshot()] == ["probe"]
        assert sum(isinstance(m, Lived) and m.what == "stopped" for m in tree.probe.waiting()) == 50
