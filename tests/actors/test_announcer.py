"""What the Fetcher tells of settled runs, also of those whose bytes this version can't read."""

from __future__ import annotations

from typing import Any

import pytest

from exqueue.actors.announcer import Announcer
from exqueue.actors.tables import subscribers_table
from exqueue.clock import SystemClock
from exqueue.codec import Codec
from exqueue.execution import Run
from exqueue.messages import JobInterrupted
from exqueue.persistence.values import GiveBack
from exqueue.record import encode_record
from exqueue.supervision import Board

SOUND = encode_record("Mail", {}, 0.0, Codec())


@pytest.fixture
def told() -> list[Any]:
    """What the Reporter was told."""
    return []


@pytest.fixture
def announcer(told: list[Any]) -> Announcer:
    """The announcer of a queue to whose events somebody listens."""
    board = Board()
    subscribers_table(board)["urn"] = frozenset({"JobInterrupted"})

    def tell(_name: str, message: object) -> bool:
        told.append(message)
        return True

    return Announcer("mail", "node", board, SystemClock(), tell)


def run_of(record: bytes, trail: bytes | None = None) -> Run:
    """A run that was lost twice."""
    return Run("mail", "a", b"run", record, trail, 2, 1, 1, 1)


@pytest.mark.parametrize(
    ("run", "job"),
    [
        pytest.param(run_of(SOUND), "Mail", id="sound"),
        pytest.param(run_of(b""), "", id="an empty record"),
        pytest.param(run_of(b"\x63of the future"), "", id="a newer record"),
        pytest.param(run_of(SOUND, b"\x63of the future"), "Mail", id="a newer trail"),
        pytest.param(run_of(SOUND, b"\x01"), "Mail", id="a damaged trail"),
    ],
)
def test_an_interrupted_run_is_told_with_what_can_be_read(
    announcer: Announcer, told: list[Any], run: Run, job: str
) -> None:
    """The name is empty where it can't be read, and failures count as none: nothing is raised at the Fetcher."""
    announcer.interrupted(run.key, GiveBack(run.id, run.run), run)
    announcer.superseded({run.key: run})
    events = [message for message in told if type(message) is JobInterrupted]
    assert [(event.id, event.job, event.attempt) for event in events] == [("a", job, 3), ("a", job, 3)]
