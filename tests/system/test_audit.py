"""What no message told of is found on the board: as long as anything runs, every few seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from exqueue import Enqueue, ExqueueSystem, StartWorker
from exqueue.actors import listener, pace
from exqueue.actors.fetcher import Fetcher
from exqueue.actors.runs import Runs
from tests.system.helpers import Room, eventually, queue_status

if TYPE_CHECKING:
    import pytest

    from exqueue.actors.protocol import RunEnded


class Visit:
    """Visits the room of the test."""

    room: ClassVar[Room]

    def perform(self) -> None:
        """Stay until let out."""
        type(self).room.visit()


def test_the_end_of_a_long_job_is_found_though_its_message_got_lost(
    url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the job outlasted several audits: the last one is not the first."""
    audits: list[int] = []
    audit = Runs.audit

    def counted(runs: Runs) -> None:
        audits.append(1)
        audit(runs)

    def lost(fetcher: Fetcher, ended: RunEnded) -> None:
        """The message of the Worker, as if it had never come."""

    monkeypatch.setattr(listener, "SWEEP_EVERY_S", 600.0)
    monkeypatch.setattr(pace, "AUDIT_EVERY_S", 0.02)
    monkeypatch.setattr(Runs, "audit", counted)
    monkeypatch.setattr(Fetcher, "_on_run_ended", lost)
    with Room() as room, ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=1) as system:
        Visit.room = room
        system.ask(StartWorker(Visit))
        system.ask(Enqueue(Visit))
        room.await_entered(1)
        eventually(lambda: len(audits) >= 3)
        room.open()
        eventually(lambda: queue_status(system, "Visit").processed == 1)
