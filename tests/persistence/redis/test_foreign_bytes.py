"""What somebody else wrote and no Exqueue would: ids and names that are no UTF-8 never end a verb."""

import redis

from exqueue.persistence.redis import RedisPersistence
from exqueue.persistence.redis.keys import namespace_keys, queue_keys
from exqueue.persistence.redis.session import RedisSession
from exqueue.persistence.values import Bury, Done, Fence, GiveBack, NewJob, Push, QueueWoken, RunningEntry, Settlement

FENCE = Fence(1, "token")

RAW = b"\xff bad \xc3"
ID = "\udcff bad \udcc3"
"""How it is named here: as itself, but for the bytes that are no text."""


def put(server: redis.Redis, namespace: str, line: str = "ready") -> None:
    """Store a job of that id behind the back of Exqueue, with a sound one behind it."""
    at = queue_keys(namespace, "q")
    server.sadd(namespace_keys(namespace).queues, "q")
    for job_id in (RAW, b"sound"):
        server.hset(at.jobs, job_id, b"record")
        if line == "ready":
            server.rpush(at.ready, job_id)
        else:
            server.zadd(getattr(at, line), {job_id: 1})


def test_such_an_id_is_handed_out_and_settled_like_any_other(
    session: RedisSession, server: redis.Redis, namespace: str
) -> None:
    """It is named so that each verb of the owner finds it again, byte by byte."""
    put(server, namespace)
    session.claim("q", FENCE, 1)
    first = session.exchange("q", FENCE, 1, 1, [], 2, serial=False)
    assert [job.id for job in first.jobs] == [ID, "sound"]
    bad, sound = first.jobs
    assert session.claim("q", FENCE, 1).runs == (RunningEntry(ID, bad.run), RunningEntry("sound", sound.run))
    back = session.exchange("q", FENCE, 1, 2, [GiveBack(ID, bad.run)], 1, serial=False)
    (again,) = back.jobs
    assert (again.id, back.refused) == (ID, ())
    ended: list[Settlement] = [Bury(ID, again.run, b"trail"), Done("sound", sound.run)]
    assert session.exchange("q", FENCE, 1, 3, ended, 1, serial=False).refused == ()
    at = queue_keys(namespace, "q")
    assert server.zrange(at.dead, 0, -1) == [RAW]
    assert server.hgetall(at.jobs) == {RAW: b"record"}
    assert server.hlen(at.running) == 0


def test_such_an_id_can_be_shown_and_named(session: RedisSession, server: redis.Redis, namespace: str) -> None:
    """What a list shows can be found, retried, cancelled and deleted."""
    put(server, namespace, line="dead")
    assert [job.id for job in session.list_jobs("q", "dead", 10, 0)] == ["sound", ID]
    assert [job.id for job in session.get_jobs(ID, ["q"])] == [ID]
    assert session.retry_dead("q", "person", 1, [ID]) == (ID,)
    assert session.list_jobs("q", "ready", 10, 0)[0].id == ID
    assert session.cancel("q", "person", 2, ID) == "ready"
    assert session.get_jobs(ID, ["q"]) == ()
    put(server, namespace, line="dead")
    assert session.delete_dead("q", "person", 3, [ID]) == (ID,)


def test_such_a_head_of_a_serial_queue_is_shown(session: RedisSession, server: redis.Redis, namespace: str) -> None:
    """The status names what halts the queue."""
    put(server, namespace)
    session.claim("q", FENCE, 1)
    (head,) = session.exchange("q", FENCE, 1, 1, [], 1, serial=True).jobs
    session.exchange("q", FENCE, 1, 2, [Bury(head.id, head.run, None)], 0, serial=True)
    (counts,) = session.overview(["q"]).queues
    assert (counts.head, counts.head_dead) == (ID, True)


def test_such_a_name_of_a_queue_is_passed_over_and_said(
    session: RedisSession, server: redis.Redis, namespace: str
) -> None:
    """It is no queue of Exqueue's: the others are listed, and the diagnosis names it and where it stands."""
    put(server, namespace)
    assert not [danger for danger in session.diagnose() if "queues" in danger.sentence]
    server.sadd(namespace_keys(namespace).queues, b"\xffmail", b"\xfe")
    assert session.queues() == ("q",)
    (danger,) = [danger for danger in session.diagnose() if "queues" in danger.sentence]
    assert repr(b"\xffmail") in danger.sentence
    assert repr(b"\xfe") in danger.sentence
    assert namespace_keys(namespace).queues.decode() in danger.sentence
    assert not danger.is_grave


def test_such_a_beat_is_passed_over(session: RedisSession, server: redis.Redis, namespace: str) -> None:
    """Of a node that is no text, without an end, or without anything at all; the others are listed."""
    session.beat("node", b"\xffinfo", 60)
    beats = {b"\xff": b"9999999999999|info", b"a": b"soon|info", b"b": b"", b"c": b"\xff|\xff"}
    for node, beat in beats.items():
        server.hset(namespace_keys(namespace).nodes, node, beat)
    assert session.nodes() == (("node", b"\xffinfo"),)
    session.beat("another", b"", 60)
    assert [node for node, _ in session.nodes()] == ["another", "node"]


def test_such_a_signal_is_passed_over(
    store: RedisPersistence, session: RedisSession, server: redis.Redis, namespace: str
) -> None:
    """It is nobody's name: the subscription goes on."""
    subscription = store.subscribe("token", timeout=10)
    try:
        server.publish(namespace_keys(namespace).wake, b"\xff")
        session.push("pusher", [Push("q", 1, (NewJob("a", b"record"),))])
        session.set_paused("q", "person", 1, paused=True)
        assert subscription.next(10) == QueueWoken("q")
    finally:
        subscription.close()
