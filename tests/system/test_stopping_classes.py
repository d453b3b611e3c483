"""`StopWorker` of one class: it is that very class which stops, for good, and whatever else is in its queue goes on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from exqueue import (
    ConfigError,
    Enqueue,
    GetJob,
    GetStatus,
    GetTree,
    StartWorker,
    StopWorker,
    execution,
)
from tests.system.helpers import Room, eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef


@pytest.fixture
def room() -> Iterator[Room]:
    """Where the jobs stay, opened at the end."""
    with Room() as opened:
        yield opened


def a_class(called: str, room: Room, **options: Any) -> type:
    """One whose jobs say who they are and stay in the room; in the queue ``q`` unless told otherwise."""

    def perform(_self: object, *, number: int = 0) -> None:
        room.visit((called, number))

    return type(called, (), {"perform": perform, "queue": "q", **options})


def no_queue_is_started(system: SystemRef) -> bool:
    """Whether what was started has ended."""
    return not next(child for child in system.ask(GetTree()).children if child.name == "queues").children


def test_a_class_stays_stopped_when_another_one_is_started_in_its_queue(system: SystemRef, room: Room) -> None:
    """Also while its running job has not ended; and its options bind the other one no more."""
    first, second = a_class("First", room), a_class("Second", room)
    system.ask(StartWorker(first))
    system.ask(Enqueue(first))
    room.await_entered(1)
    system.ask(StopWorker(first))

    system.ask(StartWorker(second, concurrency=2))
    later = system.ask(Enqueue(first, {"number": 1}))
    system.ask(Enqueue(second))
    room.await_entered(2)
    assert room.entered == [("First", 0), ("Second", 0)]
    room.open()
    eventually(lambda: queue_status(system, "q").processed == 2)
    assert (queue_status(system, "q").concurrency, system.ask(GetJob(later)).state) == (2, "waiting")

    system.ask(StopWorker(second))
    eventually(lambda: no_queue_is_started(system))


def test_jobs_of_a_class_that_was_stopped_in_a_shared_queue_lose_nothing(
    system: SystemRef, room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They are put off uncounted, one line for all of them; started again, it runs them."""
    monkeypatch.setattr(execution, "PUT_OFF_S", 0.05)
    caplog.set_level(logging.INFO, "exqueue")
    room.open()
    first, second = (a_class(called, room, max_retries=0) for called in ("First", "Second"))
    system.ask(StartWorker(first))
    system.ask(StartWorker(second))
    assert system.ask(StopWorker(first)) == "q"
    ids = [system.ask(Enqueue(first, {"number": number})) for number in range(3)]
    system.ask(Enqueue(second))
    eventually(lambda: queue_status(system, "q").waiting == len(ids))
    eventually(lambda: room.entered == [("Second", 0)])
    for job_id in ids:
        info = system.ask(GetJob(job_id))
        assert (info.failures, info.recoveries, info.errors) == (0, 0, ())
    lines = [record.getMessage() for record in caplog.records if "put off" in record.getMessage()]
    assert len(lines) == 1
    assert "First is stopped here while its queue q goes on with Second" in lines[0]

    system.ask(StartWorker(first))
    eventually(lambda: queue_status(system, "q").processed == len(ids) + 1)
    assert sorted(room.entered, key=str) == [("First", 0), ("First", 1), ("First", 2), ("Second", 0)]
    assert queue_status(system, "q").failed == 0


def test_stopping_again_what_is_being_stopped_is_harmless(system: SystemRef, room: Room) -> None:
    """Its queue is answered, until it has ended."""
    job = a_class("First", room)
    system.ask(StartWorker(job))
    system.ask(Enqueue(job))
    room.await_entered(1)
    assert [system.ask(StopWorker(job)) for _ in range(2)] == ["q", "q"]
    room.open()
    eventually(lambda: no_queue_is_started(system))
    with pytest.raises(ConfigError, match="First is not started here; started are: none"):
        system.ask(StopWorker(job))


@pytest.mark.parametrize("queue", ["q", "another"])
def test_another_class_of_the_same_name_stops_nothing(system: SystemRef, room: Room, queue: str) -> None:
    """It is told which class of that name is started."""
    room.open()
    job, other = a_class("Same", room), a_class("Same", room, queue=queue, __qualname__="Other")
    system.ask(StartWorker(job))
    with pytest.raises(ConfigError, match=r"Other is not started here: .* Same that is started is .*Same, in queue q"):
        system.ask(StopWorker(other))
    system.ask(Enqueue(job))
    room.await_left(1)
    system.ask(StopWorker(job))
    eventually(lambda: no_queue_is_started(system))
    # Its name is free again.
    system.ask(StartWorker(other))


def test_an_alias_is_neither_called_a_name_nor_a_started_class(system: SystemRef, room: Room) -> None:
    """The error says whose alias it is, and what may be stopped."""
    new, old = a_class("New", room, aliases=("Old",)), a_class("Old", room)
    system.ask(StartWorker(new))
    with pytest.raises(ConfigError, match=r"named Old: \S+New \(by its aliases\) is started .* take the alias away$"):
        system.ask(StartWorker(old))
    with pytest.raises(ConfigError, match=r"Old is not started here; started are: New$"):
        system.ask(StopWorker(old))
    eventually(lambda: system.ask(GetStatus()).failed == ())
