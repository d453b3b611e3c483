"""Two nodes of one namespace: one works the queues, the other only enqueues; both show and order the same."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import pytest

from exqueue import (
    DeleteAllDead,
    DeleteDead,
    Enqueue,
    EnqueueMany,
    ExqueueSystem,
    GetJob,
    GetStatus,
    JobInfo,
    JobNotFound,
    ListJobs,
    PauseQueue,
    QueueStatus,
    ResumeQueue,
    RetryAllDead,
    RetryDead,
    StartWorker,
    StopWorker,
    SystemStatus,
)
from exqueue.actors import listener
from exqueue.actors.tables import known_epoch
from tests.system.helpers import Room, eventually, lose, queue_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef
    from exqueue.persistence.values import State

STATES: tuple[State, ...] = ("ready", "waiting", "running", "dead")


class Held:
    """Stays in the room of the test."""

    room: ClassVar[Room]

    def perform(self, *, who: int) -> None:
        type(self).room.visit(who)


class Fragile:
    """Fails and is dead at once, until it is mended."""

    max_retries = 0
    is_mended: ClassVar[bool] = False
    runs: ClassVar[list[int]] = []

    def perform(self, *, number: int) -> None:
        type(self).runs.append(number)
        if not type(self).is_mended:
            raise ValueError(number)


class Booking(Fragile):
    """One after the other: the first that dies halts its queue."""

    serial = True


class Late:
    """Fails, and is tried again in a long time."""

    backoff = 1_000.0

    def perform(self) -> None:
        raise ValueError


class Nodes(NamedTuple):
    """The one with started queues, and the one without."""

    leader: SystemRef
    clerk: SystemRef


@pytest.fixture
def room() -> Iterator[Room]:
    """The room that jobs visit, opened at the end."""
    Fragile.is_mended = False
    Fragile.runs.clear()
    with Room() as opened:
        Held.room = opened
        yield opened


@pytest.fixture
def frequent_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a node tells of itself every few seconds it tells at once."""
    monkeypatch.setattr(listener, "SWEEP_EVERY_S", 0.2)


@pytest.fixture
def nodes(url: str, namespace: str, room: Room) -> Iterator[Nodes]:
    """The two nodes, before any queue is started. The clerk comes first and goes last."""
    with (
        ExqueueSystem.start(url, namespace=namespace, node="clerk") as clerk,
        ExqueueSystem.start(url, namespace=namespace, node="leader", shutdown_timeout=5) as leader,
    ):
        yield Nodes(leader, clerk)
        room.open()


def without_clock(status: SystemStatus) -> SystemStatus:
    """The status without what differs by who was asked and when."""
    return dataclasses.replace(
        status,
        node="",
        is_leader=False,
        queues=tuple(dataclasses.replace(queue, oldest_ready_s=None) for queue in status.queues),
        running=tuple(dataclasses.replace(run, running_s=0.0) for run in status.running),
    )


def a_bit_of_everything(nodes: Nodes, url: str, namespace: str) -> dict[str, str]:
    """Jobs in every state and queues in every condition; the ids of some of them."""
    ids = {"suspect": nodes.clerk.ask(Enqueue("Suspicious"))}
    lose(url, namespace, "Suspicious", times=2)
    ids["paused"] = nodes.clerk.ask(Enqueue("Halting", {"number": 1}))
    nodes.clerk.ask(PauseQueue("Halting"))
    for job in (Held, Fragile, Booking, Late):
        nodes.leader.ask(StartWorker(job))
    ids["running"], ids["ready"] = nodes.clerk.ask(EnqueueMany(Enqueue(Held, {"who": who}) for who in (1, 2)))
    ids["dead"] = nodes.clerk.ask(Enqueue(Fragile, {"number": 1}))
    ids["head"], _ = nodes.clerk.ask(EnqueueMany(Enqueue(Booking, {"number": number}) for number in (1, 2)))
    ids["retried"] = nodes.clerk.ask(Enqueue(Late))
    ids["delayed"] = nodes.clerk.ask(Enqueue(Late, delay=2_000))
    nodes.leader.tell(StartWorker(type("Late", (Fragile,), {})))
    eventually(lambda: nodes.clerk.ask(GetJob(ids["retried"])).state == "waiting")
    eventually(
        lambda: queue_status(nodes.clerk, "Fragile").dead == 1 and queue_status(nodes.clerk, "Booking").dead == 1
    )
    # Who runs what is told with the leader's next sign of life.
    eventually(lambda: [run.worker for run in nodes.clerk.ask(GetStatus()).running] == ["queues/Held/worker-1"])
    eventually(lambda: nodes.clerk.ask(GetStatus()).failed)
    return ids


