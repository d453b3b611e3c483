"""A queue that only a standby has started is noticed, and so are two programs on one namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue import Enqueue, GetStatus
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    from exqueue import SystemRef
    from tests.nodes.cluster import Cluster


def test_a_queue_that_the_leader_has_not_started_is_said_to_be_unworked(cluster: Cluster, office: SystemRef) -> None:
    """The standby names both nodes and what waits; the status shows that nobody works the queue."""
    cluster.start("leader", {"Quick": {}})
    eventually(lambda: [queue.worked_by for queue in office.ask(GetStatus()).queues] == ["leader"])
    office.ask(Enqueue("Hold", {"number": 1}))
    standby = cluster.start("standby", {"Hold": {}, "Quick": {}})
    eventually(lambda: "nobody works" in standby.log, within=15.0)
    (line,) = [line for line in standby.log.splitlines() if "nobody works" in line]
    assert line.startswith("WARNING nobody works Hold (1 ready, 0 waiting)")
    assert "node standby" in line
    assert "node leader" in line
    assert queue_status(office, "Hold").worked_by is None
    assert queue_status(office, "Quick").worked_by == "leader"
