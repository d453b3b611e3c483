"""Who comes only after a leader's death, or has hardly seen it, concludes it from what the lease says of it."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
import redis

from exqueue import GetStatus
from exqueue.persistence.urls import open_persistence
from tests.nodes.test_takeover import (
    JOBS,
    TAKEOVER_S,
    WATCHED_S,
    assert_each_ends_once,
    enqueue_held,
    leads,
    make_trouble,
)
from tests.servers import real_server
from tests.system.helpers import eventually, remains

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef
    from exqueue.persistence.base import Persistence
    from tests.nodes.cluster import Cluster
    from tests.servers import RealServer


@pytest.fixture
def store(url: str, namespace: str) -> Iterator[Persistence]:
    """To look at the lease."""
    opened = open_persistence(url, namespace=namespace)
    yield opened
    opened.close()


def seen_by(store: Persistence) -> str | None:
    """Which run of the server saw the holder of the lock at its last renewal."""
    session = store.session(timeout=10.0)
    try:
        holder = session.overview(()).holder
    finally:
        session.close()
    return None if holder is None else holder.seen_by


@pytest.mark.parametrize("successor", ["a", "b"])
def test_a_node_that_is_started_after_a_kill_works_within_the_promised_time(
    cluster: Cluster, office: SystemRef, store: Persistence, successor: str
) -> None:
    """Nobody stood by. The name is no proof of anything: another system of the same one waits as any other.

    It is counted from when that system has started: how long a process takes to begin is its machine's affair.
    """
    leader = cluster.start("a", JOBS)
    jobs = enqueue_held(office, 3)
    cluster.await_diary("begin", 3)
    eventually(lambda: seen_by(store) is not None)
    leader.send(signal.SIGKILL)
    cluster.launch(successor, JOBS).await_ready()
    started_at = time.monotonic()
    again = cluster.await_diary("begin", 6)[3:]
    assert max(entry.at for entry in again) - started_at < TAKEOVER_S
    assert_each_ends_once(cluster, office, jobs, successor)


def test_a_leader_that_dies_as_soon_as_its_job_began_is_replaced_within_the_promised_time(
    cluster: Cluster, office: SystemRef, store: Persistence
) -> None:
    """Two nodes start at the same moment; the other one has looked once or twice, or not at all."""
    jobs = enqueue_held(office, 1)
    nodes = {name: cluster.launch(name, JOBS) for name in ("a", "b")}
    first = cluster.await_diary("begin", 1)[0].node
    (other,) = nodes.keys() - {first}
    eventually(lambda: seen_by(store) is not None)
    killed_at = time.monotonic()
    nodes[first].send(signal.SIGKILL)
    again = cluster.await_diary("begin", 2)[1]
    assert again.node == other
    assert again.at - killed_at < TAKEOVER_S
    assert_each_ends_once(cluster, office, jobs, other)


def test_a_frozen_leader_is_not_taken_for_dead_by_a_node_that_comes_later(
    cluster: Cluster, office: SystemRef, store: Persistence
) -> None:
    """It renews nothing, but its connection, or its lock on the file, stands: its lease is waited for."""
    leader = cluster.start("a", JOBS)
    jobs = enqueue_held(office, 1)
    cluster.await_diary("begin", 1)
    eventually(lambda: seen_by(store) is not None)
    leader.send(signal.SIGSTOP)
    standby = cluster.start("b", JOBS)
    eventually(lambda: "b stands by: node a holds the lock with epoch 1, and it leads" in standby.log)
    remains(lambda: leads(office, "a"), WATCHED_S)
    leader.send(signal.SIGCONT)
    cluster.release("a")
    assert [entry.job for entry in cluster.await_diary("end", 1, node="a")] == jobs
    assert len(cluster.diary("begin")) == 1
    assert standby.log.count("stands by") == 1


def let_nobody_ask(server: RealServer) -> str:
    """The address for a user who may listen, but not ask who listens."""
    with redis.Redis.from_url(server.url) as client:
        client.acl_setuser(
            "app",
            enabled=True,
            passwords=["+secret"],
            categories=["+@all"],
            commands=["-pubsub"],
            keys=["*"],
            channels=["*"],
        )
    return server.url.replace("unix://", "unix://app:secret@")


class TestOwnServer:
    """On a server of the test's own."""

    @pytest.fixture
    def server(self, needs_server: None) -> Iterator[RealServer]:
        """A server that may be restarted; what it stored survives."""
        with real_server("--appendonly", "yes") as started:
            yield started

    @pytest.fixture
    def url(self, server: RealServer) -> str:
        """Its address."""
        return server.url

    @pytest.mark.parametrize("trouble", ["its subscription", "a restart"])
    def test_a_leader_that_was_lost_from_sight_is_seen_to_die_again(
        self, server: RealServer, cluster: Cluster, office: SystemRef, store: Persistence, trouble: str
    ) -> None:
        """It says that it was seen, by this run of the server, as soon as it has subscribed again."""
        leader = cluster.start("a", JOBS)
        jobs = enqueue_held(office, 3)
        cluster.await_diary("begin", 3)
        before = eventually(lambda: seen_by(store))
        make_trouble(server, trouble)
        eventually(lambda: office.ask(GetStatus()).outage_since is None)
        if trouble == "a restart":
            eventually(lambda: seen_by(store) not in (None, before))
        else:
            eventually(lambda: seen_by(store) == before)
        remains(lambda: leads(office, "a"), WATCHED_S)
        leader.send(signal.SIGKILL)
        standby = cluster.launch("b", JOBS)
        standby.await_ready()
        started_at = time.monotonic()
        again = cluster.await_diary("begin", 6)[3:]
        assert max(entry.at for entry in again) - started_at < TAKEOVER_S
        assert "a holds the lock with epoch 1, and it is not there" in standby.log
        assert_each_ends_once(cluster, office, jobs, "b")

    @pytest.mark.parametrize("denied", ["a", "b"])
    def test_where_one_of_both_may_not_ask_who_is_there_the_lease_is_waited_for(
        self, server: RealServer, cluster: Cluster, office: SystemRef, store: Persistence, denied: str
    ) -> None:
        """A leader that can't say that it was seen, a standby that can't see: neither is a proof. That is said."""
        restricted = let_nobody_ask(server)
        leader = cluster.start("a", JOBS, url=restricted if denied == "a" else None, lock_ttl=4)
        jobs = enqueue_held(office, 2)
        cluster.await_diary("begin", 2)
        standby = cluster.start("b", JOBS, url=restricted if denied == "b" else None, lock_ttl=4)
        what = "it leads" if denied == "a" else "it can't be seen"
        eventually(lambda: f"b stands by: node a holds the lock with epoch 1, and {what}" in standby.log)
        assert (seen_by(store) is None) == (denied == "a")
        killed_at = time.monotonic()
        leader.send(signal.SIGKILL)
        again = cluster.await_diary("begin", 4)[2:]
        assert max(entry.at for entry in again) - killed_at < 4 + 2
        assert "its lease is ended before its time" not in standby.log
        assert_each_ends_once(cluster, office, jobs, "b")
