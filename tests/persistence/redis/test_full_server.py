"""A server whose memory is full: new jobs are refused, and everything else goes on."""

from collections.abc import Iterator

import pytest
import redis

from exqueue.errors import StorageFull
from exqueue.persistence.redis import open_redis
from exqueue.persistence.redis.session import RedisSession
from exqueue.persistence.values import Bury, Done, Fence, Fetched, GiveBack, NewJob, Push, Recovered, Retry, Settlement
from tests.servers import real_server

FENCE = Fence(1, "token")
BALLAST_BYTES = 100_000


@pytest.fixture
def full(needs_server: None, namespace: str) -> Iterator[RedisSession]:
    """A session on a full server: ten jobs of ``q`` run, twenty are ready."""
    with real_server("--maxmemory-policy", "noeviction") as server, redis.Redis.from_url(server.url) as client:
        store = open_redis(server.url, namespace)
        session = store.session(timeout=10)
        session.acquire("node", "token", 60, 0)
        session.claim("q", FENCE, 1)
        session.push("pusher", [Push("q", 1, tuple(NewJob(f"{i:02}", b"record") for i in range(30)))])
        session.exchange("q", FENCE, 1, 1, [], 10, serial=False)
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) // 2)
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            client.set("ballast", "x" * BALLAST_BYTES)
        yield session
        store.close()


def running(session: RedisSession) -> list[Fetched]:
    """What runs, as it was fetched."""
    jobs = session.list_jobs("q", "running", 100, 0)
    return [Fetched(job.id, job.run or b"", job.record, job.trail, job.recoveries) for job in jobs]


def test_a_push_is_refused_clearly_and_stores_nothing(full: RedisSession) -> None:
    """The error says that nothing was stored and what to do."""
    later = Push("q", 3, (NewJob("later", b"record", delay=60),))
    at_once, delayed, other = full.push("pusher", [Push("q", 2, (NewJob("new", b"r"),)), later, Push("p", 1, ())])
    for refused in (at_once, delayed, other):
        assert isinstance(refused, StorageFull)
        assert not refused.sent
    assert "is full" in str(at_once)
    assert full.get_jobs("new", ["q"]) == full.get_jobs("later", ["q"]) == ()


def test_all_kinds_of_settlements_work(full: RedisSession) -> None:
    """What has run is settled, and the next are fetched: that is how a full server gets empty again."""
    a, b, c, d, e, *rest = running(full)
    ended: list[Settlement] = [Done(a.id, a.run), Retry(b.id, b.run, 60, b"trail"), Bury(c.id, c.run, b"trail")]
    ended += [GiveBack(d.id, d.run), Recovered(e.id, e.run)]
    ended += [Done(job.id, job.run) for job in rest]
    exchanged = full.exchange("q", FENCE, 1, 2, ended, 10, serial=False)
    assert exchanged.refused == ()
    assert len(exchanged.jobs) == 10
    (counts,) = full.overview(["q"]).queues
    assert (counts.ready, counts.waiting, counts.running, counts.dead, counts.processed) == (12, 1, 10, 1, 6)


def test_the_lock_and_the_queues_change_hands(full: RedisSession) -> None:
    """A node may die just then, and another one must be able to take over."""
    assert full.renew(FENCE, 60)
    assert full.release(FENCE)
    other = full.acquire("other", "another", 60, 0)
    assert other == Fence(2, "another")
    assert full.claim("q", Fence(2, "another"), 2).runs == ()
    full.beat("other", b"info", 60)
    assert full.nodes() == (("other", b"info"),)
    exchanged = full.exchange("q", Fence(2, "another"), 2, 1, [], 10, serial=False)
    assert [job.recoveries for job in exchanged.jobs] == [1] * 10


def test_a_person_can_tidy_up(full: RedisSession) -> None:
    """To delete, to cancel, to pause and to retry needs no room worth speaking of."""
    job, other = running(full)[:2]
    full.exchange("q", FENCE, 1, 2, [Bury(it.id, it.run, None) for it in (job, other)], 0, serial=False)
    assert full.delete_dead("q", "person", 1, [job.id]) == (job.id,)
    assert full.retry_dead("q", "person", 2, [other.id]) == (other.id,)
    assert full.cancel("q", "person", 3, "29") == "ready"
    full.set_paused("q", "person", 4, True)
    assert full.overview(["q"]).queues[0].paused
