"""Two nodes with their whole trees, many seeds: what the promises say holds in every order of turns."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from exqueue import Enqueue, StartWorker, job
from exqueue.errors import Outage
from exqueue.testing.simulation.weather import Faults
from exqueue.testing.simulation.world import Node, World
from tests.simulation.checks import check_nothing_lost, check_nothing_repeated, check_serial
from tests.simulation.workload import Workload

SEEDS = range(100)
FEWER_SEEDS = range(30)
"""For histories that take longer."""

JOBS = 30
TURNS = 1_000
"""About how many turns the jobs take when nothing happens."""

TTL_S = 10.0
OUTAGE_S = 300.0
KILLED_AFTER_S = 30.0
"""How long Kubernetes waits, unless told otherwise, from SIGTERM to SIGKILL."""

WITHIN_S = 120.0
"""In how much virtual time all must be quiet again."""

CALLERS = ("producer", "operator", "listener", "leader", "queues/fast/fetcher", "queues/serial/fetcher")
"""The actors that call the persistence."""


def begin(world: World, *, workers: int = 2) -> Workload:
    """Start two nodes, as many of them with both queues, and clients that enqueue all jobs."""
    nodes = [world.start_node(name, lock_ttl=TTL_S) for name in ("a", "b")]
    load = Workload(world, JOBS)
    for node in nodes[:workers]:
        load.work_on(node)
    load.enqueue_from(clients=3)
    return load


def raise_somewhere(world: World) -> None:
    """Have one actor of one node raise, in a call or in its next message."""
    node = world.random.choice(world.living)
    if world.random.random() < 0.5:
        world.crash_in_call(node, world.random.choice(CALLERS))
        return
    paths = [path for path in node.table("tree") if node.system.urn_of(path) is not None]
    world.crash(node, world.random.choice(paths))


def history_of(seed: int) -> str:
    """The digest of a history in which everything happens that can."""
    with World(seed) as world:
        load = begin(world)
        world.network.faults = Faults(lost_requests=0.02, late_requests=0.02, lost_answers=0.02, lost_signals=0.2)
        world.take_turns(TURNS // 4)
        raise_somewhere(world)
        world.take_turns(TURNS // 4)
        world.network.go_out(20.0)
        world.pass_time(30.0)
        world.kill(world.leader or world.living[0])
        world.until(world.is_quiet, 5 * WITHIN_S)
        check_nothing_lost(world.history, load)
        check_serial(world.history)
        return world.history.digest()


def test_a_seed_is_a_history() -> None:
    """The same seed gives the same turns and events; another seed others."""
    assert history_of(1) == history_of(1) != history_of(2)


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_a_history_is_the_same_in_every_process(hash_seed: str) -> None:
    """Nothing in the order of turns or events hangs on the order of a set, an address or the machine's clock."""
    program = "from tests.simulation.test_whole_system import history_of; print(history_of(3))"
    there = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == history_of(3)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_faults_every_job_succeeds_once(seed: int) -> None:
    """In whatever order the actors have their turns."""
    with World(seed) as world:
        load = begin(world)
        world.until(world.is_quiet, WITHIN_S)
        check_nothing_lost(world.history, load)
        check_nothing_repeated(world.history, load)
        check_serial(world.history)
        assert [node.restarts for node in world.living] == [0, 0]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_leader_loses_no_job(seed: int) -> None:
    """Another leads within the TTL + 2 s, within 3 s when the lease says that it was seen, and runs what is left."""
    with World(seed) as world:
        load = begin(world)
        world.take_turns(world.random.randrange(TURNS))
        leader = world.leader
        killed = leader or world.living[0]
        lease = world.store.overview(()).holder
        world.kill(killed)
        killed_at = world.now
        (other,) = world.living
        was_seen = lease is not None and lease.seen_by is not None
        world.until(lambda: world.leader is other, 3.0 if was_seen else TTL_S + 2.0)
        assert leader is None or world.history.all("leads", node=other.name)[0].at > killed_at
        world.until(world.is_quiet, WITHIN_S)
        check_nothing_lost(world.history, load)
        check_serial(world.history)


