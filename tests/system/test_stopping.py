"""Stopping a queue and stopping a system: what runs gets its time, the rest goes back, nothing is repeated."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import TYPE_CHECKING, ClassVar

import pytest

from exqueue import (
    ActorInfo,
    Enqueue,
    ExqueueSystem,
    GetJob,
    GetStatus,
    GetTree,
    JobDied,
    JobNotFound,
    StartWorker,
    StopWorker,
    Subscribe,
    SystemStopped,
)
from exqueue.actors.ear import READ_FOR_S
from exqueue.actors.tables import is_stopping
from exqueue.actors.worker import Worker
from exqueue.config import SystemConfig
from exqueue.persistence.urls import open_persistence
from exqueue.supervision import ThreadRuntime
from exqueue.system import start_system
from exqueue.testing import crash
from tests.system.helpers import PATIENCE_S, Room, eventually
from tests.system.staged import StagedPersistence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exqueue import SystemRef
    from exqueue.persistence.base import Subscription

SOON_S = 4.0
"""A stop that waits for nobody takes less, also on a busy machine; one that waits for itself takes at least 6 s."""


class Visit:
    """Visits the room of the test."""

    room: ClassVar[Room]

    def perform(self, *, who: int) -> None:
        type(self).room.visit(who)


@pytest.fixture(autouse=True)
def room() -> Iterator[Room]:
    """The room that jobs visit, opened at the end."""
    with Room() as opened:
        Visit.room = opened
        yield opened


def started_queues(system: SystemRef) -> dict[str, ActorInfo]:
    """The started queues and their part of the tree."""
    tree: ActorInfo = system.ask(GetTree())
    return {queue.name: queue for queue in next(one for one in tree.children if one.name == "queues").children}


def fetcher_restarts(system: SystemRef) -> int:
    """How often the Fetcher of the queue was started again; -1 while it is not there."""
    queue = started_queues(system).get("queues/Visit")
    fetcher = None if queue is None else queue.children[0]
    return fetcher.restarts if fetcher is not None and fetcher.alive else -1


def test_a_stopped_queue_ends_although_its_fetcher_crashes(system: SystemRef, room: Room) -> None:
    """That a queue is being stopped outlives the crash of its Fetcher."""
    system.ask(StartWorker(Visit))
    system.ask(Enqueue(Visit, {"who": 1}))
    eventually(lambda: room.inside)
    system.ask(StopWorker(Visit))
    crash(system, "queues/Visit/fetcher")
    eventually(lambda: fetcher_restarts(system) == 1)
    room.open()
    eventually(lambda: not started_queues(system))
    assert room.entered == [1]


def test_a_stopped_queue_ends_although_queues_crashes(system: SystemRef, room: Room) -> None:
    """That a queue is being stopped outlives the crash of who supervises the queues."""
    system.ask(StartWorker(Visit))
    system.ask(Enqueue(Visit, {"who": 1}))
    eventually(lambda: room.inside)
    system.ask(StopWorker(Visit))
    crash(system, "queues")
    room.open()
    eventually(lambda: system.urn_of("queues") is not None and not started_queues(system))
    assert room.entered == [1]


def test_telling_to_stop_what_is_not_started_is_a_warning(system: SystemRef, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake of a person never crashes an actor."""
    with caplog.at_level(logging.WARNING, "exqueue"):
        system.tell(StopWorker(Visit))
        system.ask(StartWorker(Visit))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "Visit is not started" in caplog.text
    assert next(one for one in system.ask(GetTree()).children if one.name == "queues").restarts == 0


