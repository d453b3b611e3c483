"""A command on all dead jobs is for those that were dead when it was given, and for each of them once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from exqueue import (
    DeleteAllDead,
    DeleteDead,
    GetStatus,
    JobNotFound,
    ListJobs,
    Outage,
    PauseQueue,
    RetryAllDead,
    SystemStopped,
)
from exqueue.actors import operator, orders
from exqueue.config import SystemConfig
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import Bury, Fence, NewJob, Push
from exqueue.supervision import ThreadRuntime
from exqueue.system import start_system
from tests.system.helpers import eventually
from tests.system.staged import StagedPersistence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exqueue import SystemRef
    from exqueue.persistence.base import Session

FENCE = Fence(1_000, "tester")
BATCH = 2


class Mortuary:
    """Works a queue by hand: whatever is ready in it dies at once."""

    def __init__(self, session: Session, queue: str) -> None:
        self._session = session
        self._queue = queue
        self._call = 0
        session.claim(queue, FENCE, 1)

    def push(self, n: int, *ids: str) -> None:
        """Store jobs."""
        self._session.push("tester", [Push(self._queue, n, tuple(NewJob(name, b"no record") for name in ids))])

    def bury_what_is_ready(self) -> None:
        """Fetch it all, and bury it."""
        self._call += 2
        fetched = self._session.exchange(self._queue, FENCE, 1, self._call - 1, [], 10, serial=False).jobs
        buried = [Bury(job.id, job.run, None) for job in fetched]
        self._session.exchange(self._queue, FENCE, 1, self._call, buried, 0, serial=False)


@pytest.fixture
def staged(url: str, namespace: str) -> StagedPersistence:
    """The store, in front of which calls can be staged."""
    return StagedPersistence(open_persistence(url, namespace=namespace))


@pytest.fixture
def system(url: str, namespace: str, staged: StagedPersistence, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemRef]:
    """A system on it, whose batches are small."""
    monkeypatch.setattr(orders, "MAX_BATCH", BATCH)
    monkeypatch.setattr(operator, "MAX_BATCH", BATCH)
    started = start_system(SystemConfig(url, namespace=namespace, shutdown_timeout=5), staged, ThreadRuntime())
    yield started
    started.stop()


def and_then(act: Callable[[], None]) -> Callable[[Callable[[], Any]], Any]:
    """Let a call be carried out, and do something before it is answered."""

    def both(carry_out: Callable[[], Any]) -> Any:
        answer = carry_out()
        act()
        return answer

    return both


def test_what_dies_again_at_once_is_retried_once(system: SystemRef, staged: StagedPersistence) -> None:
    """However quickly they die: the command answers how many there were, and does not go on for ever."""
    session = staged.session(timeout=5)
    queues = [Mortuary(session, name) for name in ("one", "other")]
    for queue in queues:
        queue.push(1, *"abcde")
        queue.bury_what_is_ready()

    def all_die() -> None:
        for queue in queues:
            queue.bury_what_is_ready()

    for _ in range(20):
        staged.stage("retry_dead", and_then(all_die))
    assert system.ask(RetryAllDead()) == 10
    batches = [call.args for call in staged.calls("retry_dead")]
    revived = [(queue, job_id) for queue, _, _, ids in batches for job_id in ids]
    assert sorted(revived) == [(queue, job_id) for queue in ("one", "other") for job_id in "abcde"]
    assert len(system.ask(ListJobs("dead"))) == 10


@pytest.mark.parametrize(("command", "verb"), [(RetryAllDead(), "retry_dead"), (DeleteAllDead("q"), "delete_dead")])
def test_what_dies_after_the_command_came_is_left(
    system: SystemRef, staged: StagedPersistence, command: RetryAllDead | DeleteAllDead, verb: str
) -> None:
    """Nobody who gave the command had seen it."""
    session = staged.session(timeout=5)
    queue = Mortuary(session, "q")
    queue.push(1, *"abc")
    queue.bury_what_is_ready()

    def another_dies() -> None:
        now = session.overview([]).now
        eventually(lambda: session.overview([]).now > now)
        queue.push(2, "late")
        queue.bury_what_is_ready()

    staged.stage(verb, and_then(another_dies))
    assert system.ask(command) == 3
    assert "late" in [job.id for job in system.ask(ListJobs("dead"))]


def test_what_somebody_else_took_first_ends_nothing(system: SystemRef, staged: StagedPersistence) -> None:
    """A batch that found nothing dead any more is followed by the next."""
    session = staged.session(timeout=5)
    for name in ("one", "other"):
        queue = Mortuary(session, name)
        queue.push(1, *"abc")
        queue.bury_what_is_ready()

    def too_late(carry_out: Callable[[], Any]) -> Any:
        session.delete_dead("one", "tester", 9, ["a", "b"])
        return carry_out()

    staged.stage("delete_dead", too_late)
    assert system.ask(DeleteAllDead()) == 4
    assert system.ask(ListJobs("dead")) == ()


def full(staged: StagedPersistence) -> None:
    """Five dead jobs, three batches."""
    queue = Mortuary(staged.session(timeout=5), "q")
    queue.push(1, *"abcde")
    queue.bury_what_is_ready()


@pytest.mark.parametrize(("command", "verb"), [(RetryAllDead(), "retry_dead"), (DeleteAllDead("q"), "delete_dead")])
def test_others_are_answered_between_two_batches(
    system: SystemRef, staged: StagedPersistence, command: RetryAllDead | DeleteAllDead, verb: str
) -> None:
    """However many jobs are dead, nobody waits for all of them: who stops a flood least of all."""
    full(staged)
    asked: list[Any] = []
    staged.stage(verb, and_then(lambda: asked.extend(system.ask(one, block=False) for one in (GetStatus(), pause))))
    pause = PauseQueue("q")

    assert system.ask(command) == 5
    assert asked[0].get(timeout=10).queues[0].dead == 3
    assert asked[1].get(timeout=10) is True
    made = [call.verb for call in staged.made if call.verb in (verb, "set_paused")]
    assert made == [verb, "set_paused", verb, verb]


def test_what_is_about_dead_jobs_stays_in_order(system: SystemRef, staged: StagedPersistence) -> None:
    """A job that was retried is not deleted by an order that came later, not even when an outage comes between."""
    full(staged)
    asked: list[Any] = []
    orders = [DeleteDead("e"), DeleteAllDead()]

    def refuse(_: Callable[[], Any]) -> Any:
        raise Outage("not now", sent=False)

    staged.stage("retry_dead", and_then(lambda: asked.extend(system.ask(one, block=False) for one in orders)))
    staged.stage("retry_dead", refuse)

    assert system.ask(RetryAllDead()) == 5
    with pytest.raises(JobNotFound):
        asked[0].get(timeout=10)
    assert asked[1].get(timeout=10) == 0
    assert len(system.ask(ListJobs("ready"))) == 5


def test_an_outage_between_two_batches_is_waited_out(system: SystemRef, staged: StagedPersistence) -> None:
    """One that another order meets, too: what that may have done is found out first, under its own number."""
    full(staged)
    asked: list[Any] = []

    def lose(carry_out: Callable[[], Any]) -> Any:
        carry_out()
        raise Outage("the answer is lost")

    staged.stage("retry_dead", and_then(lambda: asked.append(system.ask(PauseQueue("q"), block=False))))
    staged.stage("set_paused", lose)

    assert system.ask(RetryAllDead()) == 5
    assert asked[0].get(timeout=10) is True
    numbers = [call.args[2] for call in staged.made if call.verb in ("retry_dead", "set_paused")]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == 4


def test_a_stop_comes_between_two_batches(system: SystemRef, staged: StagedPersistence) -> None:
    """Whoever waits is told how far it came, and what is not done stays dead."""
    full(staged)
    operator_ref: Any = system._context.names.whereis("operator")  # noqa: SLF001 - to see its inbox

    def stop_arrives() -> None:
        system.stop(block=False)
        eventually(operator_ref.actor_inbox.qsize)

    staged.stage("retry_dead", and_then(stop_arrives))

    with pytest.raises(SystemStopped, match="RetryAllDead is done for 2 jobs"):
        system.ask(RetryAllDead())
    assert len(staged.calls("retry_dead")) == 1