@pytest.mark.parametrize("seed", FEWER_SEEDS)
def test_fault_090_an_outage_changes_nothing(seed: int) -> None:
    """It is longer than the TTL, and nobody else takes the lock: no restart, no run twice, one line for each end."""
    with World(seed) as world:
        load = begin(world, workers=1)
        world.take_turns(world.random.randrange(TURNS))
        world.network.go_out(OUTAGE_S)
        world.pass_time(OUTAGE_S)
        world.until(world.is_quiet, WITHIN_S)
        world.until(lambda: not any(node.table("outages") for node in world.living), 20.0)
        check_nothing_lost(world.history, load)
        check_nothing_repeated(world.history, load)
        check_serial(world.history)
        assert world.history.count("recovered") == 0
        for node in world.living:
            assert node.restarts == 0
            (warning,) = world.history.all("WARNING", node=node.name)
            assert "does not answer" in warning.of
            ends = [event for event in world.history.all("INFO", node=node.name) if "answers again" in event.of]
            assert len(ends) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_an_actor_that_raises_loses_and_repeats_nothing(seed: int) -> None:
    """Whichever actor it is and wherever it is: its supervisor starts it again, and it finds what it had begun."""
    with World(seed) as world:
        load = begin(world)
        world.take_turns(world.random.randrange(TURNS))
        raise_somewhere(world)
        world.until(world.is_quiet, WITHIN_S)
        check_nothing_lost(world.history, load)
        check_nothing_repeated(world.history, load)
        check_serial(world.history)


@pytest.mark.parametrize("seed", FEWER_SEEDS)
def test_actors_that_raise_while_settings_change_lose_and_repeat_nothing(seed: int) -> None:
    """Queues are started and stopped, one actor after another raises, and every order is answered."""
    with World(seed) as world:
        load = begin(world)
        for _ in range(5):  # The root allows its children so many restarts.
            world.take_turns(world.random.randrange(150))
            node = world.random.choice(world.living)
            if world.random.random() < 0.5:
                load.stop_work_on(node)
            else:
                load.work_on(node)
            raise_somewhere(world)
        for node in world.living:
            load.work_on(node)
        world.until(world.is_quiet, WITHIN_S)
        check_nothing_lost(world.history, load)
        check_nothing_repeated(world.history, load)
        check_serial(world.history)


@pytest.mark.parametrize("path", ["queues", "queues/fast", "queues/serial"])
@pytest.mark.parametrize("turns", range(1, 15))
def test_a_start_is_answered_whoever_raises_meanwhile(turns: int, path: str) -> None:
    """The supervisor that was asked, or the one that it waits for: its successor answers."""
    with World(turns) as world:
        node = world.start_node("a")
        load = Workload(world, 0)
        load.work_on(node)
        world.client("operator", lambda: load.work_on(node))
        world.take_turns(turns)
        world.crash(node, path)
        world.until(world.is_quiet, 5.0)


@pytest.mark.parametrize("seed", FEWER_SEEDS)
def test_a_leader_that_stands_still_for_longer_than_its_lease_does_no_harm(seed: int) -> None:
    """The other leads within the TTL + 2 s; whatever the first one still does when it goes on counts for nothing."""
    with World(seed) as world:
        load = begin(world)
        world.take_turns(world.random.randrange(TURNS))
        world.until(lambda: world.leader is not None, TTL_S)
        # So slow that it has often a call under way, which arrives when others own the queue.
        world.network.faults = Faults(way_s=0.2)
        world.pass_time(0.5)
        frozen = world.leader
        assert frozen is not None
        world.freeze(frozen)
        world.until(lambda: world.leader not in (frozen, None), TTL_S + 2.0)
        world.pass_time(world.random.random() * 2.0)
        world.thaw(frozen)
        world.until(world.is_quiet, 5 * WITHIN_S)
        check_nothing_lost(world.history, load)
        check_serial(world.history)


def await_seen(world: World) -> Node:
    """Wait until the lease says that its holder was seen, and return who that is."""
    world.until(lambda: (lease := world.store.overview(()).holder) is not None and lease.seen_by is not None, TTL_S)
    leader = world.leader
    assert leader is not None
    return leader


