"""`ListJobs`: every job of a state on exactly one page, in order, over one queue and over all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from exqueue import (
    CancelJob,
    Enqueue,
    EnqueueMany,
    GetJob,
    JobInfo,
    ListJobs,
    StartWorker,
)
from tests.system.helpers import PATIENCE_S, Room, eventually, queue_status

if TYPE_CHECKING:
    from exqueue import SystemRef
    from exqueue.persistence.values import State

STATES: tuple[State, ...] = ("ready", "waiting", "running", "dead")
QUEUES = ("a", "b", "c")
JOBS = 7


def a_job_for(queue_: str, room: Room) -> type:
    """Stays in the room, unless it is to die."""

    class Visit:
        name = f"visit-{queue_}"
        queue = queue_
        max_retries = 0
        concurrency = JOBS

        def perform(self, *, number: int, dies: bool = False) -> None:
            if dies:
                raise ValueError(number)
            room.visit((queue_, number))

    return Visit


def bring_into(state: State, system: SystemRef, room: Room) -> list[str]:
    """Seven jobs of that state in each of three queues; their ids, in order of queue and of coming."""
    jobs = {queue: a_job_for(queue, room) for queue in QUEUES}
    kwargs: dict[str, Any] = {"dies": True} if state == "dead" else {}
    ids = [
        system.ask(Enqueue(job, {"number": number, **kwargs}, delay=1_000 + number if state == "waiting" else None))
        for number in range(JOBS)
        for job in jobs.values()
    ]
    if state in ("running", "dead"):
        for job in jobs.values():
            system.ask(StartWorker(job))
    eventually(lambda: all(getattr(queue_status(system, queue), state) == JOBS for queue in QUEUES))
    return [job_id for at in range(len(QUEUES)) for job_id in ids[at :: len(QUEUES)]]


def pages(system: SystemRef, state: State, queue: str | None, limit: int) -> list[list[str]]:
    """All pages up to the first empty one."""
    found: list[list[str]] = []
    while page := [one.id for one in system.ask(ListJobs(state, queue, limit, sum(map(len, found))))]:
        found.append(page)
    return found


@pytest.mark.parametrize("state", STATES)
def test_pages_make_up_the_whole(system: SystemRef, state: State) -> None:
    """Whatever their size, over all queues by name and of one queue alone; beyond the end there is nothing."""
    with Room() as room:
        ids = bring_into(state, system, room)
        whole = [one.id for one in system.ask(ListJobs(state))]
        # Dead jobs stand by when they died and running ones by when they started, which is for the workers to say.
        assert whole == ids if state in ("ready", "waiting") else sorted(whole) == sorted(ids)
        for limit in (1, 4, JOBS, JOBS + 1, 1_000):
            found = pages(system, state, None, limit)
            assert [job_id for page in found for job_id in page] == whole
            assert {len(page) for page in found[:-1]} <= {limit}
        assert [one for page in pages(system, state, "b", 3) for one in page] == whole[JOBS : 2 * JOBS]
        for offset in (len(ids), len(ids) + 1, 10**12):
            assert system.ask(ListJobs(state, offset=offset)) == ()
        for offset in (JOBS, JOBS + 1, 10**12):
            assert system.ask(ListJobs(state, "b", offset=offset)) == ()


@pytest.mark.parametrize("state", STATES)
def test_a_listed_job_is_the_one_that_is_found(system: SystemRef, state: State) -> None:
    """`GetJob` tells of each what its list tells."""
    with Room() as room:
        bring_into(state, system, room)
        listed = system.ask(ListJobs(state))
        assert [system.ask(GetJob(one.id, queue=one.queue)) for one in listed] == list(listed)


def test_every_field_of_a_job_by_its_state(system: SystemRef) -> None:
    """What is not of its state is `None`, and what nobody here knows too."""
    before = time.time()
    with Room() as room:
        job = a_job_for("a", room)
        unknown = system.ask(Enqueue("Nobody", {"x": [1]}, queue="b"))
        waiting = system.ask(Enqueue(job, {"number": 9}, delay=1_000))
        system.ask(StartWorker(job, max_retries=1, backoff=0))
        running = system.ask(Enqueue(job, {"number": 1}))
        dead = system.ask(Enqueue(job, {"number": 2, "dies": True}))
        eventually(lambda: system.ask(GetJob(dead)).state == "dead")
        room.await_entered(1)

        def info(job_id: str) -> JobInfo:
            found: JobInfo = system.ask(GetJob(job_id))
            assert found.enqueued_at == pytest.approx(before, abs=PATIENCE_S)
            return found

        def expected(found: JobInfo, **given: Any) -> JobInfo:
            plain = {"failures": 0, "recoveries": 0, "errors": (), "due_at": None, "started_at": None}
            known = {"job": "visit-a", "queue": "a", "max_retries": 1, "enqueued_at": found.enqueued_at}
            return JobInfo(**{**plain, **known, **given})

        found = info(unknown)
        assert found == expected(
            found, id=unknown, job="Nobody", queue="b", state="ready", kwargs={"x": [1]}, max_retries=None
        )
        found = info(waiting)
        assert found == expected(found, id=waiting, state="waiting", kwargs={"number": 9}, due_at=found.due_at)
        assert found.due_at == pytest.approx(before + 1_000, abs=PATIENCE_S)
        found = info(running)
        assert found == expected(found, id=running, state="running", kwargs={"number": 1}, started_at=found.started_at)
        assert found.started_at == pytest.approx(before, abs=PATIENCE_S)
        found = info(dead)
        kwargs = {"number": 2, "dies": True}
        assert found == expected(found, id=dead, state="dead", kwargs=kwargs, failures=2, errors=found.errors)
        assert [(one.type, one.message) for one in found.errors] == [("ValueError", "2")] * 2
        assert all("raise ValueError(number)" in one.traceback for one in found.errors)


def test_pages_of_a_thinned_out_line_make_up_the_whole(system: SystemRef) -> None:
    """Offsets count the jobs that are there, not those that were cancelled."""
    ids = system.ask(EnqueueMany(Enqueue("Thin", {"number": number}, queue="b") for number in range(60)))
    system.ask(Enqueue("Thin", {}, queue="a", id="before"))
    system.ask(Enqueue("Thin", {}, queue="c", id="after"))
    kept = [job_id for number, job_id in enumerate(ids) if number % 4 == 1]
    for job_id in ids:
        if job_id not in kept:
            system.ask(CancelJob(job_id))
    for limit in (1, 4, 100):
        found = pages(system, "ready", None, limit)
        assert [job_id for page in found for job_id in page] == ["before", *kept, "after"]


def test_pages_over_long_lines_count_no_cancelled_job(system: SystemRef) -> None:
    """Past the places where one was, and of one that was stored again, also into the next queue."""
    ids = system.ask(EnqueueMany(Enqueue("Long", {}, queue="a", id=f"a{number}") for number in range(5_300)))
    ids += system.ask(EnqueueMany(Enqueue("Long", {}, queue="b", id=f"b{number}") for number in range(20)))
    again = ids[5_250]
    for job_id in (*ids[5_200:5_240:2], again):
        system.ask(CancelJob(job_id))
    system.ask(Enqueue("Long", {}, queue="a", id=again))
    kept = [*ids[:5_200], *ids[5_201:5_240:2], *ids[5_240:5_250], *ids[5_251:5_300], again, *ids[5_300:]]
    for offset in range(5_170, 5_320, 25):
        page = [one.id for one in system.ask(ListJobs("ready", limit=25, offset=offset))]
        assert page == kept[offset : offset + 25]
