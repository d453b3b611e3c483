"""Crashes, hangs and late calls at the worst moments: nothing is lost, and nothing is run twice."""

from __future__ import annotations

import contextlib
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from exqueue import (
    ActorInfo,
    DeleteAllDead,
    Enqueue,
    EnqueueMany,
    GetJob,
    GetTree,
    ListJobs,
    StartWorker,
    current_job,
    execution,
)
from exqueue.actors import listener, pace, root
from exqueue.actors.runs import Runs
from exqueue.actors.tables import RunTables
from exqueue.config import SystemConfig
from exqueue.errors import Fenced, StaleCall
from exqueue.options import JobOptions
from exqueue.persistence.urls import open_persistence
from exqueue.supervision import Supervisor, ThreadRuntime
from exqueue.system import start_system
from exqueue.testing import crash
from tests.system.helpers import PATIENCE_S, Room, eventually
from tests.system.staged import Hang, StagedPersistence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exqueue import SystemRef
    from exqueue.persistence.values import State

FETCHER = "queues/Visit/fetcher"
STATES: tuple[State, ...] = ("waiting", "ready", "running", "dead")


class Visit:
    """Visits the room of the test; notes the number of each of its runs."""

    room: ClassVar[Room]
    attempts: ClassVar[list[int]] = []
    concurrency = 3

    def perform(self, *, who: int) -> None:
        job = current_job()
        assert job is not None
        type(self).attempts.append(job.attempt)
        type(self).room.visit(who)


