"""A large store is checked within bounds of time and memory, and without holding the server up."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest
import redis

from exqueue.persistence import fsck
from exqueue.persistence.redis.keys import queue_keys
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import NewJob, Push
from tests.persistence.fsck.shop import CALLER, QUEUE, TIMEOUT_S, record
from tests.servers import real_server

if TYPE_CHECKING:
    from pathlib import Path

JOBS = 100_000
A_PUSH = 1_000
WITHIN_S = 60.0
"""A backstop on a busy machine; it takes some 5 s."""
MOST_PAUSE_US = 5_000.0
"""So long a step of a check may take on the average: meanwhile the server serves nobody else. (Of a single one the
clock tells how busy the machine is.)"""
MOST_GROWTH_KIB = 60 * 1024
"""Of the process that checks: some 150 bytes an id, and what it reads at once."""


def fill(url: str) -> None:
    """Half of the jobs ready, the others scheduled."""
    store = open_persistence(url)
    session = store.session(timeout=TIMEOUT_S)
    for n in range(JOBS // A_PUSH):
        ids = (f"job-{n:04}-{i:04}-{'x' * 5}" for i in range(A_PUSH))
        jobs = tuple(NewJob(job_id, record(job_id), delay=3_600.0 * (n % 2)) for job_id in ids)
        assert session.push(CALLER, [Push(QUEUE, n + 1, jobs)]) == (None,)
    store.close()


def growth_of_a_check(url: str) -> int:
    """By how many KiB a process grows that checks the store."""
    program = textwrap.dedent("""
        import resource, sys
        from exqueue.persistence import fsck
        fsck("memory://")
        import exqueue.persistence.redis, exqueue.persistence.sqlite
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert fsck(sys.argv[1]).jobs == int(sys.argv[2])
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """)
    command = [sys.executable, "-c", program, url, str(JOBS)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.long
def test_a_server_is_not_held_up_by_a_check() -> None:
    """Each of its steps is short, whatever is broken, and so are those of a repair."""
    with real_server() as server, redis.Redis.from_url(server.url, protocol=2) as client:
        fill(server.url)
        at = queue_keys("default", QUEUE)
        client.rpush(at.ready, *(f"ghost-{i}" for i in range(100)))
        client.lrem(at.ready, 1, client.lindex(at.ready, 7) or b"")
        client.config_resetstat()
        begin = time.monotonic()
        report = fsck(server.url)
        assert time.monotonic() - begin < WITHIN_S
        assert (report.jobs, len(report.findings)) == (JOBS, 101)
        report = fsck(server.url, repair=True)
        assert report.is_mended
        pauses = {name: stat["usec_per_call"] for name, stat in client.info("commandstats").items()}
        assert {name: pause for name, pause in pauses.items() if pause > MOST_PAUSE_US} == {}
        assert pauses["cmdstat_evalsha"] > 0
        assert growth_of_a_check(server.url) < MOST_GROWTH_KIB


@pytest.mark.long
def test_a_large_file_is_checked_in_bounded_time_and_memory(tmp_path: Path) -> None:
    """Its rows are read one after the other."""
    url = f"sqlite:///{tmp_path}/store.db"
    fill(url)
    begin = time.monotonic()
    assert fsck(url).jobs == JOBS
    assert time.monotonic() - begin < WITHIN_S
    assert growth_of_a_check(url) < MOST_GROWTH_KIB // 2
