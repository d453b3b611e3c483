"""Entries of the ready line whose job was cancelled: skipped, counted, and never taken for another job."""

import itertools
import random
from collections.abc import Sequence

import pytest
import redis

from exqueue.persistence.redis.connection import Args, Reply
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


def cancel_many(server: redis.Redis, at: QueueKeys, ids: Sequence[str]) -> None:
    """As the verb does, which would take a minute for so many."""
    with server.pipeline(transaction=False) as pipe:
        for job_id in ids:
            pipe.hdel(at.jobs, job_id)
            pipe.hincrby(at.husks, job_id, 1)
        pipe.hincrby(at.owner, "husks", len(ids))
        pipe.execute()


@pytest.mark.parametrize("seed", range(3))
def test_pages_of_a_long_line_make_up_the_whole(
    session: RedisSession, server: redis.Redis, at: QueueKeys, seed: int
) -> None:
    """However much of it is to be skipped, in stretches or here and there, and also where an id was stored again."""
    chance = random.Random(seed)
    line: list[str] = []
    numbers = itertools.count(1)

    def push_some(*ids: str) -> None:
        for first in range(0, len(ids), 1_000):
            push(session, next(numbers), *ids[first : first + 1_000])
        line.extend(ids)

    def cancel(*ids: str) -> None:
        cancel_many(server, at, ids)
        gone = set(ids)
        line[:] = [job_id for job_id in line if job_id not in gone]

    push_some(*(f"j{i}" for i in range(17_000)))
    stretch = chance.randrange(9_000)
    cancel(*line[stretch : stretch + 6_000])
    cancel(*chance.sample(line, 300))
    again = chance.sample(sorted({f"j{i}" for i in range(17_000)} - {*line}), 400)
    push_some(*again[:200])
    cancel(*again[:50])
    push_some(*again[200:], *again[:50])

    assert session.overview(["q"]).queues[0].ready == len(line)
    pages = [session.list_jobs("q", "ready", 1_000, offset) for offset in range(0, len(line), 1_000)]
    assert [job.id for page in pages for job in page] == line
    for offset in (0, 4_990, len(line) - 3, len(line), len(line) + 1, 10**12):
        assert [job.id for job in session.list_jobs("q", "ready", 7, offset)] == line[offset : offset + 7]


def test_pages_of_many_that_went_back_make_up_the_whole(
    session: RedisSession, server: redis.Redis, at: QueueKeys
) -> None:
    """Those that went back, suspects and others by place, then the fresh ones."""
    ids = [f"j{i:03}" for i in range(300)]
    push(session, 1, *ids)
    server.ltrim(at.ready, 200, -1)
    chance = random.Random(1)
    for place, job_id in enumerate(ids[:200]):
        # Two by two they have one place, as nothing else decides between them than their ids.
        server.zadd(at.suspects if chance.random() < 0.3 else at.returned, {job_id: place // 2})
    for limit in (1, 7, 100):
        found = [[job.id for job in session.list_jobs("q", "ready", limit, offset)] for offset in range(0, 300, limit)]
        assert [job_id for page in found for job_id in page] == ids


def test_one_look_at_the_server_is_short_however_far_back_the_page_is(
    session: RedisSession, server: redis.Redis, at: QueueKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond its bound a look ends, and the next one goes on behind it."""
    for n in range(12):
        push(session, n + 1, *(f"{n}-{i}" for i in range(1_000)))
    session.cancel("q", "person", 1, "0-0")
    looks: list[tuple[str, object]] = []
    run = RedisSession._run  # noqa: SLF001 - watched here

    def watched(self: RedisSession, name: str, keys: tuple[bytes, ...], args: Args) -> Reply:
        reply = run(self, name, keys, args)
        looks.append((name, reply[0] if name == "look_along" else len(reply)))
        return reply

    monkeypatch.setattr(RedisSession, "_run", watched)
    assert [job.id for job in session.list_jobs("q", "ready", 2, 10_998)] == ["10-999", "11-0"]
    assert looks == [("list_jobs", 1), *[("look_along", 5_000)] * 2, ("look_along", 2_000), ("list_jobs", 11)]
    looks.clear()
    assert session.list_jobs("q", "ready", 2, 11_999) == ()
    assert looks == [("list_jobs", 1)]
