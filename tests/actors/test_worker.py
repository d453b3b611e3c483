"""Which runs a Worker begins."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from exqueue.actors.protocol import BeginRun
from exqueue.actors.tables import RunTables, seats_table
from exqueue.actors.worker import Worker
from exqueue.codec import Codec
from exqueue.execution import Run
from exqueue.supervision import ActorContext

SEAT = 2


@pytest.fixture
def worker() -> Worker:
    """A Worker of a queue that is owned with `SEAT`. It is no thread: the test has its turns."""
    settings: Any = SimpleNamespace(config=SimpleNamespace(node="a"), codec=Codec())
    made = Worker(ActorContext(name="queues/mail/worker-1"), settings=settings, queue="mail")
    seats_table(made.board)["mail"] = SEAT
    return made


def outcomes_of(worker: Worker, *, seat: int, is_handed: bool) -> int:
    """Tell it to begin a run (of a record that can't be decoded, so that no job is needed); how many have ended."""
    tables = RunTables(worker.board, "mail")
    run = Run("mail", "a", b"run", b"no record", None, 0, epoch=1, seat=seat, call=1)
    if is_handed:
        tables.handed[run.key] = run
    worker.on_receive(BeginRun(run))
    assert not tables.running
    return len(tables.ended)


def test_a_run_that_was_handed_out_is_run(worker: Worker) -> None:
    """Its outcome stands on the board."""
    assert outcomes_of(worker, seat=SEAT, is_handed=True) == 1


def test_a_run_that_was_withdrawn_is_not_begun(worker: Worker) -> None:
    """It has been given back by now, and somebody else may run it."""
    assert outcomes_of(worker, seat=SEAT, is_handed=False) == 0


def test_a_run_of_an_earlier_seat_is_not_begun(worker: Worker) -> None:
    """It may be another leadership's by now, although the Fetcher has not found that out yet."""
    assert outcomes_of(worker, seat=SEAT - 1, is_handed=True) == 0