@pytest.fixture(autouse=True)
def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done must be done at once: no audit and no sweep comes to make it good later."""
    monkeypatch.setattr(pace, "AUDIT_EVERY_S", 600.0)
    monkeypatch.setattr(listener, "SWEEP_EVERY_S", 600.0)


@pytest.fixture
def room() -> Iterator[Room]:
    """Where the jobs are held; opens at the end."""
    Visit.attempts.clear()
    with Room() as room:
        Visit.room = room
        yield room


@pytest.fixture
def stage(url: str, namespace: str) -> StagedPersistence:
    """The store, in front of which single calls can be staged."""
    return StagedPersistence(open_persistence(url, namespace=namespace))


@pytest.fixture
def system(stage: StagedPersistence, room: Room, namespace: str) -> Iterator[SystemRef]:
    """A started system on it, which works the queue of `Visit`; stopped when the room has opened."""
    config = SystemConfig(stage.address, namespace=namespace, shutdown_timeout=5)
    started = start_system(config, stage, ThreadRuntime())
    started.ask(StartWorker(Visit))
    yield started
    room.open()
    assert started.stop()


def visits(numbers: range) -> EnqueueMany:
    """Jobs that visit the room."""
    return EnqueueMany(Enqueue(Visit, {"who": who}) for who in numbers)


def flat(info: ActorInfo) -> dict[str, ActorInfo]:
    """All actors of the tree by their path."""
    found = {info.name: info}
    for child in info.children:
        found.update(flat(child))
    return found


def restarts(system: SystemRef, path: str) -> int:
    """How often the actor of this path was started again, once it lives."""
    actor = flat(system.ask(GetTree())).get(path)
    return actor.restarts if actor is not None and actor.alive else 0


def await_restarts(system: SystemRef, path: str, count: int) -> None:
    """Wait until the actor of this path lives and was started again so often."""
    eventually(lambda: restarts(system, path) == count)


def contents(system: SystemRef) -> dict[str, list[tuple[Any, ...]]]:
    """What the store holds, state by state."""
    return {state: [(job.id, job.failures, job.recoveries) for job in system.ask(ListJobs(state))] for state in STATES}


def assert_all_ran_once(system: SystemRef, room: Room, count: int) -> None:
    """Each of the jobs was begun once, as its first attempt, and is settled as done."""
    room.open()
    system.drain(timeout=20)
    assert sorted(room.entered, key=str) == sorted(range(count), key=str)
    assert Visit.attempts == [1] * count
    assert contents(system) == {state: [] for state in STATES}


# -- supervisors
def test_a_queue_supervisor_crashes_while_its_workers_run_long_jobs(system: SystemRef, room: Room) -> None:
    """The abandoned threads end their jobs, which are settled once; new Workers take no slot too early."""
    system.ask(visits(range(8)))
    room.await_entered(3)
    crash(system, "queues/Visit")
    await_restarts(system, "queues/Visit", 1)
    eventually(lambda: flat(system.ask(GetTree()))["queues/Visit/worker-3"].alive)
    assert sorted(room.inside, key=str) == [0, 1, 2]
    room.let_out(0)
    room.await_entered(4)
    assert_all_ran_once(system, room, 8)
    assert max(room.crowds) == 3


def test_a_queue_supervisor_crashes_again_and_again(system: SystemRef, room: Room) -> None:
    """The outcome of a thread of two generations before still counts."""
    system.ask(visits(range(6)))
    room.await_entered(3)
    for generation in range(1, 3):
        crash(system, "queues/Visit")
        await_restarts(system, "queues/Visit", generation)
    assert_all_ran_once(system, room, 6)
    assert max(room.crowds) == 3


@pytest.mark.parametrize("number", [1, 3])
def test_any_worker_may_crash_between_two_jobs(system: SystemRef, room: Room, number: int) -> None:
    """The first and the last of a queue too; the other Workers stay who they are."""
    path = f"queues/Visit/worker-{number}"
    others = {f"queues/Visit/worker-{n}" for n in (1, 2, 3)} - {path}
    urns = {name: system.urn_of(name) for name in others}
    system.ask(visits(range(12)))
    room.await_entered(3)
    crash(system, path)
    room.let_out(*range(6))
    await_restarts(system, path, 1)
    assert_all_ran_once(system, room, 12)
    assert {name: system.urn_of(name) for name in others} == urns
    assert max(room.crowds) == 3


# -- the Fetcher
def test_a_fetcher_crashes_before_it_knows_what_it_fetched(
    system: SystemRef, stage: StagedPersistence, room: Room
) -> None:
    """What the persistence had handed out is in nobody's hands: it goes back uncounted, and is run once."""
    fetched: list[int] = []

    def answer_and_crash(carry_out: Callable[[], Any]) -> Any:
        answer = carry_out()
        if not answer.jobs:  # The first look of a Fetcher that has just started, before the jobs were stored.
            stage.stage("exchange", answer_and_crash)
            return answer
        fetched.append(len(answer.jobs))
        raise RuntimeError("between the answer and the first word to a Worker")

    stage.stage("exchange", answer_and_crash)
    system.ask(visits(range(5)))
    room.await_entered(3)
    assert fetched[0] > 0
    await_restarts(system, FETCHER, 1)
    assert_all_ran_once(system, room, 5)