@pytest.mark.parametrize("seed", range(10))
def test_a_leader_says_at_once_that_it_is_seen(seed: int) -> None:
    """When it begins to lead, and when it was out of sight: not a renewal later."""
    with World(seed) as world:
        begin(world)
        world.until(lambda: world.leader is not None, TTL_S)
        for _ in range(2):
            world.pass_time(0.1)
            lease = world.store.overview(()).holder
            assert lease is not None
            assert lease.seen_by is not None
            await_seen(world).persistence.close()


@pytest.mark.parametrize("seed", range(20))
def test_a_leader_that_an_outage_kept_from_renewing_keeps_the_lock(seed: int) -> None:
    """Its subscription ends, and before it can tell, nobody is answered: absence counts anew from the first look on."""
    with World(seed) as world:
        begin(world)
        leader = await_seen(world)
        world.freeze(leader)
        leader.persistence.close()
        world.until(lambda: bool(world.history.all("sees", "absent")), 1.0)
        world.network.go_out(5.0)
        world.thaw(leader)
        world.pass_time(3 * TTL_S)
        assert [event.node for event in world.history.all("leads")] == [leader.name]


@pytest.mark.parametrize("trouble", ["crash", "end"])
@pytest.mark.parametrize("seed", range(10))
def test_a_leader_that_can_not_subscribe_again_keeps_the_lock(
    seed: int, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its Listener crashes, or its subscription ends, and each new one hangs: it renews so often that it lives."""
    with World(seed) as world:
        begin(world)
        leader = await_seen(world)

        def hang(_: str, *, timeout: float) -> NoReturn:
            world.scheduler.sleep(timeout)
            raise Outage("simulated: no subscription", sent=False)

        monkeypatch.setattr(leader.persistence, "subscribe", hang)
        if trouble == "crash":
            world.crash(leader, "listener")
        else:
            leader.persistence.close()
        world.pass_time(3 * TTL_S)
        assert world.history.all("sees", "absent")
        assert [event.node for event in world.history.all("leads")] == [leader.name]


@pytest.mark.parametrize("seed", FEWER_SEEDS)
def test_nodes_that_die_one_after_another_lose_no_job(seed: int) -> None:
    """Others take their places, while requests, answers and signals get lost or come late."""
    with World(seed) as world:
        load = begin(world)
        world.network.faults = Faults(lost_requests=0.01, late_requests=0.02, lost_answers=0.02, lost_signals=0.5)
        for name in ("c", "d", "e"):
            world.take_turns(world.random.randrange(400))
            world.kill(world.random.choice(world.living))
            load.work_on(world.start_node(name, lock_ttl=TTL_S))
        world.until(world.is_quiet, 5 * WITHIN_S)
        check_nothing_lost(world.history, load)
        check_serial(world.history)


@pytest.mark.parametrize("seed", FEWER_SEEDS)
def test_fault_094_a_stop_ends_before_whoever_asked_for_it_kills(seed: int) -> None:
    """With the default settings and jobs without an end: they are in their line again, uncounted, the lock is free."""
    begun: list[int] = []

    def perform() -> None:
        begun.append(1)
        world.pass_time(KILLED_AFTER_S * 100)

    with World(seed) as world:
        node = world.start_node("a")
        endless = job(name="Endless", concurrency=3)(perform)
        node.system.ask(StartWorker(endless))
        ids = [node.system.ask(Enqueue(endless)) for _ in range(5)]
        world.until(lambda: len(begun) == 3, WITHIN_S)
        asked_at = world.now
        node.system.stop(block=False)
        world.until(lambda: world.leader is None, KILLED_AFTER_S)
        assert world.now - asked_at >= node.system._node.config.shutdown_timeout  # noqa: SLF001 - the default
        line = world.store.list_jobs("Endless", "ready", 10, 0)
        assert [one.id for one in line] == ids
        assert [(one.recoveries, one.trail) for one in line] == [(0, None)] * 5
