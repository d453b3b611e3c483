"""A leader that dies is replaced within seconds, one that lives is left alone, one that was frozen finds out."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
import redis

from exqueue import Enqueue, GetJob, GetStatus, ListJobs
from exqueue.persistence.redis.keys import namespace_keys
from tests.servers import real_server
from tests.system.helpers import eventually, queue_status, remains

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef
    from tests.nodes.cluster import Cluster
    from tests.servers import RealServer

TAKEOVER_S = 3.0
"""What is promised where the leader is provably gone."""

WATCHED_S = 4.0
"""How long nothing may happen: longer than a takeover takes."""

JOBS = {"Hold": {"concurrency": 3}, "Quick": {}}


def enqueue_held(office: SystemRef, count: int) -> list[str]:
    """Jobs that run until they are released."""
    return [office.ask(Enqueue("Hold", {"number": number})) for number in range(count)]


def leads(office: SystemRef, node: str) -> bool:
    """Whether this node leads, as a third one sees it."""
    return bool(office.ask(GetStatus()).leader == node)


def assert_each_ends_once(cluster: Cluster, office: SystemRef, jobs: list[str], node: str) -> None:
    """Let the jobs end on this node; each has been recovered once, and all are gone."""
    eventually(lambda: len(office.ask(ListJobs("running"))) == len(jobs))
    assert {office.ask(GetJob(job)).recoveries for job in jobs} == {1}
    cluster.release(node)
    ended = cluster.await_diary("end", len(jobs), node=node)
    assert sorted(entry.job for entry in ended) == sorted(jobs)
    eventually(lambda: queue_status(office, "Hold").running == 0)
    assert queue_status(office, "Hold").processed == len(jobs)


def test_the_jobs_of_a_killed_leader_run_elsewhere(cluster: Cluster, office: SystemRef) -> None:
    """Within the time that is promised, although nobody has reaped the dead process."""
    leader = cluster.start("a", JOBS)
    cluster.start("b", JOBS)
    cluster.start("c", JOBS)
    jobs = enqueue_held(office, 3)
    cluster.await_diary("begin", 3, node="a")
    killed_at = time.monotonic()
    leader.send(signal.SIGKILL)
    eventually(lambda: len(cluster.diary("begin")) == 6)
    again = cluster.diary("begin")[3:]
    (successor,) = {entry.node for entry in again}
    assert max(entry.at for entry in again) - killed_at < TAKEOVER_S
    assert_each_ends_once(cluster, office, jobs, successor)


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare to make a PID namespace")
def test_a_leader_in_another_pid_namespace_is_seen_to_die(cluster: Cluster, office: SystemRef) -> None:
    """Process ids are no witnesses: they mean something else there."""
    unshare = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")
    if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine allows no PID namespaces")
    leader = cluster.start("a", JOBS, before=unshare)
    cluster.start("b", JOBS)
    jobs = enqueue_held(office, 2)
    cluster.await_diary("begin", 2, node="a")
    killed_at = time.monotonic()
    leader.send(signal.SIGKILL)
    again = cluster.await_diary("begin", 2, node="b")
    assert max(entry.at for entry in again) - killed_at < TAKEOVER_S
    assert_each_ends_once(cluster, office, jobs, "b")


def test_a_frozen_leader_finds_out_and_stands_by(cluster: Cluster, office: SystemRef) -> None:
    """What it had in hand ran elsewhere: all it does is refused, and it says which of its runs are superseded."""
    leader = cluster.start("a", JOBS, lock_ttl=2)
    cluster.start("b", JOBS, lock_ttl=2)
    jobs = enqueue_held(office, 3)
    cluster.await_diary("begin", 3, node="a")
    leader.send(signal.SIGSTOP)
    cluster.await_diary("begin", 3, node="b")
    assert_each_ends_once(cluster, office, jobs, "b")
    leader.send(signal.SIGCONT)
    eventually(lambda: "a does not lead any more" in leader.log)
    eventually(lambda: "3 of its jobs execute on a: they go on executing here, superseded" in leader.log)
    cluster.release("a")
    assert len(cluster.await_diary("cancelled", 3, node="a")) == 3
    again = office.ask(Enqueue("Quick", {"number": 9}))
    assert [entry.node for entry in cluster.await_diary("end", 4) if entry.job == again] == ["b"]
    assert leads(office, "b")
    assert queue_status(office, "Hold").processed == 3
    assert cluster.diary("end", node="a") == []


def presence_channel(client: redis.Redis, namespace: str) -> str:
    """The channel on which the holder of the lock shows that it lives."""
    keys = namespace_keys(namespace)
    lease = client.get(keys.lease)
    assert isinstance(lease, bytes)
    return keys.alive(lease.decode().split("|")[1]).decode()


def make_trouble(server: RealServer, trouble: str) -> None:
    """Break connections."""
    if trouble == "a restart":
        server.stop()
        server.start()
        return
    with redis.Redis.from_url(server.url) as client:
        client.client_kill_filter(_type="pubsub" if trouble == "its subscription" else "normal", skipme=True)


@pytest.fixture
def server(needs_server: None) -> Iterator[RealServer]:
    """A server that the test may treat badly; what it stored survives."""
    with real_server("--appendonly", "yes") as started:
        yield started


class TestOwnServer:
    """On a server of the test's own."""

    @pytest.fixture
    def url(self, server: RealServer) -> str:
        """Its address."""
        return server.url

    def test_without_a_witness_the_lease_is_waited_for(
        self, server: RealServer, cluster: Cluster, office: SystemRef, namespace: str
    ) -> None:
        """A server that does not tell who subscribes: then it takes the time-to-live, and 2 s at most."""
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
        url = server.url.replace("unix://", "unix://app:secret@")
        leader = cluster.start("a", JOBS, url=url, lock_ttl=3)
        standby = cluster.start("b", JOBS, url=url, lock_ttl=3)
        jobs = enqueue_held(office, 2)
        cluster.await_diary("begin", 2, node="a")
        killed_at = time.monotonic()
        leader.send(signal.SIGKILL)
        again = cluster.await_diary("begin", 2, node="b")
        assert max(entry.at for entry in again) - killed_at < 3 + 2
        assert "its lease is ended" not in standby.log
        assert_each_ends_once(cluster, office, jobs, "b")

    @pytest.mark.parametrize("trouble", ["every connection", "its subscription", "a restart"])
    def test_a_living_leader_goes_on(
        self, server: RealServer, cluster: Cluster, office: SystemRef, trouble: str
    ) -> None:
        """Whatever happens to its connections: nothing is taken from it, and its jobs end where they began."""
        cluster.start("a", JOBS)
        cluster.start("b", JOBS)
        jobs = enqueue_held(office, 3)
        cluster.await_diary("begin", 3, node="a")
        epoch = office.ask(GetStatus()).epoch
        make_trouble(server, trouble)
        remains(lambda: len(cluster.diary("begin")) == 3, WATCHED_S)
        eventually(lambda: office.ask(GetStatus()).outage_since is None)
        assert office.ask(GetStatus()).epoch == epoch
        assert leads(office, "a")
        cluster.release("a")
        assert sorted(entry.job for entry in cluster.await_diary("end", 3)) == sorted(jobs)
        eventually(lambda: queue_status(office, "Hold").processed == 3)
        assert {entry.node for entry in cluster.diary("begin")} == {"a"}
        assert len(cluster.diary("begin")) == 3

    def test_a_leader_that_can_not_be_seen_is_not_taken_for_dead(
        self, server: RealServer, cluster: Cluster, office: SystemRef, namespace: str
    ) -> None:
        """Its presence is lost and does not come back: it renews so often that nobody ends its lease."""
        with redis.Redis.from_url(server.url) as client:
            client.acl_setuser(
                "app", enabled=True, passwords=["+secret"], categories=["+@all"], keys=["*"], channels=["*"]
            )
            cluster.start("a", JOBS, url=server.url.replace("unix://", "unix://app:secret@"))
            cluster.start("b", JOBS)
            enqueue_held(office, 1)
            cluster.await_diary("begin", 1, node="a")
            channel = presence_channel(client, namespace)
            eventually(lambda: client.pubsub_numsub(channel)[0][1] == 1)
            client.acl_setuser("app", commands=["-subscribe"])
            for entry in client.client_list(_type="pubsub"):
                if entry["user"] == "app":
                    client.client_kill_filter(_id=entry["id"])
            eventually(lambda: client.pubsub_numsub(channel)[0][1] == 0)
            remains(lambda: client.pubsub_numsub(channel)[0][1] == 0, WATCHED_S)
        assert leads(office, "a")
        assert len(cluster.diary("begin")) == 1
