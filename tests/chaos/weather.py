"""What the tests of outages share: a job that can be held, and what a system says of the weather."""

from __future__ import annotations

import logging
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from exqueue import GetStatus, GetTree
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from exqueue import ActorInfo, SystemRef, SystemStatus
    from tests.servers import RealServer
    from tests.system.helpers import Room

BEGINS = ("the persistence does not answer", "the persistence takes no writes for now", "the persistence refuses")
ENDS = "the persistence answers again"


def held_in(room: Room) -> type:
    """A job class whose jobs stay in the room until they are let out."""

    class Held:
        concurrency = 3

        def perform(self, *, who: int) -> None:
            room.visit(who)

    return Held


def restarts(info: ActorInfo) -> int:
    """How many actors were ever started again."""
    return info.restarts + sum(map(restarts, info.children))


def status_of(system: SystemRef) -> SystemStatus:
    """The status."""
    status: SystemStatus = system.ask(GetStatus())
    return status


def await_outage(system: SystemRef, reason: str = "") -> SystemStatus:
    """Wait until the status says that there is an outage, of this reason."""

    def is_out() -> SystemStatus | None:
        status = status_of(system)
        return status if status.outage_since is not None and reason in (status.outage_reason or "") else None

    status = eventually(is_out)
    assert status is not None
    return status


def await_calm(system: SystemRef, log: pytest.LogCaptureFixture) -> None:
    """Wait until the status says nothing of an outage, and the log that it is over."""
    eventually(lambda: status_of(system).outage_since is None)
    eventually(lambda: weather_in(log)[-1:] in ([], [logging.INFO]))


def weather_in(log: pytest.LogCaptureFixture) -> list[int]:
    """The levels of the lines that say that an outage began or ended, in order."""
    return [one.levelno for one in log.records if one.getMessage().startswith((*BEGINS, ENDS))]


def lines(log: pytest.LogCaptureFixture, level: int, words: str = "") -> list[str]:
    """What was said at this level, if these words are in it."""
    return [one.getMessage() for one in log.records if one.levelno == level and words in one.getMessage()]


def assert_one_outage(system: SystemRef, log: pytest.LogCaptureFixture, level: int = logging.WARNING) -> None:
    """It was said once that it began and once that it was over, and no actor was restarted for it.

    Args:
        system: that met it.
        log: of the system.
        level: WARNING for what passes by itself; ERROR for what a person has to end, before which the server may have
            been gone for a moment.
    """
    await_calm(system, log)
    *begins, ends = weather_in(log)
    assert ends == logging.INFO
    assert [one for one in begins if one != logging.WARNING or level == logging.WARNING] == [level]
    assert restarts(system.ask(GetTree())) == 0


@contextmanager
def frozen(server: RealServer) -> Iterator[None]:
    """The server accepts everything and answers nothing."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)
