"""A key of another type than it should be: the verb says which, and changes nothing."""

from collections.abc import Callable
from typing import cast

import pytest
import redis

from exqueue.errors import Outage, StoreDamaged
from exqueue.persistence.redis.keys import namespace_keys, queue_keys
from exqueue.persistence.redis.session import RedisSession
from exqueue.persistence.values import (
    Bury,
    Done,
    Fence,
    Fetched,
    GiveBack,
    Leave,
    Mark,
    NewJob,
    Owned,
    Push,
    Recovered,
    Retry,
    Settlement,
)

FENCE = Fence(1, "token")

Verb = Callable[[RedisSession], object]


def settle_all_kinds(session: RedisSession, runs: list[Fetched]) -> object:
    """One exchange that touches everything."""
    a, b, c, d, e = runs
    ended: list[Settlement] = [Done(a.id, a.run), Retry(b.id, b.run, 60, b"t"), Bury(c.id, c.run, b"t")]
    ended += [GiveBack(d.id, d.run), Recovered(e.id, e.run)]
    return session.exchange("q", FENCE, 1, 2, ended, 3, serial=False, leave=Leave(suspect=True))


@pytest.mark.parametrize(
    "role",
    [
        "jobs",
        "trail",
        "recoveries",
        "ready",
        "returned",
        "suspects",
        "waiting",
        "dead",
        "running",
        "owner",
        "husks",
        "unreported",
    ],
)
def test_a_key_of_a_wrong_type_is_named_and_nothing_is_changed(
    session: RedisSession, server: redis.Redis, namespace: str, role: str
) -> None:
    """Whatever key it is: each verb either does not need it, or refuses before its first write."""
    at = queue_keys(namespace, "q")
    session.claim("q", FENCE, 1)
    session.push("pusher", [Push("q", 1, tuple(NewJob(name, b"record") for name in "abcdefgh"))])
    runs = list(session.exchange("q", FENCE, 1, 1, [], 5, serial=False).jobs)
    key: bytes = getattr(at, role)
    server.delete(key)
    server.set(key, "somebody else was here")
    before = contents(server, at.prefix)
    verbs: dict[str, Verb] = {
        "push": lambda it: it.push("pusher", [Push("q", 2, (NewJob("x", b"r"), NewJob("y", b"r", delay=60)))])[0],
        "claim": lambda it: it.claim("q", Fence(2, "another"), 2),
        "exchange": lambda it: settle_all_kinds(it, runs),
        "retry_dead": lambda it: it.retry_dead("q", "person", 1, ["a"]),
        "delete_dead": lambda it: it.delete_dead("q", "person", 1, ["a"]),
        "cancel": lambda it: it.cancel("q", "person", 1, "h"),
        "sweep": lambda it: it.sweep([Owned("q", FENCE, 1, 1)]),
        "overview": lambda it: it.overview(["q"]),
        "unreported": lambda it: it.unreported("q", 10),
        "reported": lambda it: it.reported("q", [Mark("a", b"1|1|1|1")]),
    }
    damaged = 0
    for name, verb in verbs.items():
        try:
            answer = verb(session)
        except Outage as refused:
            answer = refused
        if isinstance(answer, Outage):
            assert isinstance(answer, StoreDamaged), name
            assert not answer.sent
            assert repr(role) in str(answer), name
            assert repr(key.decode()) in str(answer), name
            assert contents(server, at.prefix) == before, name
            damaged += 1
        else:
            # It did not need the key: take back what it did, for the next one.
            restore(server, at.prefix, before)
    assert damaged > 0


@pytest.mark.parametrize(
    ("role", "verb"),
    [
        pytest.param("queues", lambda it: it.queues(), id="queues"),
        pytest.param("queues", lambda it: it.claim("q", FENCE, 1), id="queues of a claim"),
        pytest.param("fence", lambda it: it.acquire("node", "token", 60, 0), id="fence"),
        pytest.param("lease", lambda it: it.renew(FENCE, 60), id="lease"),
        pytest.param("nodes", lambda it: it.beat("node", b"info", 60), id="nodes"),
        pytest.param("nodes", lambda it: it.nodes(), id="nodes when read"),
        pytest.param("layout", lambda it: it.queues(), id="layout"),
    ],
)
def test_a_key_of_the_namespace_of_a_wrong_type_is_named(
    session: RedisSession, server: redis.Redis, namespace: str, role: str, verb: Verb
) -> None:
    """The same for the lock, the list of queues and the nodes."""
    key: bytes = getattr(namespace_keys(namespace), role)
    server.rpush(key, "somebody else was here")
    with pytest.raises(StoreDamaged, match=f"{role}' in a") as refused:
        verb(session)
    assert repr(key.decode()) in str(refused.value)


