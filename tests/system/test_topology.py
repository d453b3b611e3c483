"""The tree is what its one file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exqueue import ActorInfo, ExqueueSystem, GetTree, StartWorker
from exqueue.actors import topology
from exqueue.supervision import Strategy
from exqueue.testing import crash
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from exqueue import SystemRef


class Plain:
    def perform(self) -> None:
        """Nothing to do."""


def restarts(system: SystemRef) -> dict[str, int]:
    """How often each actor that was started again was."""

    def below(info: ActorInfo) -> list[ActorInfo]:
        return [info, *(one for child in info.children for one in below(child))]

    return {one.name: one.restarts for one in below(system.ask(GetTree())) if one.restarts}


@pytest.mark.parametrize(
    ("which", "crashed", "others"),
    [
        ("ROOT_STRATEGY", "leader", {"queues": 1}),
        ("QUEUE_STRATEGY", "queues/Plain/fetcher", {"queues/Plain/worker-1": 1, "queues/Plain/worker-2": 1}),
    ],
)
def test_a_supervisor_has_the_strategy_that_the_file_gives_it(
    monkeypatch: pytest.MonkeyPatch, which: str, crashed: str, others: dict[str, int]
) -> None:
    """Who is started again with whom is written there and nowhere else."""
    assert getattr(topology, which) is Strategy.ONE_FOR_ONE
    monkeypatch.setattr(topology, which, Strategy.REST_FOR_ONE)
    with ExqueueSystem.start("memory://") as system:
        system.ask(StartWorker(Plain, concurrency=2))
        crash(system, crashed)
        eventually(lambda: restarts(system) == {crashed: 1, **others})
