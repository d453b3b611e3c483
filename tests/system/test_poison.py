"""A job that was lost as often as its class allows is buried at once, also while a suspect runs and others wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from exqueue import Enqueue, EnqueueMany, GetJob, StartWorker
from exqueue.config import SystemConfig
from exqueue.persistence.urls import open_persistence
from exqueue.supervision import ThreadRuntime
from exqueue.system import start_system
from tests.system.helpers import PATIENCE_S, Room, eventually, lose, remains
from tests.system.staged import Hang, StagedPersistence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef

A_WHILE_S = 1.5
"""Longer than leave is ever waited for without being asked for again."""


class Held:
    """Stays in the room of the test."""

    concurrency = 3
    room: ClassVar[Room]

    def perform(self, *, who: str) -> None:
        type(self).room.visit(who)


class Other(Held):
    """The same, in a queue of its own."""


@pytest.fixture
def room() -> Iterator[Room]:
    """The room that jobs visit, opened at the end."""
    with Room() as opened:
        Held.room = opened
        yield opened


def state_of(system: SystemRef, job_id: str) -> str:
    """The state of a job."""
    state: str = system.ask(GetJob(job_id)).state
    return state


def test_poison_does_not_wait_for_the_suspect_that_runs(
    system: SystemRef, url: str, namespace: str, room: Room
) -> None:
    """It is not run, so it needs no leave: it is dead while the suspect of another queue runs on."""
    suspect = system.ask(Enqueue(Held, {"who": "suspect"}))
    lose(url, namespace, "Held", times=2)
    poison = system.ask(Enqueue(Other, {"who": "poison"}))
    lose(url, namespace, "Other", times=3)
    system.ask(StartWorker(Held))
    room.await_entered(1)
    system.ask(StartWorker(Other))
    eventually(lambda: state_of(system, poison) == "dead")
    assert system.ask(GetJob(poison)).recoveries == 3
    assert (room.entered, state_of(system, suspect)) == (["suspect"], "running")


def test_the_burial_of_poison_gives_nobody_leave(system: SystemRef, url: str, namespace: str, room: Room) -> None:
    """A limit that is lowered makes poison of what waited behind a suspect of its queue; others wait on for that one.

    Below the limit it had waited for leave as they do.
    """
    suspect, late = system.ask(EnqueueMany(Enqueue(Held, {"who": who}) for who in ("suspect", "late")))
    lose(url, namespace, "Held", times=3)
    other = system.ask(Enqueue(Other, {"who": "other"}))
    lose(url, namespace, "Other", times=2)
    system.ask(StartWorker(Held, max_recoveries=4))
    room.await_entered(1)
    system.ask(StartWorker(Other))
    remains(lambda: (state_of(system, late), state_of(system, other)) == ("ready", "ready"), A_WHILE_S)
    system.ask(StartWorker(Held, max_recoveries=3))
    eventually(lambda: state_of(system, late) == "dead")
    remains(lambda: (room.entered, state_of(system, suspect)) == (["suspect"], "running"), A_WHILE_S)
    room.let_out("suspect")
    room.await_entered(2)
    assert room.entered == ["suspect", "other"]


def test_what_was_handed_out_as_poison_is_not_run_without_leave(url: str, namespace: str, room: Room) -> None:
    """A limit that is raised while the answer is under way comes too late for it: nobody asked for leave."""
    stage, hang = StagedPersistence(open_persistence(url, namespace=namespace)), Hang(is_carried_out=True)
    with start_system(SystemConfig(url, namespace=namespace), stage, ThreadRuntime()) as system:
        poison = system.ask(Enqueue(Other, {"who": "poison"}))
        lose(url, namespace, "Other", times=3)
        # The first exchange tells that a suspect waits; the second may take it.
        stage.stage("exchange", lambda carry_out: carry_out())
        stage.stage("exchange", hang)
        system.ask(StartWorker(Other))
        assert hang.hangs.wait(PATIENCE_S)
        system.ask(StartWorker(Other, max_recoveries=10))
        hang.let_go()
        eventually(lambda: state_of(system, poison) == "dead")
    assert room.entered == []
