"""What `GetStatus` and `GetTree` show, field by field."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from exqueue import (
    ActorInfo,
    Enqueue,
    ExqueueSystem,
    GetStatus,
    GetTree,
    ListJobs,
    PauseQueue,
    QueueStatus,
    RunningJob,
    StartWorker,
    SystemStatus,
)
from exqueue.actors import listener
from exqueue.testing import crash
from tests.system.helpers import PATIENCE_S, Room, eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef


@pytest.fixture
def system(url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemRef]:
    """A node of a known name, whose signs of life come soon."""
    monkeypatch.setattr(listener, "SWEEP_EVERY_S", 0.2)
    with ExqueueSystem.start(url, namespace=namespace, node="worker", shutdown_timeout=5) as started:
        yield started


@pytest.fixture
def room() -> Iterator[Room]:
    """Where jobs are held."""
    with Room() as opened:
        yield opened


def a_job_for(room: Room) -> type:
    """Stays in the room; fails before, for as often as it is told, by its id."""
    failed: list[int] = []

    class Visit:
        queue = "visits"
        max_retries = 1
        backoff = 0

        def perform(self, *, who: int, fails: int = 0) -> None:
            if failed.count(who) < fails:
                failed.append(who)
                raise ValueError(who)
            room.visit(who)

    return Visit


def test_the_status_of_a_node_without_anything(system: SystemRef, url: str) -> None:
    """Nothing to lead, nothing stored, and itself among the nodes."""
    eventually(lambda: system.ask(GetStatus()).nodes)
    assert system.ask(GetStatus()) == SystemStatus(
        node="worker",
        is_leader=False,
        leader=None,
        epoch=0,
        queues=(),
        running=(),
        nodes=("worker",),
        outage_since=None,
        outage_reason=None,
        failed=(),
        address=url,
    )


@pytest.fixture
def running(system: SystemRef, room: Room) -> str:
    """A job at its second attempt, in a queue that is paused since, with one ready behind it and one due later."""
    job = a_job_for(room)
    system.ask(StartWorker(job, concurrency=1))
    running = system.ask(Enqueue(job, {"who": 1, "fails": 1}))
    room.await_entered(1)
    system.ask(PauseQueue("visits"))
    system.ask(Enqueue(job, {"who": 2}))
    system.ask(Enqueue(job, {"who": 3}, delay=1_000))
    # Who runs what is told with the leader's next sign of life.
    eventually(lambda: [one.worker for one in system.ask(GetStatus()).running] == ["queues/visits/worker-1"])
    return str(running)


def test_the_status_of_a_queue_that_is_worked(system: SystemRef, running: str) -> None:
    """Every number of it."""
    status = system.ask(GetStatus())
    (queue,) = status.queues
    assert (status.is_leader, status.leader, status.epoch) == (True, "worker", 1)
    assert queue == QueueStatus(
        name="visits",
        ready=1,
        waiting=1,
        running=1,
        dead=0,
        paused=True,
        concurrency=1,
        serial=False,
        halted_by=None,
        abandoned=0,
        suspects=0,
        worked_by="worker",
        oldest_ready_s=queue.oldest_ready_s,
        processed=0,
        failed=1,
    )
    assert queue.oldest_ready_s is not None
    assert 0 <= queue.oldest_ready_s < PATIENCE_S


def test_the_status_of_a_job_that_runs(system: SystemRef, running: str) -> None:
    """Where, since when and for how long."""
    (run,) = system.ask(GetStatus()).running
    assert run == RunningJob(
        id=running,
        job="Visit",
        queue="visits",
        worker="queues/visits/worker-1",
        node="worker",
        attempt=2,
        started_at=run.started_at,
        running_s=run.running_s,
        abandoned=False,
    )
    assert run.started_at == pytest.approx(time.time(), abs=PATIENCE_S)
    assert run.started_at == system.ask(ListJobs("running"))[0].started_at
    later = system.ask(GetStatus()).running[0]
    assert later.running_s >= run.running_s >= 0


def test_the_status_of_a_queue_that_nobody_works(system: SystemRef) -> None:
    """How it is run is for whoever works it to say."""
    system.ask(Enqueue("Elsewhere"))
    status = queue_status(system, "Elsewhere")
    assert (status.concurrency, status.serial, status.worked_by, status.abandoned) == (None, None, None, 0)
    assert (status.ready, status.processed, status.failed) == (1, 0, 0)


def test_dead_jobs_are_counted_until_somebody_acts(system: SystemRef, room: Room) -> None:
    """And what failed since the queue exists, for good."""
    room.open()
    job = a_job_for(room)
    system.ask(StartWorker(job))
    system.ask(Enqueue(job, {"who": 1, "fails": 9}))
    system.ask(Enqueue(job, {"who": 2}))
    eventually(lambda: (queue_status(system, "visits").dead, queue_status(system, "visits").processed) == (1, 1))
    assert queue_status(system, "visits").failed == 2


def leaves(tree: ActorInfo) -> dict[str, ActorInfo]:
    """Every actor by its name."""
    return {tree.name: tree, **{name: one for child in tree.children for name, one in leaves(child).items()}}


def test_the_tree_is_that_of_the_design(system: SystemRef, room: Room) -> None:
    """Names are paths, roles are the names of the classes, children stand in the order in which they were started."""
    job = a_job_for(room)
    system.ask(StartWorker(job, concurrency=2))
    tree: ActorInfo = system.ask(GetTree())
    assert (tree.name, tree.role, tree.alive, tree.restarts) == ("system", "ExqueueSystem", True, 0)
    assert [(one.name, one.role) for one in tree.children] == [
        ("reporter", "Reporter"),
        ("producer", "Producer"),
        ("operator", "Operator"),
        ("listener", "Listener"),
        ("leader", "Leader"),
        ("queues", "Queues"),
    ]
    (queue,) = tree.children[-1].children
    assert (queue.name, queue.role) == ("queues/visits", "QueueSupervisor")
    assert [(one.name, one.role, one.children) for one in queue.children] == [
        ("queues/visits/fetcher", "Fetcher", ()),
        ("queues/visits/worker-1", "Worker", ()),
        ("queues/visits/worker-2", "Worker", ()),
    ]
    assert all(one.alive and one.restarts == 0 for one in leaves(tree).values())


def test_the_tree_shows_restarts_work_and_what_waits(system: SystemRef, room: Room) -> None:
    """Of the very actors that they are about."""
    job = a_job_for(room)
    system.ask(StartWorker(job))
    job_id = system.ask(Enqueue(job, {"who": 1}))
    room.await_entered(1)
    crash(system, "reporter")
    eventually(lambda: leaves(system.ask(GetTree()))["reporter"].restarts == 1)
    actors = leaves(system.ask(GetTree()))
    assert actors["queues/visits/worker-1"].doing == f"job {job_id}"
    assert {name for name, one in actors.items() if one.restarts} == {"reporter"}
    # What is told to a worker waits while that runs a job.
    crash(system, "queues/visits/worker-1")
    eventually(lambda: leaves(system.ask(GetTree()))["queues/visits/worker-1"].mailbox == 1)
