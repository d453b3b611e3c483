"""Entries of the ready line whose job was cancelled: skipped, counted, and never taken for another job."""

import pytest
import redis

from exqueue.persistence.redis.keys import QueueKeys, queue_keys
from exqueue.persistence.redis.session import RedisSession
from exqueue.persistence.values import Done, Fence, NewJob, Push

FENCE = Fence(1, "token")


@pytest.fixture
def at(session: RedisSession, namespace: str) -> QueueKeys:
    """The keys of ``q``, which is claimed."""
    session.claim("q", FENCE, 1)
    return queue_keys(namespace, "q")


def push(session: RedisSession, n: int, *ids: str) -> None:
    """One push that is stored."""
    assert session.push("pusher", [Push("q", n, tuple(NewJob(job_id, b"record") for job_id in ids))]) == (None,)


def fetch(session: RedisSession, call: int, want: int) -> list[str]:
    """The ids that one exchange hands out."""
    exchanged = session.exchange("q", FENCE, 1, call, [], want, serial=False)
    return [job.id for job in exchanged.jobs]


def test_a_job_that_was_cancelled_and_pushed_again_runs_once_and_at_its_new_place(
    session: RedisSession, server: redis.Redis, at: QueueKeys
) -> None:
    """Its first entry is the dead one."""
    push(session, 1, "a", "b")
    assert session.cancel("q", "person", 1, "a") == "ready"
    push(session, 2, "c", "a")
    assert server.lrange(at.ready, 0, -1) == [b"a", b"b", b"c", b"a"]
    assert session.overview(["q"]).queues[0].ready == 3
    assert [job.id for job in session.list_jobs("q", "ready", 10, 0)] == ["b", "c", "a"]
    assert session.overview(["q"]).queues[0].oldest_ready == b"record"
    assert fetch(session, 1, 10) == ["b", "c", "a"]
    assert server.exists(at.husks, at.ready) == 0
    assert server.hget(at.owner, "husks") == b"0"


def test_thousands_of_cancelled_jobs_do_not_hide_the_one_behind_them(
    session: RedisSession, server: redis.Redis, at: QueueKeys
) -> None:
    """One exchange looks at a bounded number of them, and asks for the next one at once."""
    for n in range(10):
        push(session, n + 1, *(f"{n}-{i}" for i in range(1_000)))
    push(session, 11, "last")
    with server.pipeline(transaction=False) as pipe:
        for job_id in server.lrange(at.ready, 0, -2):
            pipe.hdel(at.jobs, job_id)
            pipe.hincrby(at.husks, job_id, 1)
        pipe.hset(at.owner, "husks", 10_000)
        pipe.execute()
    found: list[str] = []
    for call in range(1, 10):
        exchanged = session.exchange("q", FENCE, 1, call, [], 1, serial=False)
        found = [job.id for job in exchanged.jobs]
        if exchanged.next_due is None:
            break
    assert found == ["last"]
    assert server.exists(at.husks) == 0


def test_cancelled_jobs_between_the_others_are_skipped_within_one_exchange(
    session: RedisSession, server: redis.Redis, at: QueueKeys
) -> None:
    """However many stand between two that are wanted."""
    push(session, 1, "a", *(f"b{i}" for i in range(20)), "c", *(f"d{i}" for i in range(20)), "e")
    for n, job_id in enumerate([f"{letter}{i}" for letter in "bd" for i in range(20)]):
        assert session.cancel("q", "person", n, job_id) == "ready"
    assert fetch(session, 1, 3) == ["a", "c", "e"]
    assert server.exists(at.husks, at.ready) == 0


def test_an_entry_without_a_job_is_passed_over(session: RedisSession, server: redis.Redis, at: QueueKeys) -> None:
    """Whatever left it behind: the next one runs in its stead."""
    push(session, 1, "a", "b", "c")
    server.hdel(at.jobs, "a")
    assert fetch(session, 1, 2) == ["b", "c"]


def test_a_burst_of_pushes_wakes_a_hungry_owner_once(session: RedisSession, server: redis.Redis, at: QueueKeys) -> None:
    """What comes after the first finds the owner on its way; its next exchange asks to be woken again."""
    assert fetch(session, 1, 1) == []
    assert server.hget(at.owner, "hungry") == b"1"
    push(session, 1, "a")
    assert server.hget(at.owner, "hungry") == b"0"
    (job,) = session.exchange("q", FENCE, 1, 2, [], 1, serial=False).jobs
    assert server.hget(at.owner, "hungry") == b"0"
    session.exchange("q", FENCE, 1, 3, [Done(job.id, job.run)], 1, serial=False)
    assert server.hget(at.owner, "hungry") == b"1"


def test_a_page_far_back_is_found_although_an_entry_is_to_be_skipped(session: RedisSession, at: QueueKeys) -> None:
    """There an offset counts what is skipped too: to look at every entry before it would block the server."""
    for n in range(7):
        push(session, n + 1, *(f"{n}-{i}" for i in range(1_000)))
    session.cancel("q", "person", 1, "0-0")
    assert [job.id for job in session.list_jobs("q", "ready", 2, 3_998)] == ["3-999", "4-0"]
    assert [job.id for job in session.list_jobs("q", "ready", 2, 5_999)] == ["5-999", "6-0"]
