"""A verb whose reply was lost is sent again, and nothing happens twice."""

from collections.abc import Callable, Iterator

import pytest
import redis

from exqueue.errors import Outage
from exqueue.persistence.redis import open_redis
from exqueue.persistence.redis.keys import queue_keys
from exqueue.persistence.redis.session import RedisSession
from exqueue.persistence.values import CALLER_KEPT_S, Bury, Done, Fence, Holder, Mark, NewJob, Owned, Push
from tests.persistence.redis.proxy import LosingProxy

FENCE = Fence(1, "token")

Verb = Callable[[RedisSession], object]


@pytest.fixture
def session(loaded: None, proxy: LosingProxy, namespace: str) -> Iterator[RedisSession]:
    """A session through the proxy: the lock is held, ``q`` has a running, a dead and five ready jobs."""
    store = open_redis(proxy.url, namespace)
    opened = store.session(timeout=10)
    assert opened.acquire("node", "token", 60, 0) == FENCE
    opened.claim("q", FENCE, 1)
    opened.push("pusher", [Push("q", 1, tuple(NewJob(name, b"record") for name in "abcdefg"))])
    (first,) = opened.exchange("q", FENCE, 1, 1, [], 1, serial=False).jobs
    opened.exchange("q", FENCE, 1, 2, [Bury(first.id, first.run, b"trail")], 1, serial=False)
    yield opened
    store.close()


WRITES: dict[str, Verb] = {
    "push": lambda it: it.push("pusher", [Push("q", 2, (NewJob("new", b"record"), NewJob("a", b"record")))]),
    "retry_dead": lambda it: it.retry_dead("q", "person", 1, ["a", "x"]),
    "delete_dead": lambda it: it.delete_dead("q", "person", 1, ["a", "x"]),
    "cancel": lambda it: it.cancel("q", "person", 1, "e"),
    "set_paused": lambda it: it.set_paused("q", "person", 1, True),
    "acquire": lambda it: it.acquire("node", "token", 60, 0),
    "renew": lambda it: it.renew(FENCE, 60),
    "claim": lambda it: it.claim("q", FENCE, 2),
    "exchange": lambda it: it.exchange("q", FENCE, 1, 3, [Done("zz", b"?")], 2, serial=False),
    "reported": lambda it: it.reported("q", [Mark("a", b"another"), *(one.mark for one in it.unreported("q", 10))]),
    "beat": lambda it: it.beat("node", b"info", 60),
    "forget": lambda it: it.forget("node"),
}
READS: dict[str, Verb] = {
    "queues": lambda it: it.queues(),
    "list_jobs": lambda it: it.list_jobs("q", "ready", 10, 0),
    "get_jobs": lambda it: it.get_jobs("c", ["q", "other"]),
    "nodes": lambda it: it.nodes(),
    "unreported": lambda it: it.unreported("q", 10),
    "presence": lambda it: it.presence("token"),
    "sweep": lambda it: it.sweep([Owned("q", FENCE, 1, 2)]),
    "diagnose": lambda it: it.diagnose(),
}


@pytest.mark.parametrize("verb", [pytest.param(verb, id=name) for name, verb in (WRITES | READS).items()])
def test_a_verb_whose_reply_was_lost_changes_nothing_the_second_time(
    session: RedisSession, proxy: LosingProxy, verb: Verb
) -> None:
    """The first sending was executed; the second finds that out and leaves everything as it is."""
    proxy.lose_the_next_reply()
    with pytest.raises(Outage) as lost:
        verb(session)
    assert lost.value.sent
    assert proxy.has_lost_it
    once = everything(session)
    answer = verb(session)
    assert everything(session) == once
    assert verb(session) == answer


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        (WRITES["retry_dead"], ("a",)),
        (WRITES["delete_dead"], ("a",)),
        (WRITES["cancel"], "ready"),
        (WRITES["renew"], True),
        (WRITES["acquire"], FENCE),
    ],
    ids=["retry_dead", "delete_dead", "cancel", "renew", "acquire"],
)
def test_the_answer_that_was_lost_is_told_again(
    session: RedisSession, proxy: LosingProxy, verb: Verb, answer: object
) -> None:
    """Whoever asks again hears what happened the first time, not that there is nothing to do any more."""
    proxy.lose_the_next_reply()
    with pytest.raises(Outage):
        verb(session)
    assert verb(session) == answer


