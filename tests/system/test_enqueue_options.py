"""What may be said of a job when it is enqueued, and how many are stored at once."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

import pytest

from exqueue import (
    ConfigError,
    Enqueue,
    EnqueueMany,
    ExqueueError,
    GetJob,
    ListJobs,
    Outage,
    StartWorker,
)
from exqueue.config import SystemConfig
from exqueue.persistence.urls import open_persistence
from exqueue.supervision import ThreadRuntime
from exqueue.system import start_system
from tests.system.helpers import PATIENCE_S, Room, eventually, queue_status
from tests.system.staged import StagedPersistence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from exqueue import SystemRef
    from exqueue.persistence.values import State

MIB = 1024 * 1024


class Mail:
    queue = "mail"

    def perform(self, *, to: str, body: str = "") -> None:
        """Never run here."""


@pytest.fixture
def staged(url: str, namespace: str) -> StagedPersistence:
    """The store, whose calls are noted."""
    return StagedPersistence(open_persistence(url, namespace=namespace))


@pytest.fixture
def system(url: str, namespace: str, staged: StagedPersistence) -> Iterator[SystemRef]:
    """A system on it."""
    config = SystemConfig(url, namespace=namespace, shutdown_timeout=5)
    with start_system(config, staged, ThreadRuntime()) as started:
        yield started


def test_of_with_options_is_stored_with_them(system: SystemRef) -> None:
    """The checked way says all that the plain one can."""
    at = dt.datetime.now(tz=dt.UTC) + dt.timedelta(hours=1)
    plain = Enqueue.of(Mail, to="ann")
    first = system.ask(plain.options(delay=1_000, id="mail-1"))
    second = system.ask(plain.options(at=at))
    third = system.ask(plain)

    assert first == "mail-1"
    assert [system.ask(GetJob(one)).state for one in (first, second, third)] == ["waiting", "waiting", "ready"]
    assert system.ask(GetJob(second)).due_at == pytest.approx(at.timestamp(), abs=0.01)
    assert system.ask(GetJob(first)).due_at == pytest.approx(time.time() + 1_000, abs=PATIENCE_S)
    assert {system.ask(GetJob(one)).queue for one in (first, second, third)} == {"mail"}
    assert all(system.ask(GetJob(one)).kwargs == {"to": "ann"} for one in (first, second, third))


def test_the_queue_of_a_class_may_be_said_but_not_changed(system: SystemRef) -> None:
    """By `queue=`, which is for jobs given by their name."""
    assert system.ask(GetJob(system.ask(Enqueue(Mail, {"to": "a"}, queue="mail")))).queue == "mail"
    with pytest.raises(ConfigError, match="Mail has the queue 'mail', not 'post'"):
        Enqueue(Mail, {"to": "a"}, queue="post")


def test_no_delay_and_a_time_that_has_passed_are_now(system: SystemRef) -> None:
    """In line at once, in the order in which they came."""
    past = dt.datetime(1999, 12, 31, tzinfo=dt.UTC)
    ids = [system.ask(Enqueue(Mail, {"to": "a"}, **when)) for when in ({"delay": 0}, {"at": past}, {})]
    assert [one.id for one in system.ask(ListJobs("ready"))] == ids


@pytest.mark.parametrize("state", ["ready", "waiting", "running", "dead"])
def test_an_id_that_is_stored_in_any_state_stores_nothing(system: SystemRef, state: State) -> None:
    """The same id is answered, and the job is the one that was there."""
    with Room() as room:

        class Once:
            def perform(self, *, number: int) -> None:
                room.visit()
                raise ValueError(number)

        assert system.ask(Enqueue(Once, {"number": 1}, id="x", delay=1_000 if state == "waiting" else 0)) == "x"
        if state in ("running", "dead"):
            system.ask(StartWorker(Once, max_retries=0))
        if state == "dead":
            room.open()
        eventually(lambda: system.ask(GetJob("x")).state == state)
        before = system.ask(GetJob("x"))

        assert system.ask(Enqueue(Once, {"number": 2}, id="x")) == "x"
        assert system.ask(EnqueueMany([Enqueue(Once, {"number": 3}, id="x", delay=5)])) == ["x"]
        assert system.ask(GetJob("x")) == before
        counts = queue_status(system, "Once")
        assert (counts.ready, counts.waiting, counts.running, counts.dead) == tuple(
            int(state == one) for one in ("ready", "waiting", "running", "dead")
        )


def test_an_id_twice_in_many_is_one_job(system: SystemRef) -> None:
    """The first of them; both are answered."""
    many = EnqueueMany(Enqueue(Mail, {"to": to}, id="same") for to in ("ann", "bob"))
    assert system.ask(many) == ["same", "same"]
    assert [one.kwargs for one in system.ask(ListJobs("ready"))] == [{"to": "ann"}]


def pushed(staged: StagedPersistence) -> list[tuple[str, int]]:
    """The queue and the number of jobs of each push, in order."""
    return [(push.queue, len(push.jobs)) for call in staged.calls("push") for push in call.args[1]]


def test_many_are_stored_in_pieces_of_a_thousand_of_one_queue(system: SystemRef, staged: StagedPersistence) -> None:
    """2,500 of one queue are three pieces, and those of another are on their own."""
    jobs = [Enqueue(Mail, {"to": str(number)}) for number in range(2_500)]
    jobs[7:7] = [Enqueue("Other", {}) for _ in range(3)]
    ids = system.ask(EnqueueMany(jobs), timeout=30)

    assert len(set(ids)) == 2_503
    assert sorted(pushed(staged)) == [("Other", 3), ("mail", 500), ("mail", 1_000), ("mail", 1_000)]
    assert [one.id for one in system.ask(ListJobs("ready", "mail", limit=3, offset=6))] == [ids[6], *ids[10:12]]


def test_many_are_stored_in_pieces_of_two_mebibytes(system: SystemRef, staged: StagedPersistence) -> None:
    """However few they are then; a job is in one piece."""
    body = "x" * (MIB - 2_000)
    system.ask(EnqueueMany(Enqueue(Mail, {"to": str(number), "body": body}) for number in range(5)), timeout=30)
    assert pushed(staged) == [("mail", 2), ("mail", 2), ("mail", 1)]


def refused(_: Callable[[], Any]) -> Any:
    """An outage before anything was sent."""
    raise Outage("not now", sent=False)


def test_an_error_of_many_names_what_is_stored(system: SystemRef, staged: StagedPersistence) -> None:
    """How many jobs, and from which one on they are not: those can be enqueued again under their ids."""

    def fills_up(carry_out: Callable[[], Any]) -> Any:
        answer = carry_out()
        for _ in range(1_000):
            staged.stage("queues", refused)
            staged.stage("push", refused)
        return answer

    staged.stage("push", fills_up)
    jobs = [Enqueue(Mail, {"to": str(number)}, id=f"mail-{number}") for number in range(2_000)]
    with pytest.raises(ExqueueError) as caught:
        system.ask(EnqueueMany(jobs), timeout=1)
    (note,) = caught.value.__notes__
    assert note == (
        "of 2000 jobs, stored: 1000, from job mail-0 of queue mail on; "
        "not stored: 1000, from job mail-1000 of queue mail on"
    )
