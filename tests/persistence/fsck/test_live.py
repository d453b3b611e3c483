"""A store in which nodes are at work is sound at every moment, and a check says so."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest

from exqueue import (
    CancelJob,
    Enqueue,
    ExqueueSystem,
    GetStatus,
    JobNotFound,
    NotSupportedYet,
    RetryAllDead,
    StartWorker,
)
from exqueue.persistence import fsck
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from exqueue import SystemRef
    from exqueue.persistence.inspection.report import Report

JOBS = 800
CHECKS = 5


class Busy:
    """Fails at first, now and then for good."""

    concurrency = 8
    max_retries = 1
    backoff = 0.0

    def perform(self, *, number: int) -> None:
        if number % 7 == 0:
            raise ValueError(number)


class InTurn:
    """One after the other."""

    serial = True
    backoff = 0.0
    failed: set[int]

    def perform(self, *, number: int) -> None:
        if number % 5 == 0 and number not in self.failed:
            self.failed.add(number)
            raise ValueError(number)


@pytest.fixture(params=["redis", "sqlite", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path, namespace: str) -> str:
    """The address of a store that this process and its systems share."""
    if request.param == "redis":
        address: str = request.getfixturevalue("redis_url")
        return address
    return f"sqlite:///{tmp_path}/store.db" if request.param == "sqlite" else f"memory://{namespace}"


def keep_busy(system: SystemRef, is_over: threading.Event) -> None:
    """Enqueue, cancel and revive until it is over."""
    for number in range(JOBS):
        if is_over.is_set():
            return
        job_id = system.ask(Enqueue(Busy, {"number": number}))
        system.tell(Enqueue(InTurn, {"number": number}))
        if number % 11 == 0:
            # It may be over by now, or run, and then it can't be cancelled.
            with contextlib.suppress(JobNotFound, NotSupportedYet):
                system.ask(CancelJob(job_id))
        if number % 100 == 0:
            system.tell(RetryAllDead("Busy"))


def test_what_is_only_under_way_is_no_finding(url: str, namespace: str) -> None:
    """However the check falls between two steps of the nodes."""
    InTurn.failed = set()
    reports: list[Report] = []
    is_over = threading.Event()
    with ExqueueSystem.start(url, namespace=namespace, node="here", shutdown_timeout=5) as system:
        system.ask(StartWorker(Busy))
        system.ask(StartWorker(InTurn))
        client = threading.Thread(target=keep_busy, args=(system, is_over))
        client.start()
        try:
            eventually(lambda: any(queue.processed > 10 for queue in system.ask(GetStatus()).queues))
            while client.is_alive() and len(reports) < 50:
                reports.append(fsck(url, namespace=namespace))
        finally:
            is_over.set()
            client.join()
    assert len(reports) >= CHECKS
    assert [report.findings for report in reports if not report.is_sound] == []
    assert {report.leader for report in reports} == {"here"}
    assert fsck(url, namespace=namespace, repair=not url.startswith("memory")).is_sound
