"""Whatever answer of the persistence gets lost: no job is lost, none is run twice, no actor crashes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

import pytest

from exqueue import (
    ActorInfo,
    DeleteAllDead,
    Enqueue,
    GetJob,
    GetTree,
    ListJobs,
    PauseQueue,
    ResumeQueue,
    RetryDead,
    StartWorker,
)
from exqueue.actors import fetcher, listener
from exqueue.actors.protocol import SweepDue
from exqueue.config import SystemConfig
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import Bury, Fence, NewJob, Push
from exqueue.supervision import Envelope, ThreadRuntime
from exqueue.system import start_system
from tests.system.helpers import Room, eventually
from tests.system.lossy import LossyPersistence
from tests.system.staged import StagedPersistence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exqueue import SystemRef
    from exqueue.actors.protocol import Swept

JOBS = 60
VERBS = (
    *("push", "claim", "exchange", "acquire", "renew", "queues", "sweep", "beat"),
    *("get_jobs", "list_jobs", "overview", "retry_dead", "set_paused"),
)


class Counted:
    """Notes its runs; number 0 fails until it is mended."""

    runs: ClassVar[list[int]] = []
    is_mended: ClassVar[threading.Event] = threading.Event()
    max_retries = 1
    backoff = 0.01
    concurrency = 3

    def perform(self, *, number: int) -> None:
        type(self).runs.append(number)
        if number == 0 and not type(self).is_mended.is_set():
            raise ConnectionError("not yet")


@pytest.fixture
def lossy(url: str, namespace: str) -> LossyPersistence:
    """The store, whose answers can be lost."""
    return LossyPersistence(open_persistence(url, namespace=namespace))


@pytest.fixture
def start(url: str, namespace: str, lossy: LossyPersistence) -> Iterator[Callable[[], SystemRef]]:
    """Starts a system on it; stopped at the end."""
    started: list[SystemRef] = []

    def begin() -> SystemRef:
        config = SystemConfig(url, namespace=namespace, lock_ttl=1.0, shutdown_timeout=5)
        started.append(start_system(config, lossy, ThreadRuntime()))
        return started[-1]

    yield begin
    for system in started:
        system.stop()


def test_a_lost_answer_of_a_batch_does_not_lose_count(lossy: LossyPersistence, start: Callable[[], SystemRef]) -> None:
    """Each dead job is counted once, however often its batch is sent."""
    system = start()
    client = lossy.session(timeout=5)
    fence, seat = Fence(1_000, "tester"), 1
    client.push("tester", [Push("old", 1, tuple(NewJob(f"job-{n}", b"no record") for n in range(5)))])
    client.claim("old", fence, seat)
    jobs = client.exchange("old", fence, seat, 1, [], 5, serial=False).jobs
    client.exchange("old", fence, seat, 2, [Bury(job.id, job.run, None) for job in jobs], 0, serial=False)
    lossy.lose("delete_dead", 2)
    all_dead = system.ask(DeleteAllDead(), block=False)
    # Behind it in the line, and sent after its batches: what has a number of its own is drawn in the order of sending.
    paused = system.ask(PauseQueue("old"), block=False)
    assert all_dead.get(timeout=10) == 5
    assert paused.get(timeout=10) is True
    assert system.ask(ListJobs("dead")) == ()


def restarts(info: ActorInfo) -> int:
    """How many actors were ever started again."""
    return info.restarts + sum(map(restarts, info.children))


@pytest.mark.parametrize("verb", VERBS)
def test_a_lost_answer_loses_and_repeats_nothing(
    verb: str, lossy: LossyPersistence, start: Callable[[], SystemRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call is sent again under its own number, and what it did is done once."""
    if verb == "sweep":
        monkeypatch.setattr(listener, "SWEEP_EVERY_S", 0.2)
    Counted.runs.clear()
    Counted.is_mended.clear()
    lossy.lose(verb, 2)
    system = start()
    system.ask(StartWorker(Counted))
    ids = []
    for number in range(JOBS):
        ids.append(system.ask(Enqueue(Counted, {"number": number})))
        if number % 20 == 10:
            lossy.lose(verb, 2)
    eventually(lambda: system.ask(ListJobs("dead")))
    system.ask(PauseQueue("Counted"))
    system.ask(ResumeQueue("Counted"))
    Counted.is_mended.set()
    assert system.ask(GetJob(ids[0])).failures == 2
    lossy.lose(verb, 2)
    assert system.ask(RetryDead(ids[0]))
    system.drain(timeout=20)
    eventually(lambda: lossy.lost.get(verb))
    assert sorted(Counted.runs) == [0, 0, 0, *range(1, JOBS)]
    assert restarts(system.ask(GetTree())) == 0


