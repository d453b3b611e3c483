"""Whoever asked is answered, whatever becomes of the actor that was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from exqueue import ActorInfo, Enqueue, GetTree, PauseQueue, ResumeQueue, StartWorker
from exqueue.actors.queue_supervisor import QueueSupervisor
from exqueue.config import SystemConfig
from exqueue.errors import ActorDead, Outage
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import Push
from exqueue.supervision import ThreadRuntime
from exqueue.system import start_system
from exqueue.testing import crash
from tests.system.helpers import PATIENCE_S, Room, eventually
from tests.system.staged import Hang, StagedPersistence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exqueue import SystemRef


class Visit:
    """Visits the room of the test."""

    room: ClassVar[Room]

    def perform(self) -> None:
        type(self).room.visit()


@pytest.fixture
def stage(namespace: str) -> StagedPersistence:
    """A store in memory that knows three queues, in front of which single calls can be staged."""
    store = open_persistence(f"memory://{namespace}", namespace=namespace)
    store.session(timeout=PATIENCE_S).push("tester", [Push(name, 1, ()) for name in "abc"])
    return StagedPersistence(store)


@pytest.fixture
def system(stage: StagedPersistence, namespace: str) -> Iterator[SystemRef]:
    """A started system on it, whose askers are patient: who is not answered is seen."""
    config = SystemConfig(stage.address, namespace=namespace, ask_timeout=3 * PATIENCE_S)
    with Room() as room, start_system(config, stage, ThreadRuntime()) as started:
        Visit.room = room
        room.open()
        yield started


def raising(error: Exception) -> Callable[[Callable[[], Any]], Any]:
    """An act that raises instead of calling."""

    def act(_: Callable[[], Any]) -> Any:
        raise error

    return act


def test_an_operator_that_crashes_answers_who_waits(system: SystemRef, stage: StagedPersistence) -> None:
    """Who asked what it crashed of gets the error; what waits in the inbox is its successor's."""
    hang = Hang(is_carried_out=True)
    stage.stage("set_paused", hang)
    stage.stage("set_paused", raising(ValueError("out of order")))
    first = system.ask(PauseQueue("a"), block=False)
    assert hang.hangs.wait(PATIENCE_S)
    second = system.ask(PauseQueue("b"), block=False)
    third = system.ask(ResumeQueue("a"), block=False)
    hang.let_go()
    assert first.get(timeout=PATIENCE_S) is True
    with pytest.raises(ValueError, match="out of order"):
        second.get(timeout=PATIENCE_S)
    assert third.get(timeout=PATIENCE_S) is True


def test_an_operator_that_crashes_while_it_tries_again_answers_who_waits(
    system: SystemRef, stage: StagedPersistence
) -> None:
    """The order under way may be done; those behind it were not sent, and are carried out by the next Operator."""
    hang = Hang(is_carried_out=False)

    def outage_when_all_wait(carry_out: Callable[[], Any]) -> Any:
        hang(carry_out)
        raise Outage("not now")

    stage.stage("set_paused", outage_when_all_wait)
    stage.stage("set_paused", raising(ValueError("out of order")))
    first = system.ask(PauseQueue("a"), block=False)
    assert hang.hangs.wait(PATIENCE_S)
    others = [system.ask(PauseQueue(name), block=False) for name in ("b", "c")]
    hang.let_go()
    with pytest.raises(ActorDead, match="the operator ended during PauseQueue: it may be done"):
        first.get(timeout=PATIENCE_S)
    assert [other.get(timeout=PATIENCE_S) for other in others] == [True, True]
    assert len(stage.calls("set_paused")) == 4


def flat(info: ActorInfo) -> dict[str, ActorInfo]:
    """All actors of the tree by their path."""
    found = {info.name: info}
    for child in info.children:
        found.update(flat(child))
    return found


@pytest.mark.parametrize("path", ["queues", "queues/Visit"])
def test_who_asked_for_more_workers_is_answered_though_supervisors_crash(
    system: SystemRef, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes next answers, and they stand."""
    resize, crashes = QueueSupervisor._on_resize, iter([True])  # noqa: SLF001 - the moment that matters

    def crash_once(supervisor: QueueSupervisor) -> None:
        if not next(crashes, False):
            resize(supervisor)
            return
        if path == "queues/Visit":
            raise ValueError("instead of resizing")
        crash(system, "queues")

    system.ask(StartWorker(Visit))
    monkeypatch.setattr(QueueSupervisor, "_on_resize", crash_once)
    asked = system.ask(StartWorker(Visit, concurrency=3), block=False)
    assert asked.get(timeout=PATIENCE_S) == "Visit"
    eventually(lambda: (three := flat(system.ask(GetTree())).get("queues/Visit/worker-3")) and three.alive)


def test_a_parked_queue_keeps_nobody_waiting(system: SystemRef, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asked while it crashed for the second time is answered: it starts with what was asked, later."""

    def never(_: QueueSupervisor) -> None:
        raise ValueError("never")

    system.ask(StartWorker(Visit))
    monkeypatch.setattr(QueueSupervisor, "_on_resize", never)
    answers = [system.ask(StartWorker(Visit, concurrency=n)) for n in (2, 3, 4)]
    assert answers == ["Visit"] * 3
    system.ask(Enqueue(Visit))
    system.drain(timeout=PATIENCE_S)
