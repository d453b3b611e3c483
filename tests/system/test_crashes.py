"""Any one actor may crash: its supervisor brings it back, no job is lost, and none is run twice."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, ClassVar

import pytest

from exqueue import Enqueue, ExqueueSystem, GetTree, StartWorker
from exqueue.testing import crash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import ActorInfo, SystemRef

JOBS = 300


class Counted:
    """Notes each of its runs."""

    runs: ClassVar[list[int]] = []

    def perform(self, *, number: int) -> None:
        type(self).runs.append(number)


@pytest.fixture
def system(url: str, namespace: str) -> Iterator[SystemRef]:
    """A started system on each persistence."""
    with ExqueueSystem.start(url, namespace=namespace) as started:
        started.ask(StartWorker(Counted, concurrency=3))
        yield started


def flat(info: ActorInfo) -> dict[str, ActorInfo]:
    """All actors of the tree by their path."""
    found = {info.name: info}
    for child in info.children:
        found.update(flat(child))
    return found


def await_restart(system: SystemRef, path: str, within: float = 5.0) -> None:
    """Wait until the actor lives again and its restarts say so."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while time.monotonic() < deadline:
        actor = flat(system.ask(GetTree())).get(path)
        if actor is not None and actor.alive and actor.restarts == 1:
            return
        pause.wait(0.01)
    pytest.fail(f"{path} did not come back: {flat(system.ask(GetTree())).get(path)}")


@pytest.mark.parametrize(
    "path",
    [
        "reporter",
        "producer",
        "operator",
        "listener",
        "leader",
        "queues",
        "queues/Counted",
        "queues/Counted/fetcher",
        "queues/Counted/worker-2",
    ],
)
def test_a_crash_under_load_loses_and_repeats_nothing(system: SystemRef, path: str) -> None:
    """Restarts grow by one, siblings keep their identity, every job is run exactly once."""
    Counted.runs.clear()
    names_before = {name: system.urn_of(name) for name in flat(system.ask(GetTree())) if name != "system"}
    for number in range(JOBS):
        system.ask(Enqueue(Counted, {"number": number}))
        if number == JOBS // 3:
            crash(system, path)
    system.drain(timeout=20)
    assert sorted(Counted.runs) == list(range(JOBS))
    await_restart(system, path)
    for name, urn in names_before.items():
        if name != path and not name.startswith(f"{path}/"):
            assert system.urn_of(name) == urn, f"{name} was replaced too"
