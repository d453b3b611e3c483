"""Each death is said once, whatever crashes, hangs or gets lost between its burial, its line and its mark."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import pykka
import pytest

from exqueue import ActorInfo, Enqueue, EnqueueMany, ExqueueSystem, GetTree, JobDied, StartWorker, Subscribe
from exqueue.codec import default_codec
from exqueue.config import SystemConfig
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import Bury, Fence, NewJob, Push
from exqueue.record import JobError, Trail, encode_record, encode_trail
from exqueue.supervision import Supervisor, ThreadRuntime
from exqueue.system import start_system
from tests.system.helpers import PATIENCE_S, eventually, queue_status, remains
from tests.system.lossy import LossyPersistence
from tests.system.staged import StagedPersistence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef
    from exqueue.persistence.base import Persistence, Session

MANY = 2_000
MOST_CALLS = 200
"""To mark `MANY` deaths: they come in bursts, and no faster than ten calls a second."""


class Dies:
    """Fails for good at its first run."""

    max_retries = 0
    concurrency = 10

    def perform(self) -> None:
        raise ValueError("can't be done")


@pytest.fixture
def store(url: str, namespace: str) -> Iterator[Session]:
    """A look into the store."""
    persistence = open_persistence(url, namespace=namespace)
    yield persistence.session(timeout=10.0)
    persistence.close()


class Subscriber(pykka.ThreadingActor):
    """Notes the events that it is told."""

    def __init__(self) -> None:
        super().__init__()
        self._events: list[Any] = []

    def on_receive(self, message: Any) -> Any:
        if message == "events":
            return tuple(self._events)
        if message == "count":
            return len(self._events)
        self._events.append(message)
        return None


class Held(logging.Handler):
    """A handler that hangs at the lines about deaths until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs = threading.Event()
        self.let_go = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if "is dead" in record.getMessage():
            self.hangs.set()
            assert self.let_go.wait(3 * PATIENCE_S)


@pytest.fixture
def held(system: SystemRef) -> Iterator[Held]:
    """The handler, let go at the end."""
    logger = logging.getLogger("exqueue")
    handler = Held()
    logger.addHandler(handler)
    yield handler
    handler.let_go.set()
    logger.removeHandler(handler)


def started(persistence: Persistence) -> SystemRef:
    """A system on this persistence."""
    return start_system(SystemConfig("memory://", shutdown_timeout=5), persistence, ThreadRuntime())


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The ids of the deaths in the log, in its order."""
    return [record.getMessage().split()[1] for record in caplog.records if record.levelno == logging.ERROR]


def restarts(info: ActorInfo) -> dict[str, int]:
    """Which actors were started again, and how often."""
    found = {info.name: info.restarts} if info.restarts else {}
    for child in info.children:
        found.update(restarts(child))
    return found


def test_many_deaths_are_marked_together(
    url: str, namespace: str, store: Session, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is said once, and no death costs a call of its own."""
    staged = StagedPersistence(open_persistence(url, namespace=namespace))
    with started(staged) as system:
        system.ask(StartWorker(Dies))
        ids = system.ask(EnqueueMany(Enqueue(Dies) for _ in range(MANY)))
        eventually(lambda: len(said(caplog)) >= MANY, 3 * PATIENCE_S)
        eventually(lambda: not store.unreported("Dies", 10))
        assert sorted(said(caplog)) == sorted(ids)
        assert len(staged.calls("reported")) <= MOST_CALLS