@pytest.mark.usefixtures("frequent_signs_of_life")
def test_the_status_is_the_same_from_both(nodes: Nodes, url: str, namespace: str) -> None:
    """Every number, name and sentence; only who was asked differs, and whether that one leads."""
    ids = a_bit_of_everything(nodes, url, namespace)

    led: SystemStatus = nodes.leader.ask(GetStatus())
    told: SystemStatus = nodes.clerk.ask(GetStatus())

    assert (led.node, led.is_leader, told.node, told.is_leader) == ("leader", True, "clerk", False)
    assert without_clock(told) == without_clock(led)
    assert (told.leader, told.epoch, told.nodes) == ("leader", 4, ("clerk", "leader"))
    assert (told.outage_since, told.outage_reason) == (None, None)
    assert len(told.failed) == 1
    assert "two job classes are named Late" in told.failed[0]
    assert [(run.id, run.job, run.queue, run.worker, run.node, run.attempt) for run in told.running] == [
        (ids["running"], "Held", "Held", "queues/Held/worker-1", "leader", 1)
    ]
    assert told.running[0].running_s == pytest.approx(led.running[0].running_s, abs=5)
    for theirs, ours in zip(told.queues, led.queues, strict=True):
        assert (theirs.oldest_ready_s is None) == (ours.oldest_ready_s is None) == (ours.ready == 0)
        assert theirs.oldest_ready_s == pytest.approx(ours.oldest_ready_s, abs=5)


@pytest.mark.usefixtures("frequent_signs_of_life")
def test_the_status_tells_the_numbers_of_each_queue(nodes: Nodes, url: str, namespace: str) -> None:
    """Ready, waiting, running, dead; paused, halted, suspects; and who works it, with which options."""
    ids = a_bit_of_everything(nodes, url, namespace)
    worked = {"concurrency": 1, "serial": False, "worked_by": "leader"}
    nobodys = {"concurrency": None, "serial": None, "worked_by": None}
    nothing = {"ready": 0, "waiting": 0, "running": 0, "dead": 0, "suspects": 0, "abandoned": 0, "halted_by": None}
    nothing |= {"paused": False, "processed": 0, "failed": 0, "damage": None}
    expected = {
        "Booking": nothing | worked | {"serial": True, "ready": 1, "dead": 1, "failed": 1, "halted_by": ids["head"]},
        "Fragile": nothing | worked | {"dead": 1, "failed": 1},
        "Halting": nothing | nobodys | {"ready": 1, "paused": True},
        "Held": nothing | worked | {"running": 1, "ready": 1},
        "Late": nothing | worked | {"waiting": 2, "failed": 1},
        "Suspicious": nothing | nobodys | {"ready": 1, "suspects": 1},
    }
    for system in nodes:
        queues: tuple[QueueStatus, ...] = system.ask(GetStatus()).queues
        shown = {queue.name: dataclasses.asdict(queue) for queue in queues}
        for row in shown.values():
            del row["name"], row["oldest_ready_s"]
        assert shown == expected


def test_the_status_tells_the_last_epoch_while_nobody_leads(nodes: Nodes, room: Room) -> None:
    """It only ever grows, also in what a person is shown."""
    assert nodes.clerk.ask(GetStatus()).epoch == 0
    room.open()
    nodes.clerk.ask(Enqueue(Held, {"who": 1}))
    nodes.leader.ask(StartWorker(Held))
    room.await_left(1)
    assert nodes.clerk.ask(GetStatus()).epoch == 1
    nodes.leader.ask(StopWorker(Held))
    eventually(lambda: nodes.clerk.ask(GetStatus()).leader is None)
    assert nodes.clerk.ask(GetStatus()).epoch == 1
    nodes.leader.ask(StartWorker(Held))
    eventually(lambda: nodes.clerk.ask(GetStatus()).leader == "leader")
    assert nodes.clerk.ask(GetStatus()).epoch == 2


def test_a_stopped_system_tells_the_last_epoch_that_it_has_heard_of(nodes: Nodes, url: str, namespace: str) -> None:
    """As who led, as who stood by, and as who only asked; of a namespace that nobody ever led it is 0."""
    with ExqueueSystem.start(url, namespace=f"{namespace}-quiet") as quiet:
        pass
    with ExqueueSystem.start(url, namespace=namespace) as first:
        first.ask(StartWorker(Held))
        eventually(lambda: nodes.clerk.ask(GetStatus()).epoch == 1)
    nodes.leader.ask(StartWorker(Held))
    eventually(lambda: nodes.clerk.ask(GetStatus()).epoch == 2)
    with ExqueueSystem.start(url, namespace=namespace) as standby:
        standby.ask(StartWorker(Held))
        eventually(lambda: known_epoch(standby._context.board) == 2)  # noqa: SLF001 - that it has looked shows nowhere
    for system in nodes:
        system.stop()
    stopped = (quiet, first, standby, *nodes)
    assert [system.ask(GetStatus()).epoch for system in stopped] == [0, 1, 2, 2, 2]


