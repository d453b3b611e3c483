"""A node that is stopped while its queues are only being started."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from exqueue import Enqueue, ExqueueError, StartWorker, current_job, job
from exqueue.testing.simulation.world import World

if TYPE_CHECKING:
    from exqueue.job import JobFunction
    from exqueue.testing.simulation.world import Node

SEEDS = range(50)
TTL_S = 10.0
PATIENCE_S = 20.0
WITHIN_S = 60.0


class Queues:
    """Two queues, whose runs are in the history, and who starts them one after the other."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.jobs: tuple[JobFunction[[], None], ...] = tuple(
            job(name=name, queue=name, concurrency=2)(self._perform) for name in ("first", "second")
        )

    def _perform(self) -> None:
        it = current_job()
        assert it is not None
        self._world.note_here("begins", it.id)
        self._world.scheduler.sleep(self._world.random.random())
        self._world.note_here("succeeds", it.id)

    def start_on(self, node: Node, within_s: float = 0.0) -> None:
        """Start them, with pauses; a node that is being stopped refuses."""
        with suppress(ExqueueError):
            for one in self.jobs:
                self._world.pass_time(self._world.random.random() * within_s)
                node.system.ask(StartWorker(one))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_begins_is_waited_for(seed: int) -> None:
    """Wherever its start is: each job that it begins ends there and is settled, so that none runs twice."""
    with World(seed) as world:
        queues = Queues(world)
        node = world.start_node("a", lock_ttl=TTL_S, shutdown_timeout=PATIENCE_S)
        for one in queues.jobs * 2:
            node.system.ask(Enqueue(one, {}))
        world.client("starter", lambda: queues.start_on(node, within_s=1.0))
        world.pass_time(world.random.random() * 2.0)
        node.system.stop(block=False)
        world.until(lambda: node.has_ended, WITHIN_S)
        queues.start_on(world.start_node("b", lock_ttl=TTL_S))
        world.until(world.is_quiet, WITHIN_S)
        assert world.history.count("begins") == world.history.count("succeeds") == len(queues.jobs) * 2
