"""A node that is asked to end hands over: what runs may end, the rest goes back, the next node works at once."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from exqueue import Enqueue, GetJob, GetStatus, ListJobs
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    from exqueue import SystemRef
    from tests.nodes.cluster import Cluster

HANDOVER_S = 1.0
"""What is promised from the end of the last running job to the first one on the next node."""

JOBS = {"Hold": {"concurrency": 2}, "Quick": {}}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_runs_may_end_and_the_next_node_goes_on(
    cluster: Cluster, office: SystemRef, number: signal.Signals
) -> None:
    """No job is fetched after the signal, none is repeated, none counts as interrupted."""
    leader = cluster.start("a", JOBS)
    cluster.start("b", JOBS)
    jobs = [office.ask(Enqueue("Hold", {"number": n})) for n in range(4)]
    cluster.await_diary("begin", 2, node="a")
    leader.send(number)
    eventually(lambda: "node a stops" in leader.log)
    cluster.release("a")
    assert leader.end() == 0
    last_end = max(entry.at for entry in cluster.await_diary("end", 2, node="a"))
    begun = cluster.await_diary("begin", 2, node="b")
    assert min(entry.at for entry in begun) - last_end < HANDOVER_S
    assert {office.ask(GetJob(entry.job)).recoveries for entry in begun} == {0}
    cluster.release("b")
    cluster.await_diary("end", 4)
    assert sorted(entry.job for entry in cluster.diary("begin")) == sorted(jobs)


def test_what_outlasts_the_patience_goes_back_uncounted(cluster: Cluster, office: SystemRef) -> None:
    """The next node runs it from the beginning, with neither a failure nor a recovery."""
    leader = cluster.start("a", JOBS, shutdown_timeout=0.3)
    cluster.start("b", JOBS)
    job = office.ask(Enqueue("Hold", {"number": 0}))
    cluster.await_diary("begin", 1, node="a")
    leader.send(signal.SIGTERM)
    assert leader.end() == 0
    cluster.await_diary("begin", 1, node="b")
    info = office.ask(GetJob(job))
    assert (info.failures, info.recoveries) == (0, 0)
    cluster.release("b")
    eventually(lambda: queue_status(office, "Hold").processed == 1)


def test_fault_093_a_second_signal_ends_at_once(cluster: Cluster, office: SystemRef) -> None:
    """Nothing is waited for any more; the job that ran is run again, elsewhere."""
    leader = cluster.start("a", JOBS, shutdown_timeout=60)
    cluster.start("b", JOBS)
    office.ask(Enqueue("Hold", {"number": 0}))
    cluster.await_diary("begin", 1, node="a")
    leader.send(signal.SIGTERM)
    eventually(lambda: "node a stops" in leader.log)
    leader.send(signal.SIGTERM)
    assert leader.end() == 128 + signal.SIGTERM
    cluster.await_diary("begin", 1, node="b")
    cluster.release("b")
    cluster.await_diary("end", 1, node="b")


def test_a_rolling_restart_under_load_loses_and_repeats_nothing(cluster: Cluster, office: SystemRef) -> None:
    """Each of three nodes is replaced in turn while jobs keep coming."""
    nodes = [cluster.start(name, JOBS) for name in ("a", "b", "c")]
    jobs: list[str] = []
    is_over = threading.Event()

    def keep_coming() -> None:
        while not is_over.is_set():
            jobs.append(office.ask(Enqueue("Quick", {"number": len(jobs)})))
            is_over.wait(0.002)

    load = threading.Thread(target=keep_coming)
    load.start()
    try:
        for old in nodes:
            seen = len(cluster.diary("end"))
            cluster.await_diary("end", seen + 50)
            cluster.start(f"{old.name}2", JOBS)
            old.send(signal.SIGTERM)
            assert old.end() == 0
    finally:
        is_over.set()
        load.join()
    ended = cluster.await_diary("end", len(jobs), within=30.0)
    assert sorted(entry.job for entry in ended) == sorted(jobs)
    assert sorted(entry.job for entry in cluster.diary("begin")) == sorted(jobs)
    assert office.ask(ListJobs("dead")) == ()
    assert office.ask(GetStatus()).leader in ("a2", "b2", "c2")


def test_a_handover_is_no_slower_with_several_queues(cluster: Cluster, office: SystemRef) -> None:
    """Every queue of the old node is worked by the next one within the promised time."""
    leader = cluster.start("a", JOBS)
    cluster.start("b", JOBS)
    first = office.ask(Enqueue("Quick", {"number": 0}))
    assert cluster.await_diary("end", 1)[0].job == first
    leader.send(signal.SIGTERM)
    assert leader.end() == 0
    ended_at = time.monotonic()
    office.ask(Enqueue("Quick", {"number": 1}))
    office.ask(Enqueue("Hold", {"number": 2}))
    begun = cluster.await_diary("begin", 2, node="b")
    assert max(entry.at for entry in begun) - ended_at < HANDOVER_S
