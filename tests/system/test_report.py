"""What is given as ``report=`` hears of each death once, and does no harm to anything else."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from exqueue import (
    ActorInfo,
    ConfigError,
    Enqueue,
    EnqueueMany,
    ExqueueSystem,
    GetTree,
    JobDied,
    StartWorker,
)
from exqueue.actors import courier, topology
from exqueue.testing import crash
from tests.system.helpers import Room, eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue import SystemRef

TIME_TO_END_S = 2.0
"""What an actor gets for it, the Courier too."""

STOP_WITHIN_S = TIME_TO_END_S + 3.0


class Dies:
    """Fails for good at its first run."""

    max_retries = 0
    concurrency = 5

    def perform(self) -> None:
        raise ValueError("can't be done")


class Fine:
    """Ends."""

    def perform(self) -> None:
        pass


class Rude(BaseException):
    """Neither an `Exception` nor known to anybody, and it can't be shown."""

    def __str__(self) -> str:
        raise SystemExit(5)


def started(url: str, namespace: str, report: Callable[[JobDied], object]) -> SystemRef:
    """A system with this callable."""
    system = ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=2, report=report)
    system.ask(StartWorker(Dies))
    system.ask(StartWorker(Fine))
    return system


def kill(system: SystemRef, count: int) -> list[str]:
    """Let jobs die; their ids."""
    ids: list[str] = system.ask(EnqueueMany(Enqueue(Dies) for _ in range(count)))
    return ids


def said(caplog: pytest.LogCaptureFixture, level: int = logging.ERROR) -> list[str]:
    """The lines at a level; at ERROR those of deaths."""
    name = "exqueue.deaths" if level == logging.ERROR else "exqueue"
    return [record.getMessage() for record in caplog.records if record.levelno == level and record.name == name]


def restarts(info: ActorInfo) -> dict[str, int]:
    """Which actors were started again, and how often."""
    found = {info.name: info.restarts} if info.restarts else {}
    for child in info.children:
        found.update(restarts(child))
    return found


def test_each_death_is_reported_once_after_its_line(url: str, namespace: str, caplog: pytest.LogCaptureFixture) -> None:
    """With all that the event has, in the order of the log, in a thread that is no other actor's."""
    calls: list[tuple[JobDied, bool, str]] = []

    def report(died: JobDied) -> None:
        is_said = any(died.id in line for line in said(caplog))
        calls.append((died, is_said, threading.current_thread().name))

    with started(url, namespace, report) as system:
        ids = kill(system, 50)
        eventually(lambda: len(calls) >= len(ids))
        later = kill(system, 1)
        system.drain()
    assert [died.id for died, _, _ in calls] == [line.split()[1] for line in said(caplog)]
    assert sorted(died.id for died, _, _ in calls) == sorted([*ids, *later])
    assert {(is_said, thread) for _, is_said, thread in calls} == {(True, "exqueue:courier")}
    died = calls[0][0]
    assert (died.job, died.queue, died.attempts) == ("Dies", "Dies", 1)
    assert died.error is not None
    assert died.error.traceback.endswith("ValueError: can't be done\n")


@pytest.mark.parametrize("error", [ConnectionError("gone"), SystemExit(3), KeyboardInterrupt(), Rude()])
def test_a_callable_that_raises_harms_nothing(
    url: str, namespace: str, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    """Whatever it raises: every death is given to it once and is in the log, no actor crashes, and it is said once."""
    calls: list[str] = []

    def report(died: JobDied) -> None:
        calls.append(died.id)
        raise error

    with started(url, namespace, report) as system:
        ids = kill(system, 20)
        eventually(lambda: len(calls) >= len(ids))
        system.ask(Enqueue(Fine))
        system.drain()
        assert restarts(system.ask(GetTree())) == {}
    assert sorted(calls) == sorted(ids)
    assert len(said(caplog)) == len(ids)
    (line,) = [line for line in said(caplog, logging.WARNING) if "report=" in line]
    assert f"report= raised for job {calls[0]}" in line
    assert type(error).__name__ in line


def test_failures_are_said_again_after_a_success(url: str, namespace: str, caplog: pytest.LogCaptureFixture) -> None:
    """The first of each row."""
    calls: list[str] = []

    def report(died: JobDied) -> None:
        calls.append(died.id)
        if len(calls) != 3:
            raise ConnectionError("gone")

    with started(url, namespace, report) as system:
        kill(system, 5)
        eventually(lambda: len(calls) >= 5)
    lines = [line.split()[4].rstrip(",") for line in said(caplog, logging.WARNING) if "report=" in line]
    assert lines == [calls[0], calls[3]]


def test_a_callable_that_hangs_delays_nothing(
    url: str, namespace: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines and jobs go on; past the bound deaths are in the log only, said once; then it goes on with those kept."""
    monkeypatch.setattr(courier, "MOST_REPORTS", 5)
    with Room() as room, started(url, namespace, lambda died: room.visit(died.id)) as system:
        first = kill(system, 1)
        room.await_entered(1)
        ids = kill(system, 20)
        eventually(lambda: len(said(caplog)) >= 21)
        system.ask(Enqueue(Fine))
        eventually(lambda: queue_status(system, "Fine").processed == 1)
        assert room.entered == first
        room.open()
        room.await_left(6)
        assert room.entered == [line.split()[1] for line in said(caplog)][:6]
        again = kill(system, 1)
        room.await_left(7)
        assert room.entered[-1:] == again
        assert restarts(system.ask(GetTree())) == {}
    assert sorted(line.split()[1] for line in said(caplog)) == sorted([*first, *ids, *again])
    assert len([line for line in said(caplog, logging.WARNING) if "report= is 5 deaths behind" in line]) == 1


def test_a_callable_that_hangs_does_not_hold_up_a_stop(
    url: str, namespace: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread is abandoned when its time is over."""
    monkeypatch.setattr(topology, "ONE_VERB_S", TIME_TO_END_S)
    with Room() as room:
        system = started(url, namespace, lambda died: room.visit(died.id))
        kill(system, 3)
        room.await_entered(1)
        eventually(lambda: len(said(caplog)) >= 3)
        begun_at = time.monotonic()
        assert system.stop()
        assert time.monotonic() - begun_at < STOP_WITHIN_S
        assert len(said(caplog)) == 3


def test_a_stop_gives_it_what_waits(url: str, namespace: str) -> None:
    """Also deaths of the last moment."""
    calls: list[str] = []
    with started(url, namespace, lambda died: calls.append(died.id)) as system:
        ids = kill(system, 200)
        system.drain()
    assert sorted(calls) == sorted(ids)


def test_a_courier_that_crashes_loses_none_and_repeats_none(url: str, namespace: str) -> None:
    """What waits stands on the board; what was begun is not begun again."""
    with Room() as room, started(url, namespace, lambda died: room.visit(died.id)) as system:
        ids = kill(system, 10)
        room.await_entered(1)
        crash(system, "courier")
        room.open()
        room.await_left(10)
        eventually(lambda: restarts(system.ask(GetTree())) == {"courier": 1})
    assert sorted(map(str, room.entered)) == sorted(ids)


async def report_later(died: JobDied) -> None:
    """Nobody would await this."""


@pytest.mark.parametrize(
    ("report", "why"), [("sentry", "a callable that takes a JobDied"), (report_later, "not an async")]
)
def test_what_can_not_be_called_is_refused(report: Any, why: str) -> None:
    """At the start, not at the first death."""
    with pytest.raises(ConfigError, match=why):
        ExqueueSystem.start("memory://", report=report)
