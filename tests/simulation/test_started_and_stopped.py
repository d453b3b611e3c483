"""Queues that are started on one node only, or stopped while a job of theirs goes on."""

from __future__ import annotations

import pytest

from exqueue import Enqueue, StartWorker, StopWorker, job
from exqueue.testing.simulation.world import Node, World

SEEDS = range(10)
TTL_S = 10.0
LONG_S = 30.0
"""How long a job takes: longer than any patience here."""

PATIENCE_S = 2.0
WITHIN_S = 60.0


class Long:
    """A job class of a serial queue, whose runs are in the history of its world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.definition = job(name="Long", queue="long", serial=True)(self._perform)

    def _perform(self) -> None:
        self._world.note_here("begins", "long")
        self._world.scheduler.sleep(LONG_S)
        self._world.note_here("succeeds", "long")

    def begin_on(self, node: Node) -> None:
        """Start the queue there, and wait until its one job goes on."""
        node.system.ask(StartWorker(self.definition))
        node.system.ask(Enqueue(self.definition, {}))
        self._world.until(lambda: self._world.history.count("begins") == 1, WITHIN_S)


@pytest.mark.parametrize("seed", SEEDS)
def test_who_leads_claims_what_it_has_not_started(seed: int) -> None:
    """What ran with the node before is ready again for whoever starts the queue, and who led is shut out of it."""
    with World(seed) as world:
        long = Long(world)
        first = world.start_node("a", lock_ttl=TTL_S)
        long.begin_on(first)
        second = world.start_node("b", lock_ttl=TTL_S)
        second.system.ask(StartWorker(job(name="Other", queue="other")(lambda: None)))
        world.kill(first)
        world.until(lambda: world.leader is second, WITHIN_S)
        world.until(lambda: world.store.overview(("long",)).queues[0].ready == 1, WITHIN_S)


@pytest.mark.parametrize("seed", SEEDS)
def test_who_leads_again_claims_anew_what_it_has_not_started(seed: int) -> None:
    """What it claimed in its first reign is another's since."""
    with World(seed) as world:
        long, other = Long(world), job(name="Other", queue="other")(lambda: None)
        first = world.start_node("a", lock_ttl=TTL_S)
        first.system.ask(StartWorker(other))
        first.system.ask(Enqueue(long.definition, {}))
        world.until(lambda: world.leader is first and world.history.count("claims", "long") == 1, WITHIN_S)
        second = world.start_node("b", lock_ttl=TTL_S)
        second.system.ask(StartWorker(long.definition))
        world.freeze(first)
        world.until(lambda: world.history.count("begins") == 1, WITHIN_S)
        world.thaw(first)
        world.pass_time(1.0)
        world.kill(second)
        world.until(lambda: world.leader is first, WITHIN_S)
        world.until(lambda: world.store.overview(("long",)).queues[0].ready == 1, WITHIN_S)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_serial_queue_waits_for_a_thread_that_was_left_behind(seed: int) -> None:
    """Its job was given back when the queue was stopped, and begins again only when nobody executes it any more."""
    with World(seed) as world:
        long = Long(world)
        node = world.start_node("a", lock_ttl=TTL_S, shutdown_timeout=PATIENCE_S)
        long.begin_on(node)
        node.system.ask(StopWorker(long.definition))
        world.until(lambda: node.system.urn_of("queues/long") is None, WITHIN_S)
        node.system.ask(StartWorker(long.definition))
        world.until(world.is_quiet, 3 * WITHIN_S)
        words = [event.what for event in world.history.events if event.of == "long"]
        assert [word for word in words if word in ("begins", "succeeds")] == ["begins", "succeeds"] * 2
