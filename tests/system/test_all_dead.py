"""A command on all dead jobs is for those that were dead when it was given, and for each of them once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from exqueue import DeleteAllDead, ListJobs, RetryAllDead
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
        fetched = self._session.exchange(
            self._queue, FENCE, 1, self._call - 1, [], 10, serial=False, suspect=False
        ).jobs
        buried = [Bury(job.id, job.run, None) for job in fetched]
        self._session.exchange(self._queue, FENCE, 1, self._call, buried, 0, serial=False, suspect=False)


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
