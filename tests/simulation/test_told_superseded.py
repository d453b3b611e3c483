"""A run that goes on while another node leads."""

from __future__ import annotations

import pytest

from exqueue import Enqueue, StartWorker, current_job, job
from exqueue.testing.simulation.world import World

SEEDS = range(10)
TTL_S = 10.0
WITHIN_S = 60.0
SOON_S = 6.0
"""A node that thaws has a call under way, and a heartbeat due."""


@pytest.mark.parametrize("seed", SEEDS)
def test_a_job_is_told_that_its_run_is_superseded(seed: int) -> None:
    """As soon as its node knows, though nothing else of that queue is to be told to the persistence."""
    with World(seed) as world:
        seen: dict[str, bool] = {}

        def perform() -> None:
            it = current_job()
            assert it is not None
            node = world.scheduler.current()[1].name
            while not it.cancelled:
                seen[node] = False
                world.scheduler.sleep(0.5)
            seen[node] = True

        long = job(name="Long", queue="long")(perform)
        first, second = (world.start_node(name, lock_ttl=TTL_S) for name in "ab")
        first.system.ask(StartWorker(long))
        first.system.ask(Enqueue(long, {}))
        world.until(lambda: first.name in seen, WITHIN_S)
        second.system.ask(StartWorker(long))
        world.freeze(first)
        world.until(lambda: second.name in seen, WITHIN_S)
        world.thaw(first)
        world.until(lambda: seen[first.name], SOON_S)
        assert not seen[second.name]
