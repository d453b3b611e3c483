"""A namespace with so many queues that claiming them takes longer than a lease lasts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

from exqueue import GetStatus, StartWorker
from exqueue.config import SystemConfig
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import NewJob, Push
from exqueue.supervision import ThreadRuntime
from exqueue.system import start_system
from tests.system.helpers import Room, eventually
from tests.system.staged import Made, StagedPersistence

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue import SystemRef
    from tests.system.staged import Act

LEASE_S = 0.8
A_CLAIM_S = 0.02
QUEUES = 120
"""Three times as many as can be claimed while a lease lasts."""

JOBS = (NewJob("1", b"record"),)


class Visit:
    """Visits the room of the test."""

    room: ClassVar[Room]
    runs: ClassVar[list[int]] = []

    def perform(self, *, who: int) -> None:
        type(self).runs.append(who)
        type(self).room.visit(who)


class Distant(StagedPersistence):
    """A store that is so far away that each claim takes its time."""

    def begin(self, call: Made) -> Act | None:
        super().begin(call)
        return self._after_a_while if call.verb == "claim" else None

    @staticmethod
    def _after_a_while(carry_out: Callable[[], Any]) -> Any:
        threading.Event().wait(A_CLAIM_S)
        return carry_out()


def test_a_leader_that_claims_many_queues_keeps_the_lock(namespace: str) -> None:
    """It renews in between, so that a standby does not take the lock from it, and with it what runs."""
    url = f"memory://{namespace}"
    everybody = open_persistence(url, namespace=namespace)
    everybody.session(timeout=5).push("somebody", [Push(f"queue-{n}", 1, JOBS) for n in range(QUEUES)])
    stores = [Distant(open_persistence(url, namespace=namespace)) for _ in range(2)]

    def start(store: Distant, node: str) -> SystemRef:
        config = SystemConfig(url, namespace=namespace, node=node, lock_ttl=LEASE_S, shutdown_timeout=5)
        return start_system(config, store, ThreadRuntime())

    with Room() as room, start(stores[0], "first") as first, start(stores[1], "second") as second:
        Visit.room = room
        first.ask(StartWorker(Visit))
        first.enqueue(Visit, who=1)
        room.await_entered(1)
        second.ask(StartWorker(Visit))
        eventually(lambda: len({call.args[0] for call in stores[0].calls("claim")}) > QUEUES)
        status = first.ask(GetStatus())
        assert (status.leader, status.epoch) == ("first", 1)
        assert stores[1].calls("claim") == []
        room.open()
        eventually(lambda: not first.ask(GetStatus()).running)
        assert Visit.runs == [1]