def test_a_push_that_was_lost_is_not_stored_again_when_its_job_has_run_since(
    session: RedisSession, proxy: LosingProxy
) -> None:
    """Its id is free by then: only the caller's number says that it was stored before."""
    proxy.lose_the_next_reply()
    with pytest.raises(Outage):
        session.push("pusher", [Push("p", 1, (NewJob("new", b"record"),))])
    session.claim("p", FENCE, 1)
    (job,) = session.exchange("p", FENCE, 1, 1, [], 1, serial=False).jobs
    session.exchange("p", FENCE, 1, 2, [Done(job.id, job.run)], 0, serial=False)
    assert session.push("pusher", [Push("p", 1, (NewJob("new", b"record"),))]) == (None,)
    assert session.get_jobs("new", ["p"]) == ()


def test_the_answer_of_a_lost_exchange_is_told_again(session: RedisSession, proxy: LosingProxy) -> None:
    """The jobs that it handed out are handed out to whoever asks again, the same runs."""
    (run,) = session.list_jobs("q", "running", 10, 0)
    ended = [Done(run.id, run.run or b""), Done("zz", b"?")]
    proxy.lose_the_next_reply()
    with pytest.raises(Outage):
        session.exchange("q", FENCE, 1, 3, ended, 2, serial=False)
    again = session.exchange("q", FENCE, 1, 3, ended, 2, serial=False)
    assert [job.id for job in again.jobs] == ["c", "d"]
    assert again.refused == (1,)
    assert session.overview(["q"]).queues[0].processed == 1


def evicting(session: RedisSession) -> Callable[[], bool]:
    """The eviction of the lease as it stands now."""
    holder = session.overview([]).holder
    assert holder is not None
    presence = session.presence(holder.token)
    return lambda: session.evict(holder, presence)


@pytest.mark.parametrize("name", ["release", "evict"])
def test_a_lock_that_was_given_up_is_not_given_up_twice(session: RedisSession, proxy: LosingProxy, name: str) -> None:
    """The second release or eviction finds nothing to end, also when another one has taken the lock since."""
    verb = evicting(session) if name == "evict" else lambda: session.release(FENCE)
    proxy.lose_the_next_reply()
    with pytest.raises(Outage):
        verb()
    other = session.acquire("other", "another", 60, 0)
    assert other == Fence(2, "another")
    assert verb() is False
    assert session.overview([]).holder == Holder(2, "another", "other")


def test_the_number_of_a_caller_is_kept_for_its_time(
    session: RedisSession, server: redis.Redis, namespace: str
) -> None:
    """By each call anew, of whatever kind; then the server forgets it."""
    acts: dict[str, Callable[[int], object]] = {
        "push": lambda n: session.push("me", [Push("q", n, ())]),
        "retry_dead": lambda n: session.retry_dead("q", "me", n, ["a"]),
        "delete_dead": lambda n: session.delete_dead("q", "me", n, ["a"]),
        "cancel": lambda n: session.cancel("q", "me", n, "a"),
        "set_paused": lambda n: session.set_paused("q", "me", n, paused=False),
    }
    key = queue_keys(namespace, "q").caller("me")
    for n, (name, act) in enumerate(acts.items(), 1):
        act(n)
        assert CALLER_KEPT_S - 60 < server.ttl(key) <= CALLER_KEPT_S, name
        server.expire(key, 10)


def test_of_two_pushes_that_were_lost_none_is_stored_twice(session: RedisSession, proxy: LosingProxy) -> None:
    """Each queue remembers the caller's number of its own."""
    pushes = [Push("q", 2, (NewJob("new", b"record"),)), Push("p", 1, (NewJob("new", b"record"),))]
    proxy.lose_the_next_reply()
    with pytest.raises(Outage):
        session.push("pusher", pushes)
    assert session.push("pusher", pushes) == (None, None)
    assert [counts.ready for counts in session.overview(["q", "p"]).queues] == [6, 1]


def everything(session: RedisSession) -> object:
    """All that there is to see, but for the clock."""
    seen = session.overview(["q"])
    states = ("ready", "waiting", "running", "dead")
    jobs = [session.list_jobs("q", state, 100, 0) for state in states]  # type: ignore[arg-type]
    return seen.holder, seen.queues, jobs, session.nodes(), session.queues()
