"""A job that holds the interpreter's lock in C code stops every thread of its node, that of the Leader too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue import Enqueue, GetStatus
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    from exqueue import SystemRef
    from tests.nodes.cluster import Cluster

JOBS: dict[str, dict[str, object]] = {"Stall": {}, "Quick": {}}


def test_fault_016_a_stall_shorter_than_the_lease_changes_nothing(cluster: Cluster, office: SystemRef) -> None:
    """Although a standby looks at it all the time: the job runs once, under the same leadership."""
    cluster.start("a", JOBS)
    cluster.start("b", JOBS)
    eventually(lambda: office.ask(GetStatus()).leader == "a")
    epoch = office.ask(GetStatus()).epoch
    office.ask(Enqueue("Stall", {"number": 0, "seconds": 3}))
    again = office.ask(Enqueue("Quick", {"number": 1}))
    cluster.await_diary("end", 2)
    eventually(lambda: queue_status(office, "Stall").processed == 1)
    assert (office.ask(GetStatus()).leader, office.ask(GetStatus()).epoch) == ("a", epoch)
    assert [entry.node for entry in cluster.diary("begin")] == ["a", "a"]
    assert [entry.job for entry in cluster.diary("end")].count(again) == 1


def test_fault_016_a_stall_longer_than_the_lease_costs_the_leadership(cluster: Cluster, office: SystemRef) -> None:
    """The standby takes over when the lease has ended; the node that stalled finds out, and its result is refused."""
    leader = cluster.start("a", JOBS, lock_ttl=1)
    cluster.start("b", JOBS, lock_ttl=1)
    eventually(lambda: office.ask(GetStatus()).leader == "a")
    job = office.ask(Enqueue("Stall", {"number": 0, "seconds": 5, "node": "a"}))
    cluster.await_diary("end", 1, node="b")
    assert office.ask(GetStatus()).leader == "b"
    eventually(lambda: queue_status(office, "Stall").processed == 1)
    cluster.await_diary("end", 1, node="a")
    eventually(lambda: "a does not lead any more" in leader.log)
    again = office.ask(Enqueue("Quick", {"number": 1}))
    assert [entry.node for entry in cluster.await_diary("end", 3) if entry.job == again] == ["b"]
    assert [entry.job for entry in cluster.diary("begin")].count(job) == 2
    status = queue_status(office, "Stall")
    assert (status.processed, status.failed, status.dead, status.running) == (1, 0, 0, 0)
