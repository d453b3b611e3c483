"""What the Fetcher tells of settled runs, also of those whose bytes this version can't read."""

from __future__ import annotations

from typing import Any

import pytest

from exqueue.actors.announcer import Announcer
from exqueue.actors.protocol import Say
from exqueue.actors.runs import Lost
from exqueue.actors.tables import RunningRow, subscribers_table
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
    announcer.superseded(Lost({run.key: run}, {}))
    events = [message for message in told if type(message) is JobInterrupted]
    assert [(event.id, event.job, event.attempt) for event in events] == [("a", job, 3), ("a", job, 3)]


def lines(told: list[Any]) -> list[str]:
    """What the Reporter is to write."""
    return [message.line for message in told if type(message) is Say]


def test_what_goes_on_here_is_told_from_what_had_ended(announcer: Announcer, told: list[Any]) -> None:
    """Of a run that had ended nothing executes any more: only its outcome is refused."""
    on, ended = run_of(SOUND), Run("mail", "b", b"run", SOUND, None, 0, 1, 1, 1)
    announcer.superseded(Lost({on.key: on}, {ended.key: ended}))
    one, other = lines(told)
    assert "while 1 of its jobs execute on node: they go on executing here" in one
    assert one.endswith(": a")
    assert "before 1 of its jobs were settled that had ended on node: their outcome is refused" in other
    assert other.endswith(": b")
    assert not lines(told)[2:]


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_run_that_is_out_of_time_is_named_with_what_becomes_of_it(
    announcer: Announcer, told: list[Any], is_answered: bool
) -> None:
    """Id, class, queue and how long it ran; nothing is promised that an outage may prevent."""
    run = run_of(SOUND)
    row = RunningRow("queues/mail/worker-1", "urn", SystemClock().time() - 25.0, run)
    announcer.out_of_time({run.key: row}, is_answered=is_answered)
    (line,) = lines(told)
    assert line.startswith("job a of class Mail in queue mail has run for 25.")
    assert "given back by its place, uncounted" in line
    assert "its thread executes on until the process ends" in line
    assert ("if the persistence answers in time" in line) is not is_answered