@pytest.mark.parametrize(
    ("role", "field", "verbs"),
    [
        pytest.param("running", "a job", "claim, claim anew, list_jobs", id="a run"),
        pytest.param("running", "h", "get_jobs", id="the run of a job"),
        pytest.param("owner", "epoch", "claim, claim anew, exchange, overview", id="epoch"),
        pytest.param("owner", "seat", "claim anew", id="seat"),
        pytest.param("owner", "call", "claim anew, exchange", id="call"),
        pytest.param("owner", "places", "exchange", id="places"),
        pytest.param("owner", "processed", "exchange, overview", id="processed"),
        pytest.param("owner", "failed", "exchange, overview", id="failed"),
        pytest.param("owner", "husks", "exchange, cancel, overview", id="husks"),
        pytest.param("husks", "h", "cancel", id="the husks of a job"),
    ],
)
def test_an_entry_that_is_no_number_is_named_and_nothing_is_changed(
    session: RedisSession, server: redis.Redis, namespace: str, role: str, field: str, verbs: str
) -> None:
    """It is damage and no outage: the key and the entry are named, so that a person can mend it."""
    at = queue_keys(namespace, "q")
    session.claim("q", FENCE, 1)
    session.push("pusher", [Push("q", 1, tuple(NewJob(name, b"record") for name in "abcdefgh"))])
    session.exchange("q", FENCE, 1, 1, [], 5, serial=False)
    key: bytes = getattr(at, role)
    server.hset(key, field, "nonsense")
    before = contents(server, at.prefix)
    acts: dict[str, Verb] = {
        "claim": lambda it: it.claim("q", Fence(2, "another"), 2),
        "claim anew": lambda it: it.claim("q", FENCE, 2),
        "exchange": lambda it: it.exchange("q", FENCE, 1, 2, [], 3, serial=False, leave=Leave(suspect=True)),
        "overview": lambda it: it.overview(["q"]),
        "cancel": lambda it: it.cancel("q", "person", 1, "h"),
        "list_jobs": lambda it: it.list_jobs("q", "running", 10, 0),
        "get_jobs": lambda it: it.get_jobs(field, ["q"]),
    }
    for verb in verbs.split(", "):
        with pytest.raises(StoreDamaged, match="Nothing was changed") as refused:
            acts[verb](session)
        assert repr(key.decode()) in str(refused.value), verb
        assert repr(field) in str(refused.value), verb
        assert contents(server, at.prefix) == before, verb


def test_a_count_of_husks_that_is_no_number_costs_no_job(
    session: RedisSession, server: redis.Redis, namespace: str
) -> None:
    """It is met when jobs are taken out of the line already: it counts for none, and is right again afterwards."""
    at = queue_keys(namespace, "q")
    session.claim("q", FENCE, 1)
    session.push("pusher", [Push("q", 1, tuple(NewJob(name, b"record") for name in "abc"))])
    server.hset(at.husks, "b", "nonsense")
    assert session.overview(["q"]).queues[0].ready == 3
    assert [job.id for job in session.list_jobs("q", "ready", 10, 0)] == ["a", "b", "c"]
    jobs = session.exchange("q", FENCE, 1, 1, [], 3, serial=False).jobs
    assert [job.id for job in jobs] == ["a", "b", "c"]


def test_a_push_to_a_queue_that_can_not_be_listed_is_not_called_stored(
    session: RedisSession, server: redis.Redis, namespace: str
) -> None:
    """A leader claims what is listed: jobs of another queue would wait for ever, so the push has to be sent again."""
    at = namespace_keys(namespace).queues
    server.rpush(at, "somebody else was here")
    push = [Push("q", 1, (NewJob("a", b"record"),))]
    (refused,) = session.push("pusher", push)
    assert isinstance(refused, Outage)
    assert refused.sent
    assert "queues" in str(refused)
    server.delete(at)
    assert session.push("pusher", push) == (None,)
    assert session.queues() == ("q",)


def contents(server: redis.Redis, prefix: bytes) -> dict[bytes, bytes]:
    """Every key of a queue, as the server would move it elsewhere."""
    keys = cast("list[bytes]", server.keys(prefix + b"*"))
    return {key: cast("bytes", server.dump(key)) for key in sorted(keys)}


def restore(server: redis.Redis, prefix: bytes, wanted: dict[bytes, bytes]) -> None:
    """Make a queue what it was."""
    for key in server.keys(prefix + b"*"):
        server.delete(key)
    for key, dumped in wanted.items():
        server.restore(key, 0, dumped)
