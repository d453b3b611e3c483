"""A standby that was given the lock and did not hear of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exqueue import StartWorker, job
from exqueue.persistence.values import Fence
from exqueue.testing.simulation.world import World

if TYPE_CHECKING:
    from exqueue.testing.simulation.network import Effect

SEEDS = range(10)
TTL_S = 60.0
"""So long that nobody could wait for the end of a lease."""

SOON_S = 25.0
"""Longer than a call's time-out, an outage's pause and a look at the lock."""

OUTAGE_S = 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_its_own_lease_is_nobody_elses(seed: int) -> None:
    """It asks again, under the same token, and does not stand by for itself."""
    with World(seed) as world:
        nodes = [world.start_node(name, lock_ttl=TTL_S) for name in "ab"]
        for node in nodes:
            node.system.ask(StartWorker(job(name="Any", queue="any")(lambda: None)))
        world.until(lambda: world.leader is not None, SOON_S)
        leader = world.leader
        (standby,) = (node for node in nodes if node is not leader)
        world.until(lambda: world.history.count("sees") > 0, SOON_S)

        def lose_the_answer(effect: Effect) -> None:
            if effect.request.verb == "acquire" and isinstance(effect.answer, Fence):
                world.network.watchers.remove(lose_the_answer)
                world.network.go_out(OUTAGE_S)

        world.network.watchers.append(lose_the_answer)
        assert leader is not None
        leader.system.stop(block=False)
        world.until(lambda: "fence" in standby.table("lead"), SOON_S)
