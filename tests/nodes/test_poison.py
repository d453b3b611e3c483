"""A job that kills its node is buried; no other job is buried with it, in whatever queue."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from exqueue import Enqueue, GetJob, ListJobs
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue import SystemRef
    from tests.nodes.cluster import Cluster, Node

JOBS = {"Long": {"concurrency": 3}, "Quick": {"concurrency": 3}, "Poison": {}}

BURIED_WITHIN_S = 30.0


def keep_alive(start: Callable[[int], Node], until: Callable[[], bool]) -> list[Node]:
    """Start a node again each time it dies, as a service manager does, until something is true."""
    nodes: list[Node] = []
    pause = threading.Event()
    deadline = time.monotonic() + BURIED_WITHIN_S
    while not until():
        assert time.monotonic() < deadline, "the poison is not buried"
        if not nodes or nodes[-1].process.poll() is not None:
            nodes.append(start(len(nodes)))
        pause.wait(0.02)
    return nodes


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("Quick", "kill"),
        ("Poison", "segfault"),
        pytest.param("Quick", "exit", marks=pytest.mark.long),
        pytest.param("Quick", "segfault", marks=pytest.mark.long),
        pytest.param("Poison", "exit", marks=pytest.mark.long),
        pytest.param("Poison", "kill", marks=pytest.mark.long),
    ],
)
def test_fault_012_013_014_poison_is_buried_alone(cluster: Cluster, office: SystemRef, name: str, how: str) -> None:
    """After three lost nodes, with an ERROR that says so; the innocent of its own and of other queues all end.

    Those that are interrupted with it become suspects, too: from then on suspects run one by one, and it dies alone.
    """
    long = [office.ask(Enqueue("Long", {"number": n})) for n in range(3)]
    quick = [office.ask(Enqueue("Quick", {"number": n})) for n in range(10)]
    poison = office.ask(Enqueue(name, {"number": 0, "how": how}, id="poison"))
    quick += [office.ask(Enqueue("Quick", {"number": n})) for n in range(10, 20)]
    nodes = keep_alive(
        lambda number: cluster.launch(f"n{number}", JOBS, lock_ttl=1),
        lambda: bool(office.ask(ListJobs("dead"))),
    )
    assert [job.id for job in office.ask(ListJobs("dead"))] == [poison]
    assert office.ask(GetJob(poison)).recoveries == 3
    assert len([entry for entry in cluster.diary("begin") if entry.job == poison]) == 3
    eventually(lambda: "ERROR" in nodes[-1].log)
    error = next(line for line in nodes[-1].log.splitlines() if line.startswith("ERROR"))
    assert poison in error
    assert "lost" in nodes[-1].log
    eventually(lambda: len(ended(cluster)) == len(long + quick))
    assert ended(cluster) == set(long + quick)


def ended(cluster: Cluster) -> set[str]:
    """The jobs that have ended, on whatever node."""
    return {entry.job for entry in cluster.diary("end")}


def test_innocent_jobs_run_again_at_full_concurrency(cluster: Cluster, office: SystemRef) -> None:
    """One lost node makes no suspects: all ten run again at once."""
    leader = cluster.start("a", {"Hold": {"concurrency": 10}}, lock_ttl=2)
    jobs = [office.ask(Enqueue("Hold", {"number": n})) for n in range(10)]
    cluster.await_diary("begin", 10, node="a")
    cluster.start("b", {"Hold": {"concurrency": 10}}, lock_ttl=2)
    leader.send(signal.SIGKILL)
    cluster.await_diary("begin", 10, node="b")
    assert queue_status(office, "Hold").running == 10
    cluster.release("b")
    assert sorted(entry.job for entry in cluster.await_diary("end", 10)) == sorted(jobs)
    assert office.ask(ListJobs("dead")) == ()
