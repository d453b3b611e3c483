"""A row of an SQLite file that somebody else wrote to: it is said once, its queue stands still, and no other does."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from exqueue import Enqueue, GetTree, PauseQueue, ResumeQueue, StartWorker
from tests.chaos.weather import lines, restarts, status_of, weather_in
from tests.system.helpers import Room, eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


class Damaged:
    """Its queue is not what it was."""

    room: Room

    def perform(self) -> None:
        self.room.visit()


class Sound:
    """Its queue has nothing to do with the other's."""

    def perform(self) -> None:
        """Do nothing."""


@pytest.fixture
def room() -> Iterator[Room]:
    """Where the jobs of the damaged queue stay."""
    with Room() as held:
        Damaged.room = held
        yield held


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "exqueue")


def write(url: str, sql: str, *values: object) -> None:
    """As somebody else would."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)) as other:
        other.execute(sql, values)
        other.commit()


def run_one(system: SystemRef) -> None:
    """A job of the sound queue."""
    before = queue_status(system, "Sound").processed
    system.ask(Enqueue(Sound))
    eventually(lambda: queue_status(system, "Sound").processed == before + 1)


def test_a_queue_with_a_damaged_row_stands_still_alone(
    system: SystemRef, url: str, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    """One ERROR with column and next step, shown in the status; what is mended goes on by itself."""
    for job in (Damaged, Sound):
        system.ask(StartWorker(job))
    system.ask(PauseQueue("Damaged"))
    system.ask(Enqueue(Damaged))
    write(url, "UPDATE jobs SET recovered = 'nonsense'")
    system.ask(ResumeQueue("Damaged"))
    (line,) = eventually(lambda: lines(caplog, logging.ERROR, "stands still until that is mended"))
    assert "row of queue Damaged" in line
    assert "jobs.recovered is 'nonsense': somebody else did; mend or delete it." in line
    run_one(system)
    assert "jobs.recovered" in (queue_status(system, "Damaged").damage or "")
    assert queue_status(system, "Sound").damage is None
    assert room.entered == []
    write(url, "UPDATE jobs SET recovered = NULL")
    room.open()
    room.await_left(1)
    eventually(lambda: lines(caplog, logging.INFO, "queue Damaged is in order again"))
    eventually(lambda: queue_status(system, "Damaged").damage is None and status_of(system).failed == ())
    assert len(lines(caplog, logging.ERROR)) == 1
    assert weather_in(caplog) == []
    assert restarts(system.ask(GetTree())) == 0


def test_what_only_a_status_finds_is_said_once_too(
    system: SystemRef, url: str, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    """The run of a job that is in hand: no exchange reads it, and whoever looks at a status sees half of it."""
    for job in (Damaged, Sound):
        system.ask(StartWorker(job))
    system.ask(Enqueue(Damaged))
    room.await_entered(1)
    eventually(lambda: status_of(system).running)
    write(url, "UPDATE jobs SET run = ? WHERE state = 5", b"nonsense")
    for _ in range(3):
        assert "jobs.run is b'nonsense'" in (queue_status(system, "Damaged").damage or "")
        run_one(system)
    (line,) = lines(caplog, logging.ERROR)
    assert "queue Damaged is damaged" in line
    assert "mend or delete it" in line
    write(url, "DELETE FROM jobs")
    write(url, "UPDATE queues SET running = 0")
    for _ in range(2):
        assert queue_status(system, "Damaged").damage is None
    assert len(lines(caplog, logging.INFO, "of queue Damaged can be read again")) == 1
    assert weather_in(caplog) == []
    assert restarts(system.ask(GetTree())) == 0
