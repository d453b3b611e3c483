"""A queue that another leadership has claimed: its former owner finds out, and says nothing that is not so."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

from exqueue import GetStatus, StartWorker
from exqueue.actors.protocol import SweepDue
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import Fence
from exqueue.supervision import Envelope
from tests.system.helpers import eventually

if TYPE_CHECKING:
    import pytest

    from exqueue import SystemRef

FOREIGN = Fence(50, "another system")


class Quick:
    """Notes its runs."""

    runs: ClassVar[list[int]] = []

    def perform(self, *, number: int) -> None:
        type(self).runs.append(number)


def test_an_idle_owner_that_was_fenced_off_does_not_accuse_the_store(
    system: SystemRef, url: str, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its sweep finds a fence that is not its own: a higher one is another leadership's, and no sign of a loss."""
    Quick.runs.clear()
    system.ask(StartWorker(Quick))
    system.enqueue(Quick, number=1)
    system.drain()
    other = open_persistence(url, namespace=namespace)
    session = other.session(timeout=5)
    session.claim("Quick", FOREIGN, 1)
    system.send_to("listener", Envelope(SweepDue()))
    eventually(lambda: system.ask(GetStatus()).epoch > FOREIGN.epoch)
    system.enqueue(Quick, number=2)
    eventually(lambda: Quick.runs == [1, 2])
    system.stop()
    other.close()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