def test_jobs_are_listed_and_found_the_same_from_both(nodes: Nodes, url: str, namespace: str) -> None:
    """All of a job but `max_retries`, which only a node that knows the class can tell."""
    a_bit_of_everything(nodes, url, namespace)
    seen = {}
    for state in STATES:
        listed: tuple[JobInfo, ...] = nodes.clerk.ask(ListJobs(state))
        known: tuple[JobInfo, ...] = nodes.leader.ask(ListJobs(state))
        assert [dataclasses.replace(info, max_retries=None) for info in known] == list(listed)
        for info, other in zip(listed, known, strict=True):
            assert info.state == state
            assert nodes.clerk.ask(GetJob(info.id)) == info
            assert nodes.leader.ask(GetJob(info.id)) == other
            seen[info.queue, other.max_retries] = info
    assert set(seen) == {
        *(("Booking", 0), ("Fragile", 0), ("Halting", None), ("Held", 25), ("Late", 25), ("Suspicious", None)),
    }
    assert seen["Suspicious", None].recoveries == 2


def test_a_pause_from_the_other_node_holds_over_the_leaders_restart(url: str, namespace: str, room: Room) -> None:
    """Nothing is fetched while it stands; the resume is from the other node too."""
    with ExqueueSystem.start(url, namespace=namespace, node="clerk") as clerk:
        with ExqueueSystem.start(url, namespace=namespace, node="first") as leading:
            leading.ask(StartWorker(Held))
            eventually(lambda: workers_of(clerk) == {"Held": "first"})
            assert clerk.ask(PauseQueue("Held")) is True
            clerk.ask(Enqueue(Held, {"who": 1}))
            assert not has_come_in(room)
        with ExqueueSystem.start(url, namespace=namespace, node="second") as leading:
            leading.ask(StartWorker(Held))
            eventually(lambda: workers_of(clerk) == {"Held": "second"})
            clerk.ask(Enqueue(Held, {"who": 2}))
            assert not has_come_in(room)
            status = queue_status(leading, "Held")
            assert (status.paused, status.ready, status.running) == (True, 2, 0)

            assert clerk.ask(ResumeQueue("Held")) is True
            room.open()
            leading.drain()
            assert room.left == [1, 2]
            assert not queue_status(leading, "Held").paused


def workers_of(system: SystemRef) -> dict[str, str | None]:
    """Which node works which queue; a queue is there as soon as a node has told that it is started."""
    return {queue.name: queue.worked_by for queue in system.ask(GetStatus()).queues}


def has_come_in(room: Room, count: int = 1) -> bool:
    """Whether so many jobs come in although they should not: given a while to do it."""
    try:
        eventually(lambda: len(room.entered) >= count, within=0.3)
    except AssertionError:
        return False
    return True


def test_a_pause_from_the_other_node_lets_running_jobs_end(nodes: Nodes, room: Room) -> None:
    """What runs goes on and is settled; what is behind it is not fetched."""
    nodes.leader.ask(StartWorker(Held))
    nodes.clerk.ask(EnqueueMany(Enqueue(Held, {"who": who}) for who in (1, 2)))
    room.await_entered(1)
    nodes.clerk.ask(PauseQueue("Held"))
    room.open()
    eventually(lambda: queue_status(nodes.clerk, "Held").processed == 1)
    assert not has_come_in(room, 2)
    nodes.clerk.ask(ResumeQueue("Held"))
    room.await_left(2)


def test_dead_jobs_are_retried_and_deleted_from_the_other_node(nodes: Nodes, room: Room) -> None:
    """One by one and all at once; both nodes then agree on what there is."""
    nodes.leader.ask(StartWorker(Fragile))
    first, second, *others = nodes.clerk.ask(EnqueueMany(Enqueue(Fragile, {"number": number}) for number in range(6)))
    eventually(lambda: queue_status(nodes.clerk, "Fragile").dead == 6)
    Fragile.is_mended = True
    Fragile.runs.clear()

    assert nodes.clerk.ask(RetryDead(first)) is True
    nodes.leader.drain()
    assert nodes.clerk.ask(DeleteDead(second)) is True
    for system in nodes:
        for job_id in (first, second):
            with pytest.raises(JobNotFound):
                system.ask(GetJob(job_id))
        assert [info.id for info in system.ask(ListJobs("dead"))] == others
    assert nodes.clerk.ask(RetryAllDead("Fragile")) == 4
    nodes.leader.drain()
    assert sorted(Fragile.runs) == [0, 2, 3, 4, 5]

    Fragile.is_mended = False
    nodes.clerk.ask(Enqueue(Fragile, {"number": 6}))
    eventually(lambda: queue_status(nodes.clerk, "Fragile").dead == 1)
    assert nodes.clerk.ask(DeleteAllDead()) == 1
    assert nodes.leader.ask(ListJobs("dead")) == ()


def test_retrying_from_the_other_node_frees_a_halted_queue(nodes: Nodes, room: Room) -> None:
    """The head runs again first, then those behind it."""
    nodes.leader.ask(StartWorker(Booking))
    ids = nodes.clerk.ask(EnqueueMany(Enqueue(Booking, {"number": number}) for number in range(3)))
    eventually(lambda: queue_status(nodes.clerk, "Booking").halted_by == ids[0])
    Booking.is_mended = True
    try:
        nodes.clerk.ask(RetryDead(ids[0]))
        nodes.leader.drain()
    finally:
        del Booking.is_mended
    assert Booking.runs == [0, 0, 1, 2]
    assert queue_status(nodes.clerk, "Booking").halted_by is None