def test_a_stop_marks_what_it_said(url: str, namespace: str, store: Session, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is left for the next leader."""
    with ExqueueSystem.start(url, namespace=namespace) as system:
        system.ask(StartWorker(Dies))
        ids = system.ask(EnqueueMany(Enqueue(Dies) for _ in range(100)))
        system.drain()
    assert sorted(said(caplog)) == sorted(ids)
    assert store.unreported("Dies", 10) == ()


@pytest.mark.parametrize("verb", ["reported", "unreported"])
def test_answers_get_lost(
    url: str, namespace: str, store: Session, caplog: pytest.LogCaptureFixture, verb: str
) -> None:
    """It is asked again until it is answered; nothing is said twice, no actor crashes."""
    lossy = LossyPersistence(open_persistence(url, namespace=namespace))
    lossy.lose(verb, 2)
    with started(lossy) as system:
        system.ask(StartWorker(Dies))
        first = system.ask(Enqueue(Dies))
        eventually(lambda: lossy.lost.get(verb) == 2)
        second = system.ask(Enqueue(Dies))
        eventually(lambda: len(said(caplog)) >= 2 and not store.unreported("Dies", 10))
        assert said(caplog) == [first, second]
        assert restarts(system.ask(GetTree())) == {}


def test_a_fetcher_crashes_between_the_burial_and_telling_of_it(
    url: str, namespace: str, store: Session, caplog: pytest.LogCaptureFixture
) -> None:
    """Its successor's claim lets the mark be found, under the same fence too."""

    def crash_after(carry_out: Any) -> Any:
        answer = carry_out()
        if not store.unreported("Dies", 10):
            staged.stage("exchange", crash_after)
            return answer
        raise RuntimeError("on purpose")

    staged = StagedPersistence(open_persistence(url, namespace=namespace))
    staged.stage("exchange", crash_after)
    with started(staged) as system:
        system.ask(StartWorker(Dies))
        job_id = system.ask(Enqueue(Dies))
        eventually(lambda: job_id in said(caplog) and not store.unreported("Dies", 10))
        assert restarts(system.ask(GetTree())) == {"queues/Dies/fetcher": 1}
        assert said(caplog) == [job_id]


def test_a_line_that_hangs_is_waited_for(
    system: SystemRef, store: Session, held: Held, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However long: a second Reporter would hang at the same handler, and say the same death again."""
    system.ask(StartWorker(Dies))
    monkeypatch.setattr(Supervisor, "hang_s", 1.5)
    first = system.ask(Enqueue(Dies))
    assert held.hangs.wait(PATIENCE_S)
    second = system.ask(Enqueue(Dies))
    eventually(lambda: queue_status(system, "Dies").dead == 2)
    remains(lambda: not restarts(system.ask(GetTree())), 4.0)
    held.let_go.set()
    eventually(lambda: len(said(caplog)) >= 2 and not store.unreported("Dies", 10))
    assert said(caplog) == [first, second]
    # A supervisor that wanted to say it would have hung at the same handler until now.
    assert [record.getMessage() for record in caplog.records if "it hangs in" in record.getMessage()] == []


def leave_a_death(store: Session, job_id: str, trail: bytes | None, record: bytes) -> None:
    """Bury a job as a node does that is killed before it says so."""
    fence = Fence(1, "a node that is gone")
    store.push("client", [Push("Dies", 1, (NewJob(job_id, record),))])
    store.claim("Dies", fence, 1)
    (job,) = store.exchange("Dies", fence, 1, 1, [], 1, serial=False).jobs
    store.exchange("Dies", fence, 1, 2, [Bury(job.id, job.run, trail)], 0, serial=False)


ERROR = JobError("KeyError", "'x'", "Traceback (most recent call last):\nKeyError: 'x'\n", 1.0, "gone")
TRAIL = encode_trail(Trail().after_failure(ERROR).after_failure(ERROR).buried_with("it failed twice."))
SOUND = encode_record("Dies", {}, 0.0, default_codec())


class Left(NamedTuple):
    """What is stored of a dead job, and what can be told of it."""

    record: bytes
    trail: bytes | None
    job: str
    attempts: int
    reason: str
    error: JobError | None


UNKNOWN = "why is not known: its trail can't be read"


@pytest.mark.parametrize(
    "left",
    [
        pytest.param(Left(SOUND, TRAIL, "Dies", 2, "it failed twice.", ERROR), id="sound"),
        pytest.param(Left(b"", TRAIL, "", 2, "it failed twice.", ERROR), id="no record"),
        pytest.param(Left(b"\x63newer", b"\x63newer", "", 0, UNKNOWN, None), id="newer"),
        pytest.param(Left(SOUND, None, "Dies", 0, UNKNOWN, None), id="no trail"),
    ],
)
def test_a_death_that_is_found_is_told_like_any(
    url: str, namespace: str, store: Session, caplog: pytest.LogCaptureFixture, left: Left
) -> None:
    """One line and one event, with what the store holds and the time of death, whatever can't be read of it."""
    leave_a_death(store, "left", left.trail, left.record)
    (stored,) = store.list_jobs("Dies", "dead", 1, 0)
    subscriber = Subscriber.start()
    try:
        with ExqueueSystem.start(url, namespace=namespace, node="next") as system:
            system.ask(Subscribe(subscriber, JobDied))
            system.ask(StartWorker(Dies))
            eventually(lambda: not store.unreported("Dies", 10))
            other = system.ask(Enqueue(Dies))
            eventually(lambda: len(said(caplog)) >= 2)
            eventually(lambda: subscriber.ask("count") == 2)
        found, _ = subscriber.ask("events")
    finally:
        subscriber.stop()
    assert said(caplog) == ["left", other]
    assert found == JobDied(
        id="left",
        job=left.job,
        queue="Dies",
        node="next" if left.error is None else "gone",
        attempts=left.attempts,
        recoveries=0,
        reason=left.reason,
        error=left.error,
        at=stored.died_at or 0.0,
        found_after_crash=True,
    )