def test_what_may_be_stored_stays_so_when_the_next_try_is_not_even_sent(
    lossy: LossyPersistence, start: Callable[[], SystemRef]
) -> None:
    """A push whose answer got lost is sent again under its own number, also after tries that reached nobody.

    Under a new one it would store the job a second time, which by then has run.
    """
    Counted.runs.clear()
    Counted.is_mended.set()
    system = start()
    system.ask(StartWorker(Counted))
    system.ask(Enqueue(Counted, {"number": 1}))
    system.drain()
    lossy.lose("push", 1)
    lossy.refuse("push", 3)
    system.tell(Enqueue(Counted, {"number": 2}))
    eventually(lambda: Counted.runs == [1, 2])
    system.ask(Enqueue(Counted, {"number": 3}))
    system.drain()
    assert Counted.runs == [1, 2, 3]


class Visit:
    """Visits the room of the test."""

    room: ClassVar[Room]

    def perform(self, *, who: int) -> None:
        type(self).room.visit(who)


def test_a_wake_up_during_an_unanswered_exchange_is_not_lost(
    lossy: LossyPersistence, start: Callable[[], SystemRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that is pushed meanwhile starts when the exchange is answered; no sweep is needed for it."""
    monkeypatch.setattr(listener, "SWEEP_EVERY_S", 600.0)
    with Room() as room:
        Visit.room = room
        system = start()
        system.ask(StartWorker(Visit))
        system.ask(Enqueue(Visit, {"who": 1}))
        room.await_entered(1)
        # The exchange that settles the first job finds the line empty, and says so; nobody hears the answer.
        lossy.lose("exchange", 4)
        room.let_out(1)
        eventually(lambda: lossy.lost.get("exchange"))
        system.ask(Enqueue(Visit, {"who": 2}))
        room.await_entered(2)


def test_a_sweep_during_an_unanswered_exchange_is_not_in_vain(
    lossy: LossyPersistence, start: Callable[[], SystemRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it finds came after the exchange, whose late answer knows nothing of it."""
    monkeypatch.setattr(listener, "SWEEP_EVERY_S", 600.0)
    swept: list[object] = []
    on_swept = fetcher.Fetcher._on_swept  # noqa: SLF001

    def noted(self: fetcher.Fetcher, message: Swept) -> None:
        on_swept(self, message)
        swept.append(message)

    monkeypatch.setattr(fetcher.Fetcher, "_on_swept", noted)
    with Room() as room:
        Visit.room = room
        system = start()
        system.ask(StartWorker(Visit))
        system.ask(Enqueue(Visit, {"who": 1}))
        room.await_entered(1)
        lossy.lose("exchange", 1_000)
        room.let_out(1)
        eventually(lambda: lossy.lost.get("exchange"))
        lossy.is_deaf = True
        system.ask(Enqueue(Visit, {"who": 2}))
        swept.clear()
        system.send_to("listener", Envelope(SweepDue()))
        eventually(lambda: swept)
        lossy.lose("exchange", 0)
        room.await_entered(2)


def test_a_stop_waits_for_what_an_unanswered_exchange_fetched(
    lossy: LossyPersistence, start: Callable[[], SystemRef]
) -> None:
    """A job that was fetched by a call whose answer is not here yet goes back uncounted."""
    with Room() as room:
        Visit.room = room
        system = start()
        system.ask(StartWorker(Visit))
        eventually(lambda: system.ask(GetTree()) and not lossy.lost)
        observer = lossy.session(timeout=5)
        lossy.lose("exchange", 3)
        job_id = system.ask(Enqueue(Visit, {"who": 1}))
        eventually(lambda: lossy.lost.get("exchange"))
        assert system.stop()
        stored = observer.get_jobs(job_id, ["Visit"])
        assert [(job.state, job.recoveries, job.trail) for job in stored] == [("ready", 0, None)]
        assert room.entered == []


def test_a_lost_first_wake_up_is_made_up_for(url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a Fetcher that has made its first exchange and has had no turn since is swept."""
    monkeypatch.setattr(listener, "SWEEP_EVERY_S", 0.1)
    staged = StagedPersistence(open_persistence(url, namespace=namespace))
    monkeypatch.setattr(staged, "subscribe", lambda token, *, timeout: Deaf())
    system = start_system(SystemConfig(url, namespace=namespace), staged, ThreadRuntime())
    try:
        Counted.runs.clear()
        system.ask(StartWorker(Counted))
        eventually(lambda: staged.calls("exchange"))
        system.ask(Enqueue(Counted, {"number": 1}))
        eventually(lambda: Counted.runs == [1])
    finally:
        system.stop()


class Deaf:
    """A subscription that hears nothing."""

    def __init__(self) -> None:
        self._closed = threading.Event()

    def next(self, timeout: float) -> None:
        self._closed.wait(timeout)

    def close(self) -> None:
        self._closed.set()
