"""`drain` at moments that only a staged persistence can hold: what is told and not done yet is waited for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from exqueue import AskTimeout, Enqueue, ExqueueSystem, GetStatus, StartWorker
from exqueue.config import SystemConfig
from exqueue.errors import Outage
from exqueue.persistence.urls import open_persistence
from exqueue.supervision import ThreadRuntime
from exqueue.system import start_system
from tests.system.helpers import PATIENCE_S, Room, eventually, queue_status
from tests.system.staged import StagedPersistence
from tests.system.test_draining import Draining

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exqueue import SystemRef


class Gate:
    """Holds the call that comes through it, before it is carried out, until it is opened."""

    def __init__(self) -> None:
        self.is_reached = threading.Event()
        self._is_open = threading.Event()

    def __call__(self, carry_out: Callable[[], Any]) -> Any:
        self.is_reached.set()
        assert self._is_open.wait(3 * PATIENCE_S)
        return carry_out()

    def open(self) -> None:
        """Let the call, and any later one, pass."""
        self._is_open.set()


class HeldSessions(StagedPersistence):
    """Holds who opens a session while a gate stands."""

    gate: Gate | None = None

    def session(self, *, timeout: float, pooled: bool = False) -> Any:
        def carry_out() -> Any:
            return super(HeldSessions, self).session(timeout=timeout, pooled=pooled)

        return carry_out() if self.gate is None else self.gate(carry_out)


class Parent:
    """Visits the room, then tells a child, and ends."""

    room: ClassVar[Room]
    system: ClassVar[SystemRef]

    def perform(self) -> None:
        type(self).room.visit("parent")
        type(self).system.tell(Enqueue(Child))


class Child:
    """Visits the room."""

    def perform(self) -> None:
        Parent.room.visit("child")


@pytest.fixture
def stage(url: str, namespace: str) -> HeldSessions:
    """The store, with a stage in front of it."""
    return HeldSessions(open_persistence(url, namespace=namespace))


@pytest.fixture
def room() -> Iterator[Room]:
    """The room that jobs visit, opened at the end."""
    with Room() as opened:
        Parent.room = opened
        yield opened


@pytest.fixture
def system(url: str, namespace: str, stage: HeldSessions, room: Room) -> Iterator[SystemRef]:
    """A system on the stage that works no queue yet."""
    config = SystemConfig(url, namespace=namespace, shutdown_timeout=5)
    with start_system(config, stage, ThreadRuntime()) as started:
        Parent.system = started
        yield started
        room.open()


def test_a_job_that_cannot_be_stored_yet_is_waited_for(system: SystemRef, stage: HeldSessions, room: Room) -> None:
    """Whoever told it before the drain expects that it has run after it, outage or not."""
    is_up = threading.Event()

    def fail(carry_out: Callable[[], Any]) -> Any:
        if is_up.is_set():
            return carry_out()
        stage.stage("push", fail)
        raise Outage("not now", sent=False)

    room.open()
    system.ask(StartWorker(Child))
    stage.stage("push", fail)
    system.tell(Enqueue(Child))
    eventually(lambda: stage.calls("push"))
    draining = Draining(system)
    assert not draining.ends_within(0.3)
    is_up.set()
    draining.result()
    assert room.left == ["child"]


def test_a_job_told_by_the_last_one_is_waited_for(system: SystemRef, stage: HeldSessions, room: Room) -> None:
    """Although nothing is in the store when it is looked at: the parent has ended, the child is not stored yet."""
    look, push = Gate(), Gate()
    for job in (Parent, Child):
        system.ask(StartWorker(job))
    system.ask(Enqueue(Parent))
    room.await_entered(1)
    stage.stage("overview", look)
    stage.stage("push", push)
    draining = Draining(system)
    try:
        assert look.is_reached.wait(PATIENCE_S)
        room.let_out("parent")
        assert push.is_reached.wait(PATIENCE_S)
        eventually(lambda: is_settled(stage))
        look.open()
        assert not draining.ends_within(0.3)
    finally:
        look.open()
        push.open()
    room.open()
    draining.result()
    assert room.left == ["parent", "child"]


def is_settled(stage: HeldSessions) -> bool:
    """Whether the end of the parent is known to the store."""
    session = stage.session(timeout=PATIENCE_S)
    running = session.list_jobs("Parent", "running", 10, 0)
    session.close()
    return not running


def test_a_queue_that_is_not_started_yet_is_waited_for(system: SystemRef, stage: HeldSessions, room: Room) -> None:
    """`tell(StartWorker(...))` and then `drain`, while another queue takes its time to start."""
    room.open()
    stage.gate = Gate()
    system.tell(StartWorker(Parent))
    assert stage.gate.is_reached.wait(PATIENCE_S)
    system.tell(StartWorker(Child))
    system.ask(Enqueue(Child))
    draining = Draining(system)
    try:
        assert not draining.ends_within(0.3)
    finally:
        stage.gate.open()
    draining.result()
    assert room.left == ["child"]


def test_what_is_due_is_waited_for_where_nobody_works_it(url: str, namespace: str, room: Room) -> None:
    """On a standby whose queue the leader has not started, jobs that fell due stay among the waiting."""
    with (
        ExqueueSystem.start(url, namespace=namespace, node="leader") as leader,
        ExqueueSystem.start(url, namespace=namespace, node="standby") as standby,
    ):
        leader.ask(StartWorker(Parent))
        eventually(lambda: leader.ask(GetStatus()).leader == "leader")
        standby.ask(StartWorker(Child))
        standby.ask(Enqueue(Child, delay=0.1))

        def drain() -> str:
            try:
                standby.drain(timeout=0)
            except AskTimeout as error:
                return str(error)
            return ""

        assert "Child has jobs that are due" in eventually(drain)
        status = queue_status(standby, "Child")
        assert (status.waiting, status.ready) == (1, 0)
