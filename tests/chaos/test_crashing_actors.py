"""Actors that crash outside the user's code, at the worst moment or again and again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from exqueue import ActorInfo, AskTimeout, Enqueue, GetJob, GetTree, StartWorker
from exqueue.actors import worker
from exqueue.actors.fetcher import Fetcher
from exqueue.actors.leader import Leader
from exqueue.actors.listener import Listener
from exqueue.actors.producer import Producer
from exqueue.execution import perform
from tests.chaos.weather import held_in, lines
from tests.system.helpers import Room, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue import SystemRef

JOBS = 60


class Counted:
    """Notes its runs."""

    runs: ClassVar[list[int]] = []
    concurrency = 3

    def perform(self, *, number: int) -> None:
        type(self).runs.append(number)


def actor(system: SystemRef, name: str) -> ActorInfo:
    """What the tree says of one actor."""

    def found(info: ActorInfo) -> ActorInfo | None:
        return info if info.name == name else next(filter(None, map(found, info.children)), None)

    it = found(system.ask(GetTree()))
    assert it is not None
    return it


FETCHER = "queues/Counted/fetcher"
AT_THE_START = [
    (Fetcher, "_claim_queue", FETCHER),
    (Fetcher, "_on_worker_ready", FETCHER),
    (Leader, "_gained", "leader"),
    (Listener, "_on_listening", "listener"),
    (Listener, "_beat", "listener"),
]
UNDER_LOAD = [
    (Fetcher, "_settled", FETCHER),
    (Fetcher, "_hand_out", FETCHER),
    (Fetcher, "_on_run_ended", FETCHER),
    (Producer, "_on_store", "producer"),
    (Producer, "_answered", "producer"),
    (Leader, "_renew", "leader"),
    (Listener, "_on_heard", "listener"),
]


def crash_once(monkeypatch: pytest.MonkeyPatch, role: type[Any], method: str, after_runs: int) -> None:
    """Let the method raise in its first call after so many runs."""
    original = getattr(role, method)
    crashes: list[str] = []

    def crashing(self: Any, *args: Any) -> Any:
        if len(Counted.runs) >= after_runs and not crashes:
            crashes.append(method)
            raise RuntimeError(f"{method} crashes on purpose")
        return original(self, *args)

    monkeypatch.setattr(role, method, crashing)


@pytest.mark.parametrize(
    ("role", "method", "path", "after_runs"),
    [*((*one, 0) for one in AT_THE_START), *((*one, JOBS // 3) for one in UNDER_LOAD)],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", str(value)),
)
def test_fault_088_a_crash_in_the_midst_of_its_work(
    start: Callable[..., SystemRef],
    monkeypatch: pytest.MonkeyPatch,
    role: type[Any],
    method: str,
    path: str,
    after_runs: int,
) -> None:
    """The actor is restarted once; each job that was stored is run exactly once."""
    Counted.runs.clear()
    crash_once(monkeypatch, role, method, after_runs)
    system = start()
    system.ask(StartWorker(Counted))
    stored = 0
    for number in range(JOBS):
        try:
            system.ask(Enqueue(Counted, {"number": number}))
            stored += 1
        except (RuntimeError, AskTimeout):
            # Whoever asked hears of the crash, or that it is not known what has become of it.
            assert path == "producer"
    eventually(lambda: actor(system, path).restarts == 1)
    system.drain(timeout=20)
    assert len(Counted.runs) == len(set(Counted.runs))
    assert len(Counted.runs) >= stored >= JOBS - 1
    assert actor(system, path).restarts == 1


def test_fault_088_a_worker_that_crashes_outside_its_job(
    start: Callable[..., SystemRef], room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its run counts as a recovery and not as a failure, the Worker is restarted, and the job is run again."""
    crashes: list[str] = []

    def crash_once(*args: Any) -> Any:
        if not crashes:
            crashes.append("perform")
            raise RuntimeError("crashes on purpose")
        return perform(*args)

    monkeypatch.setattr(worker, "perform", crash_once)
    system, job = start(), held_in(room)
    system.ask(StartWorker(job, concurrency=1))
    job_id = system.ask(Enqueue(job, {"who": 1}))
    room.await_entered(1)
    info = system.ask(GetJob(job_id))
    assert (info.failures, info.recoveries, info.state) == (0, 1, "running")
    assert actor(system, "queues/Held/worker-1").restarts == 1
    room.open()
    system.drain()
    assert room.entered == [1]


def test_fault_089_a_fetcher_that_crashes_again_and_again_harms_its_own_queue_only(
    start: Callable[..., SystemRef], room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its queue is parked with an ERROR and comes back; another queue goes on, and the system does not give up."""
    Counted.runs.clear()
    original, is_poisoned = Fetcher._make_a_call, [True]  # noqa: SLF001

    def poisoned(self: Fetcher, fence: Any) -> None:
        if is_poisoned and "Held" in self.name:
            raise RuntimeError("crashes on purpose")
        original(self, fence)

    monkeypatch.setattr(Fetcher, "_make_a_call", poisoned)
    room.open()
    system, job = start(), held_in(room)
    system.ask(StartWorker(Counted))
    system.ask(StartWorker(job))
    system.ask(Enqueue(job, {"who": 1}))
    eventually(lambda: lines(caplog, logging.ERROR, "queues/Held gave up"))
    for number in range(JOBS):
        system.ask(Enqueue(Counted, {"number": number}))
    eventually(lambda: sorted(Counted.runs) == list(range(JOBS)))

    is_poisoned.clear()

    room.await_left(1)
    assert actor(system, "queues").restarts == 0
    assert actor(system, "queues/Counted/fetcher").restarts == 0
    assert lines(caplog, logging.CRITICAL) == []
