"""A sound store with jobs in every state, and what must come of its jobs after it was broken and mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.codec import default_codec
from exqueue.persistence.inspection.check import check
from exqueue.persistence.values import Fence, NewJob, Push, Retry
from exqueue.record import JobError, Trail, encode_record, encode_trail
from tests.persistence.conformance.play import FAR_S, STATES, Owner, bury, give_back, recovered

if TYPE_CHECKING:
    from exqueue.persistence.base import Persistence, Session
    from exqueue.persistence.inspection.report import Finding, Report

QUEUE = "Mail"
TOKEN = "6f2a90c4d1b7e358"
CALLER = "c0ffee5eed15"
TIMEOUT_S = 30.0
NODE = "node-1"

JOBS = ("run1", "dead1", "failed1", "suspect1", "back1", "ready1", "ready2", "ready3", "later1")
"""Named after where they are; ``failed1`` waits to be tried again. ``gone1`` was cancelled and left a husk."""

Found = tuple[str, str | None, str | None]
"""A finding without its words: kind, queue, job."""


def record(job_id: str) -> bytes:
    """What is stored of a job."""
    return encode_record("Mail", {"to": f"{job_id}@example.com"}, 1_790_000_000.0, default_codec())


def trail(*, buried: bool = False) -> bytes:
    """Of a job that failed once."""
    error = JobError("ConnectionError", "refused", "", 1_790_000_000.0, NODE)
    return encode_trail(Trail(1, (error,), buried, "it failed" if buried else None))


class Pusher:
    """Whoever pushes jobs with real records."""

    def __init__(self, session: Session, queue: str = QUEUE) -> None:
        self._session = session
        self._queue = queue
        self._n = 0

    def push(self, *ids: str, delay: float = 0.0) -> None:
        """Store jobs under these ids."""
        self._n += 1
        jobs = tuple(NewJob(job_id, record(job_id), delay) for job_id in ids)
        assert self._session.push(CALLER, [Push(self._queue, self._n, jobs)]) == (None,)


def fill(session: Session, *, serial: bool = False) -> Owner:
    """Bring jobs into every state; the node that led has died or released since."""
    fence = session.acquire(NODE, TOKEN, 60.0, 0)
    assert isinstance(fence, Fence)
    owner, pusher = Owner(session, QUEUE, fence=fence), Pusher(session)
    pusher.push("run1")
    owner.fetch_one()
    pusher.push("dead1")
    owner.settle(bury(owner.fetch_one(), trail(buried=True)))
    pusher.push("failed1")
    failed = owner.fetch_one()
    owner.settle(Retry(failed.id, failed.run, FAR_S, trail()))
    pusher.push("suspect1")
    for _ in range(2):
        owner.settle(recovered(owner.fetch_one()))
    pusher.push("back1")
    owner.settle(give_back(owner.fetch_one()))
    pusher.push("ready1", "gone1", "ready2", "ready3")
    assert session.cancel(QUEUE, "person", 1, "gone1") == "ready"
    pusher.push("later1", delay=FAR_S)
    session.beat(NODE, b"info", 60.0)
    assert session.release(fence)
    return owner


def found(report: Report) -> set[Found]:
    """What was found, without its words."""
    return {(finding.kind, finding.queue, finding.job_id) for finding in report.findings}


def records_of(session: Session) -> dict[str, bytes]:
    """Everything that the session can list of the queue."""
    return {job.id: job.record for state in STATES for job in session.list_jobs(QUEUE, state, 1_000, 0)}


def end_all(session: Session) -> dict[str, bytes]:
    """Take the queue over and hand out all that can run, as a new leader would; what runs then."""
    fence = session.acquire("node-2", "another", 60.0, 0)
    assert isinstance(fence, Fence)
    owner = Owner(session, QUEUE, fence=fence, seat=1)
    ran: dict[str, bytes] = {}
    while True:
        jobs = owner.fetch(100, suspect=True)
        if not jobs:
            return ran
        ran |= {job.id: job.record for job in jobs}


def assert_mended(store: Persistence, session: Session, before: dict[str, bytes]) -> tuple[Finding, ...]:
    """Repair finds nothing that it can't mend; then the store is sound, and every record is there and can run.

    Args:
        store: that was broken.
        session: of it.
        before: id -> record, of all that is not lost by what was broken.
    """
    report = check(store, repair=True)
    assert report.is_mended, report
    assert all(finding.explanation and finding.repair for finding in report.findings)
    assert check(store).is_sound, check(store)
    left = records_of(session)
    assert left == before
    ran = end_all(session)
    assert check(store).is_sound, check(store)
    waits = {job.id for state in ("waiting", "dead") for job in session.list_jobs(QUEUE, state, 1_000, 0)}
    assert set(ran) | waits == set(before)
    assert not set(ran) & waits
    assert {job_id: before[job_id] for job_id in ran} == ran
    return report.findings
