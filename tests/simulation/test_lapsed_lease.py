"""A leader that can't renew: its lease is over, and perhaps another node leads by now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from exqueue import Enqueue, StartWorker, job
from exqueue.errors import Outage
from exqueue.testing.simulation.world import World

if TYPE_CHECKING:
    from exqueue.testing.simulation.network import Request

SEEDS = range(10)
TTL_S = 10.0
SOON_S = 5.0


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_fetched_under_a_lease_that_is_over(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store would still let it, as nobody else took the lock; it does not ask until it has renewed."""
    with World(seed) as world:
        node = world.start_node("a", lock_ttl=TTL_S)
        begun: list[float] = []
        noted = job(name="Noted", queue="noted")(lambda: begun.append(world.now))
        node.system.ask(StartWorker(noted))
        world.until(lambda: "fence" in node.table("lead"), SOON_S)
        usual = world.network.carry

        def carry(request: Request) -> Any:
            if request.verb in ("renew", "acquire"):
                world.scheduler.sleep(request.timeout)
                raise Outage("simulated: only these get lost", sent=True)
            return usual(request)

        monkeypatch.setattr(world.network, "carry", carry)
        world.pass_time(2 * TTL_S)
        node.system.ask(Enqueue(noted, {}))
        world.pass_time(SOON_S)
        assert begun == []
        monkeypatch.undo()
        world.until(lambda: len(begun) == 1, 2 * SOON_S)
