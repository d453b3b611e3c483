"""Very many jobs: commands on all dead ones hurt no other queue, and no page of a long list is much dearer than others.

The full sizes are `long`; the normal run does the same with fewer.
"""

from __future__ import annotations

import statistics
import threading
import time
from typing import TYPE_CHECKING

import pykka
import pytest

from exqueue import (
    DeleteAllDead,
    Enqueue,
    ExqueueSystem,
    GetStatus,
    ListJobs,
    PauseQueue,
    ResumeQueue,
    RetryAllDead,
    StartWorker,
)
from exqueue.codec import default_codec
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import MAX_BATCH, Bury, Fence, NewJob, Push
from exqueue.record import Trail, encode_record, encode_trail
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef
    from exqueue.persistence.base import Session

FULL = 100_000
SIZES = [3_000, pytest.param(FULL, marks=[pytest.mark.long, pytest.mark.timeout(600)])]
LIST_SIZES = [20_000, pytest.param(1_000_000, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
SLOWEST = 0.25
"""The part of the time of the whole command that any job or answer may take; there are a hundred batches in it."""
DEAREST_PAGE = 10.0
"""So many times more than a page at the front may one in the middle take."""
ASK_S = 300.0


@pytest.fixture(params=["redis", "sqlite"])
def url(request: pytest.FixtureRequest, namespace: str) -> str:
    """Where so many jobs would be in production."""
    if request.param == "redis":
        address: str = request.getfixturevalue("redis_url")
        return address
    return f"sqlite:///{request.getfixturevalue('tmp_path')}/store.db"


@pytest.fixture
def session(url: str, namespace: str) -> Iterator[Session]:
    """The store itself, to fill it faster than jobs could be run."""
    persistence = open_persistence(url, namespace=namespace)
    opened = persistence.session(timeout=30)
    yield opened
    opened.close()
    persistence.close()


class Quick:
    """What another queue goes on running meanwhile."""

    ended = threading.Semaphore(0)

    def perform(self) -> None:
        type(self).ended.release()


def fill(session: Session, count: int) -> None:
    """Store so many jobs in queue ``Many``."""
    record = encode_record("Many", {}, time.time(), default_codec())
    for number in range(0, count, MAX_BATCH):
        jobs = tuple(NewJob(f"job-{each:07}", record) for each in range(number, number + MAX_BATCH))
        assert session.push("filler", [Push("Many", number + 1, jobs)]) == (None,)


def bury_all(session: Session, count: int) -> None:
    """Have them all die."""
    fence = session.acquire("digger", "digger-token", 60.0, 0)
    assert isinstance(fence, Fence)
    session.claim("Many", fence, 1)
    trail = encode_trail(Trail(failures=1).buried_with("all of them"))
    ends: list[Bury] = []
    for call in range(1, count // MAX_BATCH + 2):
        jobs = session.exchange("Many", fence, 1, call, ends, MAX_BATCH, serial=False).jobs
        ends = [Bury(job.id, job.run, trail) for job in jobs]
    session.release(fence)


def latency_s(system: SystemRef) -> float:
    """How long a job takes from being enqueued to its end."""
    began = time.monotonic()
    system.ask(Enqueue(Quick))
    assert Quick.ended.acquire(timeout=30)
    return time.monotonic() - began


def is_answered(future: pykka.Future[int]) -> bool:
    """Whether there is an answer."""
    try:
        future.get(timeout=0)
    except pykka.Timeout:
        return False
    return True


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("command", [RetryAllDead, DeleteAllDead])
def test_a_command_on_all_dead_jobs_hurts_nobody(
    session: Session, url: str, namespace: str, command: type[RetryAllDead | DeleteAllDead], count: int
) -> None:
    """Another queue's jobs are run and other commands answered meanwhile: they wait for a batch, never for all."""
    fill(session, count)
    bury_all(session, count)
    with ExqueueSystem.start(url, namespace=namespace) as system:
        system.ask(StartWorker(Quick))
        latency_s(system)
        assert queue_status(system, "Many").dead == count

        all_began = time.monotonic()
        all_dead = system.ask(command("Many"), block=False)
        jobs_s, answers_s, seen = [], [], set()
        while not is_answered(all_dead):
            jobs_s.append(latency_s(system))
            began = time.monotonic()
            seen.add(queue_status(system, "Many").dead)
            system.ask(PauseQueue("Many"))
            system.ask(ResumeQueue("Many"))
            answers_s.append(time.monotonic() - began)

        assert all_dead.get(timeout=ASK_S) == count
        if count == FULL:
            # The few batches of the short run may be over before anybody has asked for the first time.
            all_s = time.monotonic() - all_began
            assert seen - {0, count}, "nobody was answered while it went on"
            assert max(jobs_s) < SLOWEST * all_s
            assert max(answers_s) < SLOWEST * all_s
        eventually(lambda: queue_status(system, "Many").dead == 0)
        assert queue_status(system, "Many").ready == (count if command is RetryAllDead else 0)
        assert system.ask(GetStatus()).failed == ()


@pytest.mark.parametrize("count", LIST_SIZES)
def test_every_job_of_a_long_list_is_on_one_page_and_no_page_is_dear(
    session: Session, url: str, namespace: str, count: int
) -> None:
    """As long as nothing moves. What a page takes does not grow with what stands before it."""
    fill(session, count)
    met, pages_s = set[str](), list[float]()
    with ExqueueSystem.start(url, namespace=namespace) as system:
        for offset in range(0, count, MAX_BATCH):
            began = time.monotonic()
            page = system.ask(ListJobs("ready", "Many", limit=MAX_BATCH, offset=offset))
            pages_s.append(time.monotonic() - began)
            assert [one.id for one in page] == [f"job-{number:07}" for number in range(offset, offset + MAX_BATCH)]
            met.update(one.id for one in page)
        assert system.ask(ListJobs("ready", "Many", limit=MAX_BATCH, offset=count)) == ()
    assert len(met) == count
    # Medians of ten pages in a row, as a single one may meet a busy machine.
    steps = [statistics.median(pages_s[at : at + 10]) for at in range(0, len(pages_s), 10)]
    assert max(steps) < DEAREST_PAGE * min(steps), steps
