"""Two processes that open one SQLite file: one works it, the other stands by; both enqueue."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from exqueue import Enqueue, GetStatus
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    from exqueue import SystemRef
    from tests.nodes.cluster import Cluster

JOBS = {"Quick": {"concurrency": 3}}
COUNT = 30


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_fault_109_the_second_process_at_a_file_stands_by(cluster: Cluster, office: SystemRef) -> None:
    """Started at once, one of them leads, and no job is run by the other until that one is gone."""
    nodes = {node.name: node for node in [cluster.launch(name, JOBS) for name in ("a", "b")]}
    for node in nodes.values():
        node.await_ready()
    leader = eventually(lambda: office.ask(GetStatus()).leader)
    assert leader is not None
    epoch = office.ask(GetStatus()).epoch
    jobs = [office.ask(Enqueue("Quick", {"number": number})) for number in range(COUNT)]
    eventually(lambda: queue_status(office, "Quick").processed == COUNT)
    assert sorted(entry.job for entry in cluster.diary("begin")) == sorted(jobs)
    assert {entry.node for entry in cluster.diary("begin")} == {leader}
    assert (office.ask(GetStatus()).leader, office.ask(GetStatus()).epoch) == (leader, epoch)
    nodes[leader].send(signal.SIGKILL)
    office.ask(Enqueue("Quick", {"number": COUNT}))
    entry = cluster.await_diary("end", COUNT + 1)[-1]
    assert (entry.number, {entry.node}) == (COUNT, nodes.keys() - {leader})
    assert office.ask(GetStatus()).epoch == epoch + 1
