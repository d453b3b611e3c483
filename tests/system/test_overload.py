"""More than is kept in memory: it is stored when the persistence answers, and else refused by name and number."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from exqueue import AskTimeout, Enqueue, EnqueueMany, ExqueueSystem, GetStatus, Overloaded, SystemRef
from exqueue.actors.bounds import MAX_BACKLOG
from exqueue.config import SystemConfig
from exqueue.persistence.urls import open_persistence
from exqueue.supervision import ThreadRuntime
from exqueue.system import start_system
from tests.system.helpers import PATIENCE_S, eventually, queue_status
from tests.system.lossy import LossyPersistence
from tests.system.staged import Hang, StagedPersistence

if TYPE_CHECKING:
    from collections.abc import Iterator

FOR_EVER = 10**9


class Plain:
    def perform(self, *, number: int) -> None:
        """Never run here."""


def many(count: int, prefix: str = "job") -> EnqueueMany:
    """So many jobs in one message."""
    return EnqueueMany([Enqueue(Plain, {"number": number}, id=f"{prefix}-{number}") for number in range(count)])


@pytest.fixture
def lossy(namespace: str) -> LossyPersistence:
    """A store that can refuse."""
    return LossyPersistence(open_persistence(f"memory://{namespace}", namespace=namespace))


@pytest.fixture
def cut_off(lossy: LossyPersistence, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemRef]:
    """A system that keeps five jobs (of those that were told: ten), and whose pushes are not sent."""
    monkeypatch.setattr("exqueue.actors.producer.MAX_BACKLOG", 5)
    monkeypatch.setattr("exqueue.actors.producer.MOST_TOLD", 10)
    config = SystemConfig(f"memory://{namespace}", namespace=namespace, shutdown_timeout=1)
    lossy.refuse("push", FOR_EVER)
    with start_system(config, lossy, ThreadRuntime()) as system:
        yield system


def in_outage(system: SystemRef) -> SystemRef:
    """Wait until the Producer has met the outage."""
    eventually(lambda: system.ask(GetStatus()).outage_since)
    return system


@pytest.mark.parametrize("count", [MAX_BACKLOG + 1, 3 * MAX_BACKLOG])
def test_more_jobs_than_are_kept_are_stored_by_one_message(system: SystemRef, count: int) -> None:
    """The bound is for an outage: while the persistence answers, what waits is stored to make room."""
    assert len(system.ask(many(count), timeout=60)) == count
    assert queue_status(system, "Plain").ready == count
    system.ask(Enqueue(Plain, {"number": -1}))
    assert queue_status(system, "Plain").ready == count + 1


def test_a_hundred_thousand_jobs_are_stored_by_one_message(namespace: str) -> None:
    """Ten times as many as are kept."""
    with ExqueueSystem.start(f"memory://{namespace}", namespace=namespace) as system:
        assert len(system.ask(many(10 * MAX_BACKLOG), timeout=60)) == 10 * MAX_BACKLOG
        assert queue_status(system, "Plain").ready == 10 * MAX_BACKLOG


def test_whoever_gave_up_does_not_fill_the_backlog(cut_off: SystemRef) -> None:
    """There is room again at once, not only after the next try."""
    for attempt in range(20):
        with pytest.raises(AskTimeout, match=r"job \d+-0 and 4 more: .*stored: no"):
            cut_off.ask(many(5, str(attempt)), timeout=0.05)


def test_a_told_piece_that_is_refused_is_counted_in_the_log(
    cut_off: SystemRef, caplog: pytest.LogCaptureFixture
) -> None:
    """One line names the first job and how many more there are."""
    cut_off.tell(many(8, "kept"))
    in_outage(cut_off).tell(many(7, "refused"))
    eventually(lambda: errors(caplog))
    assert "job refused-0 and 6 more of queue Plain, stored: no" in errors(caplog)[0]


def test_a_told_piece_that_is_lost_is_counted_in_the_log(cut_off: SystemRef, caplog: pytest.LogCaptureFixture) -> None:
    """What a stop in an outage leaves unstored is said, with its number."""
    cut_off.tell(many(8, "lost"))
    in_outage(cut_off).stop()
    assert ["job lost-0 and 7 more of queue Plain, stored: no" in line for line in errors(caplog)] == [True]


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines at ERROR."""
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


def test_the_error_of_many_says_what_is_known_of_each(namespace: str) -> None:
    """How many of the pieces are stored, are not, and may be, and which job each of these begins with."""
    staged = StagedPersistence(open_persistence(f"memory://{namespace}", namespace=namespace))
    hang = Hang(is_carried_out=True)
    with start_system(SystemConfig("memory://", namespace=namespace), staged, ThreadRuntime()) as system:
        staged.stage("push", lambda carry_out: carry_out())
        staged.stage("push", hang)
        try:
            with pytest.raises(AskTimeout, match=r"storing job job-1000 and 999 more: .*; stored: unknown") as caught:
                system.ask(many(4_500), timeout=1)
        finally:
            hang.let_go()
        (note,) = caught.value.__notes__
        assert note.startswith(
            "of 4500 jobs, stored: 1000, from job job-0 of queue Plain on; not stored: 2500, from job "
        )
        assert note.endswith("job-2000 of queue Plain on; unknown: 1000, from job job-1000 of queue Plain on")
        eventually(lambda: queue_status(system, "Plain").ready == 2_000)


@pytest.mark.parametrize("is_asked", [True, False])
def test_many_that_find_no_room_half_way_are_counted(
    namespace: str, monkeypatch: pytest.MonkeyPatch, is_asked: bool
) -> None:
    """Whoever enqueues is told how many of them were sent before, or stored."""
    monkeypatch.setattr("exqueue.asking.MAX_BACKLOG", 3)
    staged = StagedPersistence(open_persistence(f"memory://{namespace}", namespace=namespace))
    hang = Hang(is_carried_out=True)
    with start_system(SystemConfig("memory://", namespace=namespace), staged, ThreadRuntime()) as system:
        staged.stage("push", hang)
        system.tell(Enqueue(Plain, {"number": 0}))
        assert hang.hangs.wait(PATIENCE_S)
        try:
            with pytest.raises(Overloaded, match=r"storing job job-3000 and 999 more: .*; stored: no") as caught:
                (system.ask if is_asked else system.tell)(many(4_500))
        finally:
            hang.let_go()
        if is_asked:
            assert caught.value.__notes__ == ["of 4500 jobs, not stored: 4500, from job job-0 of queue Plain on"]
        else:
            assert caught.value.__notes__ == ["of 4500 jobs 3000 were sent before; the others are not stored"]
        # What was withdrawn may not have left the inbox yet.
        monkeypatch.undo()
        system.ask(Enqueue(Plain, {"number": 1}))
        assert queue_status(system, "Plain").ready == (2 if is_asked else 3_002)
