"""An outage that outlasts the lease: who led goes on, and a standby does not take its running jobs from it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from exqueue import Enqueue, GetStatus, ListJobs
from tests.nodes.cluster import Cluster
from tests.servers import real_server
from tests.system.helpers import eventually, queue_status, remains

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import RealServer

LEASE_S = 2
OUTAGE_S = 3.5


@pytest.fixture
def server(needs_server: None) -> Iterator[RealServer]:
    """A server that keeps what it stored over a restart."""
    with real_server("--appendonly", "yes") as started:
        yield started


@pytest.mark.parametrize("how", ["frozen", "killed"])
def test_the_leader_goes_on_after_an_outage_longer_than_its_lease(
    server: RealServer, namespace: str, tmp_path: Path, how: str
) -> None:
    """Whichever of the two is answered first: no job that runs is begun again."""
    jobs = {"Hold": {"concurrency": 4}}
    with Cluster(server.url, namespace, tmp_path) as cluster:
        cluster.start("a", jobs, lock_ttl=LEASE_S)
        standby = cluster.start("b", jobs, lock_ttl=LEASE_S)
        office = cluster.office()
        try:
            for number in range(4):
                office.ask(Enqueue("Hold", {"number": number}))
            cluster.await_diary("begin", 4, node="a")
            eventually(lambda: len(office.ask(ListJobs("running"))) == 4)
            if how == "frozen":
                os.kill(server.pid, signal.SIGSTOP)
            else:
                server.stop()
            remains(lambda: len(cluster.diary("begin")) == 4, OUTAGE_S)
            if how == "frozen":
                os.kill(server.pid, signal.SIGCONT)
            else:
                server.start()
            eventually(lambda: office.ask(GetStatus()).leader == "a")
            remains(lambda: len(cluster.diary("begin")) == 4, 2 * LEASE_S)
            cluster.release("a")
            cluster.await_diary("end", 4)
            eventually(lambda: queue_status(office, "Hold").processed == 4)
        finally:
            office.stop()
    assert "b leads" not in standby.log