def test_a_running_job_gets_to_end(url: str, namespace: str, room: Room) -> None:
    """A stop waits for what runs and fetches nothing more; what waits stays in the store."""
    system = ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=10)
    system.ask(StartWorker(Visit))
    first, second = (system.ask(Enqueue(Visit, {"who": who})) for who in (1, 2))
    eventually(lambda: room.inside)
    stopping = threading.Thread(target=system.stop)
    stopping.start()
    with pytest.raises(AssertionError):
        eventually(lambda: not system.is_alive(), within=0.2)
    room.open()
    stopping.join(10)
    assert not system.is_alive()
    assert room.left == [1]
    if url.startswith("memory"):
        return  # the store went with its last system
    with ExqueueSystem.start(url, namespace=namespace) as after:
        with pytest.raises(JobNotFound):
            after.ask(GetJob(first))
        assert after.ask(GetJob(second)).state == "ready"


def test_what_outlasts_the_patience_goes_back_uncounted(url: str, namespace: str, room: Room) -> None:
    """It runs again on the next node, with neither a failure nor a recovery; its late end counts for nothing."""
    with ExqueueSystem.start(url, namespace=namespace) as standby:
        first = ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=0.1)
        first.ask(StartWorker(Visit))
        job_id = first.ask(Enqueue(Visit, {"who": 1}))
        eventually(lambda: room.inside)
        assert first.stop()
        info = standby.ask(GetJob(job_id))
        assert (info.state, info.failures, info.recoveries) == ("ready", 0, 0)
        standby.ask(StartWorker(Visit))
        eventually(lambda: room.entered == [1, 1])
        room.open()
        standby.drain()
        assert standby.ask(GetStatus()).queues[0].processed == 1


def test_a_stop_ends_although_a_fetcher_crashes(url: str, namespace: str, room: Room) -> None:
    """The restarted Fetcher knows of the stop: the running job ends, once."""
    system = ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=10)
    system.ask(StartWorker(Visit))
    system.ask(Enqueue(Visit, {"who": 1}))
    eventually(lambda: room.inside)
    system.stop(block=False)
    crash(system, "queues/Visit/fetcher")
    eventually(lambda: fetcher_restarts(system) == 1)
    room.open()
    eventually(lambda: not system.is_alive(), within=5)
    assert room.entered == [1]


