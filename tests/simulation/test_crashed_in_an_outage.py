"""An actor that met an outage, crashed in it, and has nothing to do after it."""

from __future__ import annotations

from contextlib import suppress

import pytest

from exqueue import CancelJob, Enqueue, ExqueueError, job
from exqueue.testing.simulation.world import World

SEEDS = range(5)
OUTAGE_S = 20.0
WITHIN_S = 60.0

ASKED = {"operator": CancelJob("any", queue="any"), "producer": Enqueue(job(name="Any", queue="any")(lambda: None))}


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_end_of_the_outage_is_seen_all_the_same(seed: int, path: str) -> None:
    """By the Listener: the next of that name may never ask the persistence anything."""
    with World(seed) as world:
        node = world.start_node("a")
        world.pass_time(1.0)
        world.network.go_out(OUTAGE_S)

        def ask() -> None:
            with suppress(ExqueueError, RuntimeError):
                node.system.ask(ASKED[path])

        world.client("person", ask)
        world.until(lambda: path in node.table("outages"), OUTAGE_S)
        world.crash_in_call(node, path)
        world.until(lambda: node.restarts == 1, WITHIN_S)
        world.until(lambda: not node.table("outages"), WITHIN_S)
        assert "the persistence answers again" in world.history.all("INFO")[-1].of
