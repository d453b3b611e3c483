"""A command whose asker gave up: if it was sent it is carried out, else never, and the time-out says which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exqueue import (
    AskTimeout,
    CancelJob,
    DeleteAllDead,
    DeleteDead,
    Enqueue,
    GetJob,
    GetStatus,
    JobNotFound,
    ListJobs,
    PauseQueue,
    ResumeQueue,
    RetryAllDead,
    RetryDead,
    StartWorker,
)
from exqueue.config import SystemConfig
from exqueue.persistence.urls import open_persistence
from exqueue.supervision import ThreadRuntime
from exqueue.system import start_system
from tests.system.helpers import PATIENCE_S, eventually, queue_status
from tests.system.lossy import LossyPersistence
from tests.system.staged import Hang, StagedPersistence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from exqueue import SystemRef

FOR_EVER = 10**9


class Failing:
    max_retries = 0

    def perform(self) -> None:
        raise ValueError("always")


@pytest.fixture
def lossy(url: str, namespace: str) -> LossyPersistence:
    """The store, which can refuse and lose."""
    return LossyPersistence(open_persistence(url, namespace=namespace))


@pytest.fixture
def staged(lossy: LossyPersistence) -> StagedPersistence:
    """The store, whose calls can hang."""
    return StagedPersistence(lossy)


@pytest.fixture
def system(url: str, namespace: str, staged: StagedPersistence) -> Iterator[SystemRef]:
    """A system with the dead job ``dead`` and the waiting job ``later``; it knows of the queue ``other``."""
    config = SystemConfig(url, namespace=namespace, shutdown_timeout=1)
    with start_system(config, staged, ThreadRuntime()) as started:
        started.ask(StartWorker(Failing))
        started.ask(Enqueue(Failing, id="dead"))
        eventually(lambda: started.ask(ListJobs("dead")))
        started.ask(Enqueue(Failing, delay=3_600, id="later"))
        started.ask(Enqueue("Elsewhere", {}, queue="other", delay=3_600))
        yield started


ORDERS = [
    (PauseQueue("Failing"), "set_paused"),
    (RetryDead("dead"), "retry_dead"),
    (DeleteDead("dead"), "delete_dead"),
    (RetryAllDead(), "retry_dead"),
    (DeleteAllDead(), "delete_dead"),
    (CancelJob("later"), "cancel"),
]


def what_is_there(system: SystemRef) -> tuple[Any, ...]:
    """What the orders change."""
    status = queue_status(system, "Failing")
    return status.waiting, status.dead, status.failed, status.paused


UNTOUCHED = (1, 1, 1, False)


@pytest.mark.parametrize(("order", "verb"), ORDERS, ids=lambda value: type(value).__name__)
def test_an_order_that_was_sent_may_be_carried_out(
    system: SystemRef, staged: StagedPersistence, order: Any, verb: str
) -> None:
    """Its call hangs when the asker gives up: he is told so, and it is done when the call comes through."""
    hang = Hang(is_carried_out=False)
    staged.stage(verb, hang)
    with pytest.raises(AskTimeout, match=f"{type(order).__name__}.*; it may still be carried out") as caught:
        system.ask(order, timeout=0.2)
    assert caught.value.stored is None
    assert hang.hangs.wait(PATIENCE_S)
    hang.let_go()
    eventually(lambda: what_is_there(system) != UNTOUCHED)


@pytest.mark.parametrize(("order", "verb"), ORDERS, ids=lambda value: type(value).__name__)
def test_an_order_that_was_not_sent_is_never_carried_out(
    system: SystemRef, lossy: LossyPersistence, order: Any, verb: str
) -> None:
    """The asker is told so; when the persistence answers again, it is not taken up."""
    lossy.refuse(verb, FOR_EVER)
    with pytest.raises(AskTimeout, match=f"{type(order).__name__}.*was not sent; it is not carried out"):
        system.ask(order, timeout=0.2)
    lossy.refuse(verb, 0)
    assert system.ask(ResumeQueue("other"))
    eventually(lambda: system.ask(GetStatus()).outage_since is None)
    assert what_is_there(system) == UNTOUCHED


@pytest.mark.parametrize("order", [order for order, _ in ORDERS], ids=lambda value: type(value).__name__)
def test_an_order_behind_one_that_hangs_is_never_carried_out(
    system: SystemRef, staged: StagedPersistence, order: Any
) -> None:
    """It waits in the inbox when its asker gives up."""
    hang = Hang(is_carried_out=False)
    staged.stage("set_paused", hang)
    before = system.ask(PauseQueue("other"), block=False)
    assert hang.hangs.wait(PATIENCE_S)
    with pytest.raises(AskTimeout, match=f"{type(order).__name__}.*; it is not carried out"):
        system.ask(order, timeout=0.1)
    hang.let_go()
    assert before.get(timeout=PATIENCE_S) is True
    assert what_is_there(system) == UNTOUCHED


def test_an_order_whose_answers_get_lost_is_carried_out_though_its_asker_gave_up(
    system: SystemRef, lossy: LossyPersistence, staged: StagedPersistence
) -> None:
    """It is sent again under its own number until it is answered, as what may be done already."""
    lossy.lose("retry_dead", 1)
    lossy.refuse("retry_dead", FOR_EVER)
    with pytest.raises(AskTimeout, match="it may still be carried out"):
        system.ask(RetryDead("dead"), timeout=0.2)
    lossy.refuse("retry_dead", 0)
    assert system.ask(ResumeQueue("other"))
    assert len({call.args[2] for call in staged.calls("retry_dead")}) == 1
    eventually(lambda: what_is_there(system) == (1, 1, 2, False))


def test_a_question_is_dropped_with_its_asker(
    system: SystemRef, lossy: LossyPersistence, staged: StagedPersistence
) -> None:
    """Nothing is said of carrying it out, and the end of the outage is found out all the same."""
    lossy.refuse("get_jobs", FOR_EVER)
    with pytest.raises(AskTimeout) as caught:
        system.ask(GetJob("later"), timeout=0.2)
    assert "carried out" not in str(caught.value)
    eventually(lambda: system.ask(GetStatus()).outage_since is None)
    lossy.refuse("get_jobs", 0)
    asked = len(staged.calls("get_jobs"))
    with pytest.raises(JobNotFound):
        system.ask(GetJob("nowhere"))
    assert len(staged.calls("get_jobs")) == asked + 1
