"""`ask(..., block=False)`: a future that nobody waits for in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pykka
import pytest

from exqueue import AskTimeout, Enqueue, GetStatus, PauseQueue, ResumeQueue, StartWorker
from exqueue.config import SystemConfig
from exqueue.persistence.memory import open_memory
from exqueue.supervision import ThreadRuntime
from exqueue.system import start_system
from tests.system.helpers import PATIENCE_S
from tests.system.staged import Hang, StagedPersistence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef


class Plain:
    def perform(self) -> None:
        """Nothing to do."""


@pytest.fixture
def stage() -> StagedPersistence:
    """A store whose calls can be held up."""
    return StagedPersistence(open_memory("memory://", "default"))


@pytest.fixture
def hasty(stage: StagedPersistence) -> Iterator[SystemRef]:
    """A system that waits for no answer longer than a blink."""
    with start_system(SystemConfig("memory://", ask_timeout=0.1), stage, ThreadRuntime()) as system:
        yield system


def is_paused(system: SystemRef) -> bool:
    """Whether the one queue is; asked behind all that was asked before."""
    (queue,) = system.ask(GetStatus(), timeout=PATIENCE_S).queues
    return queue.paused


def test_a_future_is_answered(system: SystemRef) -> None:
    """As often as one likes, also through pykka's own functions on futures."""
    future = system.ask(StartWorker(Plain), block=False)
    assert [future.get(), future.get(timeout=PATIENCE_S), future.map(str.upper).get()] == ["Plain", "Plain", "PLAIN"]


def test_a_future_without_a_time_out_waits_for_ask_timeout_and_never_for_ever(
    hasty: SystemRef, stage: StagedPersistence
) -> None:
    """It says what `ask` would say; what was not begun by then is dropped, and what was begun is heard of later."""
    hasty.ask(Enqueue(Plain), timeout=PATIENCE_S)
    hang = Hang(is_carried_out=True)
    stage.stage("set_paused", hang)
    begun = hasty.ask(PauseQueue("Plain"), block=False)
    assert hang.hangs.wait(PATIENCE_S)
    waiting = hasty.ask(PauseQueue("Plain"), block=False)

    with pytest.raises(pykka.Timeout):
        waiting.get(timeout=0)
    for _ in range(2):
        with pytest.raises(
            AskTimeout, match=r"PauseQueue: no answer from the operator within 0.1 s; it is not carried"
        ):
            waiting.get()
    with pytest.raises(AskTimeout, match="it may still be carried out"):
        begun.get()

    hang.let_go()
    assert is_paused(hasty)
    assert begun.get() is True
    assert len(stage.calls("set_paused")) == 1


def test_a_look_withdraws_nothing(hasty: SystemRef, stage: StagedPersistence) -> None:
    """Who only looks whether the answer is there is answered later."""
    hasty.ask(Enqueue(Plain), timeout=PATIENCE_S)
    hang = Hang(is_carried_out=True)
    stage.stage("set_paused", hang)
    hasty.tell(PauseQueue("Plain"))
    assert hang.hangs.wait(PATIENCE_S)
    future = hasty.ask(ResumeQueue("Plain"), block=False)
    with pytest.raises(pykka.Timeout):
        future.get(timeout=0.01)
    hang.let_go()
    assert future.get(timeout=PATIENCE_S) is True
    assert not is_paused(hasty)


def test_a_stopped_system_tells_its_status_in_a_future_too(system: SystemRef) -> None:
    """Whoever asks for a future gets one."""
    system.stop()
    assert "the system was stopped" in system.ask(GetStatus(), block=False).get().failed[0]
