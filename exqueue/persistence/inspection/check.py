"""Check a store, and mend it: `fsck` one that a URL names, `check` one that is open."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from exqueue.config import DEFAULT_URL
from exqueue.errors import ConfigError, StoreInUse
from exqueue.persistence.inspection.facts import Count
from exqueue.persistence.inspection.inspector import Inspectable
from exqueue.persistence.inspection.job_rules import highest_place, of_job, readable
from exqueue.persistence.inspection.queue_rules import of_counts, of_head, of_lock, of_lost_records, of_queue
from exqueue.persistence.inspection.report import MOST_FINDINGS, Finding, Report
from exqueue.persistence.urls import open_persistence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue.persistence.base import Persistence
    from exqueue.persistence.inspection.facts import LockFacts, QueueFacts
    from exqueue.persistence.inspection.inspector import Inspector, View
    from exqueue.persistence.inspection.job_rules import Readable
    from exqueue.persistence.inspection.remedies import Fault

STEP_TIMEOUT_S: Final = 30.0
"""How long one step of a check may take."""

MOST_ROUNDS: Final = 9
"""Repair looks again after it has mended something, since one fault may hide another; so often at most."""


FEW: Final = 3
"""So many places without a record are removed of a queue that has no record at all; more are a sign of a key that is
missing as a whole."""


def fsck(
    url: str | None = None, *, namespace: str = "default", repair: bool = False, timeout: float = STEP_TIMEOUT_S
) -> Report:
    """Find everything in a store that the promises forbid, explain it, and with ``repair`` mend it.

    It may look while nodes work: in Redis it reads in small pieces, and whatever looks wrong is looked at once more in
    one atomic step before it counts; an SQLite file is read as it was at one moment. So it holds nobody up for long,
    and tells of nothing that is only under way. It knows what is stored and not what runs: whether a worker still has
    a run is the leader's affair. Memory grows with the number of ids in line, about 150 bytes each, and not with what
    they carry.

    Repair wants the store for itself: while a node leads it is refused. It never deletes a record: a job that nobody
    could run goes to the dead ones with the bytes that it has. Only leftovers of jobs that have no record are removed,
    each of them named in the report.

    Args:
        url: as `ExqueueSystem.start` takes it; ``None``: ``$EXQUEUE_URL``, else `exqueue.config.DEFAULT_URL`.
        namespace: the one that is checked; the others are not looked at.
        repair: whether to mend what is found.
        timeout: seconds that one step may take; a check has many.

    Raises:
        ConfigError: the URL or the namespace is not allowed, or names a store that can't be checked or repaired.
        StoreInUse: repair was asked for, and a node leads. Nothing more was changed.
        Outage: the store could not be read.
    """
    address = os.environ.get("EXQUEUE_URL", DEFAULT_URL) if url is None else url
    persistence = open_persistence(address, namespace=namespace)
    try:
        return check(persistence, repair=repair, timeout=timeout)
    finally:
        persistence.close()


def check(
    persistence: Persistence, *, repair: bool = False, timeout: float = STEP_TIMEOUT_S, records: bool = True
) -> Report:
    """As `fsck`, for a persistence that is open.

    Args:
        persistence: of a backend of this package.
        repair: see `fsck`.
        timeout: see `fsck`.
        records: whether to look into records and trails; ``False`` takes them for opaque, as the persistence does.
    """
    if not isinstance(persistence, Inspectable):
        raise ConfigError(f"{persistence.address} is of a persistence that can't be checked: it has no inspector")
    inspector = persistence.inspector(timeout=timeout)
    try:
        if repair and not inspector.can_repair:
            raise ConfigError(
                f"{persistence.address} is kept in memory and can't be repaired: it ends with its process"
            )
        why_not = readable() if records else None
        found = _mended(inspector, why_not) if repair else inspector.look(lambda view: Round(view, why_not).run())
    finally:
        inspector.close()
    return Report(
        address=persistence.address,
        namespace=persistence.namespace,
        queues=found.queues,
        jobs=found.jobs,
        findings=tuple(found.findings.values()),
        more=found.more,
        leader=found.leader,
    )


Key = tuple[str, str | None, str | None, str]


def _key(finding: Finding) -> Key:
    return finding.kind, finding.queue, finding.job_id, finding.explanation


@dataclass(slots=True)
class Found:
    """What one look at all of the store, or several, came to. ``changed``: what was found and not so any more."""

    queues: int
    jobs: int
    findings: dict[Key, Finding]
    more: int
    leader: str | None
    changed: int = 0


class Round:
    """One look at all of a store.

    Args:
        view: of the store.
        why_not: see `exqueue.persistence.inspection.job_rules.of_job`.
        mender: carries out remedies as soon as a fault is found; ``None`` only looks.
    """

    def __init__(self, view: View, why_not: Readable | None, mender: Inspector | None = None) -> None:
        self._view = view
        self._why_not = why_not
        self._mender = mender
        self._found = Found(queues=0, jobs=0, findings={}, more=0, leader=None)

    def run(self) -> Found:
        """Look."""
        for fault in self._view.oddities():
            self._note(fault)
        queues = self._view.queues()
        lock = self._view.lock()
        if lock is not None:
            self._found.leader = lock.leader
            for fault in of_lock(lock, [queue.epoch for queue in queues]):
                self._note(fault)
        for queue in queues:
            self._found.queues += 1
            for fault in self._of_queue(queue, lock):
                self._note(fault)
        return self._found

    def _of_queue(self, queue: QueueFacts, lock: LockFacts | None) -> Iterator[Fault]:
        yield from of_queue(queue, lock)
        if queue.unreadable:
            return
        # Without the store's clock this machine's has to do: with none, every recovery would be one to come.
        now = time.time() if lock is None else lock.now
        highest, before = 0, self._found.jobs
        ghosts: list[list[Fault]] = []
        for job in self._view.jobs(queue):
            self._found.jobs += job.record is not None
            highest = max(highest, highest_place(job))
            if not of_job(job, queue, now, self._why_not):
                continue
            same, seen = self._view.confirm(queue, job.id)
            faults = [replace(fault, stamp=seen.stamp) for fault in of_job(seen, same, now, self._why_not)]
            if self._found.jobs == before and seen.record is None and seen.places:
                ghosts.append(faults)
                if len(ghosts) > FEW:
                    yield of_lost_records(queue)
                    return
            else:
                yield from faults
        for faults in ghosts:
            yield from faults
        same, head = self._view.confirm(queue, queue.head or "")
        if same.head is not None and same.head == head.id:
            yield from of_head(same, head)
        counts = self._view.counts(queue)
        if highest > same.places:
            counts = (*counts, Count("places", same.places, highest))
        yield from of_counts(queue, counts)

    def _note(self, fault: Fault) -> None:
        mender, remedy = self._mender, fault.remedy
        if mender is not None and remedy is not None and not mender.apply(remedy, fault.stamp):
            self._found.changed += 1
            return
        key = _key(fault.finding)
        if key in self._found.findings:
            return
        if len(self._found.findings) < MOST_FINDINGS:
            self._found.findings[key] = fault.finding
        else:
            self._found.more += 1


def _mended(inspector: Inspector, why_not: Readable | None) -> Found:
    """Look and mend until nothing is found any more."""
    _refuse_if_led(inspector)
    every = inspector.look(lambda view: Round(view, why_not, inspector).run())
    left, before = every, None
    for _ in range(MOST_ROUNDS):
        if not left.changed and (not left.findings or left.findings == before):
            break
        before = left.findings
        left = inspector.look(lambda view: Round(view, why_not, inspector).run())
        every.findings = left.findings | every.findings
    every.more = left.more
    every.queues, every.jobs, every.leader = left.queues, left.jobs, left.leader
    every.findings = {
        key: finding if key in left.findings else replace(finding, mended=True)
        for key, finding in every.findings.items()
    }
    return every


def _refuse_if_led(inspector: Inspector) -> None:
    """A lease without an end gets one, so that a leader that lives goes on and a dead one does not."""

    def look(view: View) -> LockFacts | None:
        for _ in view.oddities():
            pass
        view.queues()
        return view.lock()

    lock = inspector.look(look)
    if lock is None or lock.lease is None:
        return
    endless = [fault for fault in of_lock(lock, [0]) if fault.finding.kind == "endless_lease"]
    for fault in endless:
        if fault.remedy is not None:
            inspector.apply(fault.remedy)
    hint = f"Its lease had no end and has one now: {endless[0].finding.repair}. " if endless else ""
    raise StoreInUse(
        f"node {lock.lease.node} leads, so nothing was repaired. {hint}Stop it, or wait until its lease has ended, and "
        "repair then"
    )
