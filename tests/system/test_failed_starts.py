"""What does not work is said once and stands in the status until it does: a queue that is parked, a class refused."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from exqueue import ActorInfo, ConfigError, Enqueue, GetStatus, GetTree, StartWorker, StopWorker
from exqueue.actors import topology
from exqueue.actors.fetcher import Fetcher
from exqueue.supervision import Backoff
from tests.system.helpers import Room, eventually, remains

if TYPE_CHECKING:
    from exqueue import SystemRef

QUICK = Backoff(first_s=0.01, cap_s=1.5)


class Poison:
    """Lets every Fetcher crash while it is there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_there = True
        original = Fetcher._make_a_call  # noqa: SLF001 - the moment that matters

        def poisoned(fetcher: Fetcher, fence: Any) -> None:
            if self.is_there:
                raise RuntimeError("crashes on purpose")
            original(fetcher, fence)

        monkeypatch.setattr(Fetcher, "_make_a_call", poisoned)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What is in the log as an ERROR or worse."""
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]


def restarts(system: SystemRef, queue: str) -> int:
    """How often the supervisor of a queue was started again."""
    root: ActorInfo = system.ask(GetTree())
    (queues,) = (one for one in root.children if one.name == "queues")
    return next(one.restarts for one in queues.children if one.name == f"queues/{queue}")


def failed(system: SystemRef) -> tuple[str, ...]:
    """What a person has to mend, as the status says."""
    return system.ask(GetStatus()).failed


def test_a_queue_that_is_parked_again_and_again_is_one_error(
    system: SystemRef, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried again later and later, and said once; after it has stood for a while the next time is news."""
    monkeypatch.setattr(topology, "QUEUE_BACKOFF", QUICK)
    poison, room = Poison(monkeypatch), Room()
    room.open()

    class Visit:
        def perform(self) -> None:
            room.visit()

    system.ask(StartWorker(Visit))
    eventually(lambda: restarts(system, "Visit") >= 4)
    assert len(said(caplog)) == 1
    assert "queue Visit does not work" in said(caplog)[0]
    eventually(lambda: any("queue Visit does not work" in one for one in failed(system)))

    poison.is_there = False
    system.ask(Enqueue(Visit))
    room.await_left(1)
    eventually(lambda: failed(system) == ())
    remains(lambda: failed(system) == (), 1.2 * QUICK.cap_s)

    poison.is_there = True
    system.ask(Enqueue(Visit))
    eventually(lambda: len(said(caplog)) == 2)


class First:
    name = "Twin"

    def perform(self) -> None:
        """Nothing to do."""


class Second(First):
    name = "Twin"


def test_a_class_that_was_refused_stands_in_the_status_whatever_its_namesake_does(system: SystemRef) -> None:
    """It is not started: that the other one is started once more does not change it."""
    system.ask(StartWorker(First))
    with pytest.raises(ConfigError, match="two job classes are named Twin"):
        system.ask(StartWorker(Second))
    system.ask(StartWorker(First, concurrency=2))
    # Its Workers and the refusals are told to the status together.
    eventually(lambda: [queue.concurrency for queue in system.ask(GetStatus()).queues] == [2])
    assert len(failed(system)) == 1

    with pytest.raises(ConfigError, match="two job classes are named Twin"):
        system.ask(StartWorker(Second))
    system.ask(StopWorker(First))
    eventually(lambda: system.ask(GetTree()).children[-1].children == ())
    system.ask(StartWorker(Second))
    eventually(lambda: failed(system) == ())


class Neighbour:
    queue = "Twin"

    def perform(self) -> None:
        """Nothing to do."""


def test_who_gives_a_refused_class_up_is_rid_of_it(system: SystemRef) -> None:
    """It can't be stopped, as it was never started, but there is nothing to be mended any more."""
    system.ask(StartWorker(First))
    with pytest.raises(ConfigError, match="concurrency belongs to the queue"):
        system.ask(StartWorker(Neighbour, concurrency=2))
    eventually(lambda: failed(system) != ())

    with pytest.raises(ConfigError, match="Neighbour is not started here"):
        system.ask(StopWorker(Neighbour))

    eventually(lambda: failed(system) == ())