def test_a_queue_that_is_still_being_started_is_waited_for(
    url: str, namespace: str, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first Worker may have begun a job by then."""
    goes_on, as_before = threading.Event(), Worker.on_start

    def hesitates(worker: Worker) -> None:
        if worker.name.endswith("-2"):
            goes_on.wait(PATIENCE_S)
        as_before(worker)

    monkeypatch.setattr(Worker, "on_start", hesitates)
    with ExqueueSystem.start(url, namespace=namespace) as observer:
        system = ExqueueSystem.start(url, namespace=namespace)
        job_id = observer.ask(Enqueue(Visit, {"who": 1}))
        system.tell(StartWorker(Visit, concurrency=2))
        eventually(lambda: room.inside)
        system.stop(block=False)
        eventually(lambda: is_stopping(system._context.board))  # noqa: SLF001 - the sign that the stop has begun
        goes_on.set()
        with pytest.raises(AssertionError):
            eventually(lambda: not system.is_alive(), within=0.3)
        room.open()
        assert system.stop()
        with pytest.raises(JobNotFound):
            observer.ask(GetJob(job_id))


def test_a_system_that_is_being_stopped_starts_no_queue(system: SystemRef, room: Room) -> None:
    """Who asks is refused; who tells is not heard, and no actor crashes of it."""

    class Late:
        def perform(self) -> None:
            room.visit(2)

    system.ask(StartWorker(Visit))
    system.ask(Enqueue(Visit, {"who": 1}))
    eventually(lambda: room.inside)
    system.stop(block=False)
    eventually(lambda: is_stopping(system._context.board))  # noqa: SLF001 - as above
    system.ask(Enqueue(Late, {}))
    system.tell(StartWorker(Late))
    with pytest.raises(SystemStopped, match="Late is not started: the system is being stopped"):
        system.ask(StartWorker(Late))
    assert next(one for one in system.ask(GetTree()).children if one.name == "queues").restarts == 0
    room.open()
    assert system.stop()
    assert room.entered == [1]


def test_stopping_twice_is_stopping_once(system: SystemRef) -> None:
    """The second stop finds nothing to do."""
    assert system.stop()
    assert system.stop()


class Caller(logging.Handler):
    """Stops a system in whatever place the test gives it, and keeps what it was told."""

    actor_urn = "urn:of-a-caller"

    def __init__(self) -> None:
        super().__init__()
        self.system: SystemRef | None = None
        self.answers: list[bool] = []

    def call(self, *_: object) -> float:
        assert self.system is not None
        self.answers.append(self.system.stop())
        return 0.0

    def tell(self, message: object) -> None:
        self.call()

    def emit(self, record: logging.LogRecord) -> None:
        self.call()


@pytest.mark.parametrize("place", ["job", "async job", "backoff", "report", "handler", "subscriber"])
def test_fault_024_code_inside_a_system_only_requests_the_stop(url: str, namespace: str, place: str) -> None:
    """It does not wait for its own end: the stop waits for it, and takes no longer than any other."""
    caller = Caller()
    report = caller.call if place == "report" else None
    system = caller.system = ExqueueSystem.start(url, namespace=namespace, report=report, shutdown_timeout=PATIENCE_S)

    class Asks:
        max_retries = 1 if place == "backoff" else 0
        backoff = staticmethod(caller.call) if place == "backoff" else 0.0

        def perform(self) -> None:
            if place == "job":
                caller.call()
            raise ValueError

    class AsksLater:
        max_retries = 0

        async def perform(self) -> None:
            await asyncio.to_thread(caller.call)

    deaths = logging.getLogger("exqueue.deaths")
    if place == "handler":
        deaths.addHandler(caller)
    try:
        if place == "subscriber":
            system.ask(Subscribe(caller, JobDied))
        job: type = AsksLater if place == "async job" else Asks
        system.ask(StartWorker(job))
        begun_at = time.monotonic()
        system.tell(Enqueue(job))
        eventually(lambda: not system.is_alive())
    finally:
        deaths.removeHandler(caller)
        system.stop()
    assert caller.answers == [False]
    assert time.monotonic() - begun_at < SOON_S


def test_a_stopped_system_says_so(system: SystemRef) -> None:
    """Asking and telling are refused; the status is answered and says why there is nothing in it."""
    system.stop()
    with pytest.raises(SystemStopped, match="was stopped"):
        system.ask(Enqueue(Visit, {"who": 1}))
    with pytest.raises(SystemStopped, match="was stopped"):
        system.tell(Enqueue(Visit, {"who": 1}))
    status = system.ask(GetStatus())
    assert not status.is_leader
    assert "was stopped" in status.failed[0]


def test_a_stop_does_not_wait_for_the_ear(url: str, namespace: str) -> None:
    """A subscription that stands, and of which the Listener has not heard yet, is closed by the stop as any other."""
    staged = StagedPersistence(open_persistence(url, namespace=namespace))
    beating, may_go_on, listening = threading.Event(), threading.Event(), threading.Event()

    def hold(carry_out: Callable[[], object]) -> object:
        beating.set()
        assert may_go_on.wait(PATIENCE_S)
        return carry_out()

    def subscribe(token: str, *, timeout: float) -> Subscription:
        assert beating.wait(PATIENCE_S)
        subscription = StagedPersistence.subscribe(staged, token, timeout=timeout)
        listening.set()
        return subscription

    staged.stage("beat", hold)
    staged.subscribe = subscribe  # type: ignore[method-assign]  # only here
    system = start_system(SystemConfig(url, namespace=namespace), staged, ThreadRuntime())
    assert listening.wait(PATIENCE_S)
    system.stop(block=False)
    eventually(lambda: system.urn_of("leader") is None)  # the Listener is the next to be stopped
    begun = time.monotonic()
    may_go_on.set()
    assert system.stop()
    assert time.monotonic() - begun < READ_FOR_S / 2
