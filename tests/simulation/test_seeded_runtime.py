"""A tree under the seeded runtime: no threads, and one seed is one history."""

import threading

import pytest

from exqueue.supervision import Down, Strategy
from exqueue.testing.simulation.runtime import SeededRuntime
from exqueue.testing.simulation.scheduler import Bell, Deadlock, Scheduler
from tests.supervision.tree import Do, Overseer, Player, Tree, child

HOPS = 12


def pass_on(left: int, names: tuple[str, ...]) -> Do:
    """Wander from actor to actor, with a call in between; the first turn of ``b`` crashes it."""

    def hop(actor: Player) -> None:
        log = actor.board.table("log")
        log[len(log)] = (actor.clock.monotonic(), actor.name, left)
        actor.call(lambda: None)
        if actor.name == "b" and not actor.board.table("crashed"):
            actor.board.table("crashed")["b"] = True
            raise ValueError("once")
        if left:
            actor.tell(names[left % len(names)], pass_on(left - 1, names))
            actor.send_after(0.5, pass_on(0, names))

    return Do(hop)


def history(seed: int) -> tuple[list[object], list[tuple[float, str]], int, float]:
    """Run the tree once and return what happened."""
    turns: list[tuple[float, str]] = []
    scheduler = Scheduler(seed, lambda name: turns.append((scheduler.clock.now, name)))
    runtime = SeededRuntime(scheduler)
    tree = Tree(runtime, tuple(map(child, "abc")), Overseer, strategy=Strategy.ONE_FOR_ONE)
    for name in "abc":
        tree.names.tell(name, pass_on(HOPS, ("c", "a", "b")))
    scheduler.sleep(60.0)
    downs = sum(isinstance(m, Down) for m in tree.probe.waiting())
    restarts = tree.board.table("restarts").get("b", 0)
    tree.stop()
    return list(tree.board.table("log").values()), turns, downs + restarts, runtime.clock.monotonic()


def test_a_tree_runs_to_its_end_without_a_thread() -> None:
    """Its minute of life passes at once, its crash is told once and mended once."""
    before = threading.active_count()
    log, turns, told_and_mended, now = history(1)
    assert threading.active_count() == before
    assert len(log) > HOPS
    assert turns[-1][1] == "main"
    assert told_and_mended == 2
    assert now >= 60.0


def test_a_seed_is_a_history() -> None:
    """The same seed does everything in the same order, turn by turn."""
    assert history(7) == history(7)


def test_different_seeds_are_different_histories() -> None:
    """Else nothing would be found by trying many; every one of them mends the crash."""
    histories = [history(seed) for seed in range(50)]
    assert len({str(log) for log, *_ in histories}) > 25
    assert {told_and_mended for _, _, told_and_mended, _ in histories} == {2}


def test_waiting_for_nothing_is_a_deadlock_that_says_who_waits() -> None:
    """A simulation never hangs."""
    scheduler = Scheduler(0)

    def lonely() -> None:
        scheduler.wait_at(Bell(scheduler))

    scheduler.spawn(lonely, "lonely")
    with pytest.raises(Deadlock, match="lonely, main"):
        scheduler.wait(lambda: False)
    scheduler.end()