def test_a_fetcher_crashes_between_the_board_and_its_word_to_the_worker(
    system: SystemRef, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was written on the board, and of which no Worker heard, is taken back."""
    assign, crashed = Runs.assign, threading.Event()

    def assign_and_crash(runs: Runs, run: Any) -> Any:
        worker = assign(runs, run)
        if not crashed.is_set():
            crashed.set()
            raise RuntimeError("between the board and the first word to a Worker")
        return worker

    monkeypatch.setattr(Runs, "assign", assign_and_crash)
    system.ask(visits(range(5)))
    room.await_entered(3)
    assert crashed.is_set()
    await_restarts(system, FETCHER, 1)
    assert_all_ran_once(system, room, 5)


def test_a_fetcher_loses_its_inbox_with_an_outcome_in_it(
    system: SystemRef, stage: StagedPersistence, room: Room
) -> None:
    """The word that a run ended is lost; the outcome stands on the board, and its successor finds it there."""
    tables = RunTables(system._context.board, "Visit")  # noqa: SLF001 - nothing public shows when a word is under way
    fetcher: Any = system._context.names.whereis(FETCHER)  # noqa: SLF001

    def crash_with_mail(carry_out: Callable[[], Any]) -> Any:
        answer = carry_out()
        room.let_out(0)
        eventually(lambda: tables.ended and fetcher.actor_inbox.qsize())
        assert answer
        raise RuntimeError("with an outcome in the inbox")

    system.ask(visits(range(1)))
    room.await_entered(1)
    stage.stage("exchange", crash_with_mail)
    system.ask(visits(range(1, 4)))
    room.await_entered(4)
    await_restarts(system, FETCHER, 1)
    eventually(lambda: not tables.ended)
    assert [len(rows) for rows in contents(system).values()] == [0, 0, 3, 0]
    assert_all_ran_once(system, room, 4)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who hangs for two seconds is replaced: long enough for what is only slow on a busy machine."""
    monkeypatch.setattr(Supervisor, "hang_s", 2.0)
    monkeypatch.setattr(root, "LOOK_EVERY_S", 0.1)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("is_carried_out", [True, False], ids=["answer comes late", "call comes late"])
@pytest.mark.parametrize("verb", ["exchange", "claim"])
def test_a_fetcher_that_hangs_is_replaced_and_its_call_comes_back_later(
    stage: StagedPersistence, room: Room, namespace: str, verb: str, *, is_carried_out: bool
) -> None:
    """Its successor goes on with what it left; the late call changes nothing, and it does not claim again."""
    hang = Hang(is_carried_out=is_carried_out)
    config = SystemConfig(stage.address, namespace=namespace, shutdown_timeout=5)
    with start_system(config, stage, ThreadRuntime()) as system:
        if verb == "claim":
            stage.stage("claim", hang)
        system.ask(StartWorker(Visit))
        if verb == "exchange":
            # Its first look is over: the next exchange is the one for these jobs.
            owned = system._context.board.table("owned")  # noqa: SLF001 - what the last answer said
            eventually(lambda: "Visit" in owned and owned["Visit"].call > 0)
            stage.stage("exchange", hang)
        system.ask(visits(range(6)))
        assert hang.hangs.wait(PATIENCE_S)
        room.await_entered(3)
        await_restarts(system, FETCHER, 1)
        before, claims = contents(system), stage.calls("claim")

        hang.come_back()

        tables = RunTables(system._context.board, "Visit")  # noqa: SLF001 - what its successor goes by
        assert (len(tables.running), tables.handed, tables.superseded) == (3, {}, {})
        assert isinstance(hang.refused, StaleCall | Fenced) is not is_carried_out
        assert contents(system) == before
        assert_all_ran_once(system, room, 6)
        assert stage.calls("claim") == claims
        await_restarts(system, FETCHER, 1)
        room.open()


def test_a_late_copy_of_an_exchange_is_refused_and_changes_nothing(
    system: SystemRef, stage: StagedPersistence, room: Room
) -> None:
    """A copy on a slow way, of a call that fetched or one that settled, delivered after another claim."""
    system.ask(visits(range(8)))
    room.await_entered(3)
    room.let_out(0)
    room.await_entered(4)
    copies = stage.calls("exchange")
    assert any(call.args[4] for call in copies)
    crash(system, FETCHER)
    eventually(lambda: restarts(system, FETCHER) == 1 and len(stage.calls("claim")) >= 2)
    eventually(lambda: len(contents(system)["running"]) == 3)
    before = contents(system)
    slow_way = stage.session(timeout=5)
    for copy in copies:
        with pytest.raises((StaleCall, Fenced)):
            slow_way.exchange(*copy.args, **copy.kwargs)
        assert contents(system) == before
    slow_way.close()
    assert sorted(room.inside, key=str) == [1, 2, 3]
    assert_all_ran_once(system, room, 8)


# -- the stop, and the end of all
@pytest.mark.parametrize(
    "path",
    [
        *("reporter", "producer", "operator", "listener", "leader", "queues"),
        *("queues/Visit", FETCHER, "queues/Visit/worker-1"),
    ],
)
def test_any_actor_may_crash_while_the_system_stops(
    system: SystemRef, room: Room, url: str, namespace: str, path: str
) -> None:
    """What runs gets to its end and is settled, what does not stays in line, and the stop ends."""
    with contextlib.closing(open_persistence(url, namespace=namespace)) as store:
        observer = store.session(timeout=5)
        system.ask(visits(range(5)))
        room.await_entered(3)
        system.stop(block=False)
        eventually(lambda: system._context.board.table("stop"))  # noqa: SLF001 - the sign that the stop has begun
        crash(system, path)
        eventually(lambda: restarts_on_board(system).get(path) or path == "queues/Visit/worker-1")
        room.open()
        assert system.stop()
        assert sorted(room.entered, key=str) == [0, 1, 2]
        counts = observer.overview(["Visit"]).queues[0]
        assert (counts.ready, counts.running, counts.waiting, counts.dead) == (2, 0, 0, 0)
        jobs = observer.list_jobs("Visit", "ready", 10, 0)
        assert [(job.recoveries, job.trail) for job in jobs] == [(0, None)] * 2
        observer.close()


def restarts_on_board(system: SystemRef) -> dict[str, int]:
    """Who was started again, also when the Operator is not there to ask."""
    found: dict[str, int] = system._context.board.table("restarts").copy()  # noqa: SLF001 - see above
    return found


@pytest.mark.parametrize("is_stopping", [False, True], ids=["at work", "while it stops"])
def test_the_root_may_crash(
    system: SystemRef, room: Room, url: str, namespace: str, caplog: pytest.LogCaptureFixture, *, is_stopping: bool
) -> None:
    """It has no supervisor: the system ends, says so, and gives the lock up; what was not begun is run elsewhere."""
    elsewhere = open_persistence(url, namespace=namespace)
    observer = elsewhere.session(timeout=5)
    system.ask(visits(range(20)))
    room.await_entered(3)
    tree: ActorInfo = system.ask(GetTree())
    if is_stopping:
        system.stop(block=False)
        eventually(lambda: system._context.board.table("stop"))  # noqa: SLF001 - as above
    crash(system, tree.name)
    eventually(lambda: not system.is_alive())
    assert [record.levelname for record in caplog.records].count("CRITICAL") == 1
    assert observer.overview(["Visit"]).holder is None
    observer.close()
    room.open()
    with start_system(SystemConfig(url, namespace=namespace), elsewhere, ThreadRuntime()) as other:
        other.ask(StartWorker(Visit))
        other.drain(timeout=PATIENCE_S)
        assert contents(other) == {state: [] for state in STATES}
    runs = {who: room.entered.count(who) for who in range(20)}
    assert {who for who, count in runs.items() if count != 1} <= {0, 1, 2}
    assert min(runs.values()) == 1
    assert max(runs.values()) <= 2


# -- what nobody can run
def test_fault_034_a_job_of_an_unknown_class_is_retried_and_dies_and_blocks_nobody(
    system: SystemRef, room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its errors name the class and what is started; its queue, its worker and its siblings go on."""
    monkeypatch.setattr(execution, "JobOptions", partial(JobOptions, max_retries=2, backoff=0.05))
    lost = [system.ask(Enqueue("Renamed", {"who": who}, queue="Visit")) for who in range(5)]
    system.ask(visits(range(2)))
    eventually(lambda: len(system.ask(ListJobs("dead"))) == len(lost))
    assert sorted(room.inside, key=str) == [0, 1]
    for job_id in lost:
        info = system.ask(GetJob(job_id))
        assert (info.state, info.failures, info.recoveries) == ("dead", 3, 0)
        assert all("no job class named 'Renamed' is started" in error.message for error in info.errors)
        assert "(started are: Visit)" in info.errors[-1].message

    def deaths() -> list[str]:
        return [each for each in caplog.messages if "is dead after 3 failed attempts" in each]

    # A death is stored before its line is written.
    eventually(lambda: len(deaths()) == len(lost))
    assert all("Renamed" in death for death in deaths())
    assert system.ask(DeleteAllDead()) == len(lost)
    system.ask(visits(range(2, 4)))
    assert restarts(system, FETCHER) == 0
    assert_all_ran_once(system, room, 4)
