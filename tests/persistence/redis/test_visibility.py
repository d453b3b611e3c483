"""What a lease says of its holder's presence: what the server itself sees in the step that renews, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exqueue.persistence.redis import open_redis
from exqueue.persistence.redis.keys import namespace_keys
from exqueue.persistence.values import Fence, Holder
from tests.persistence.conformance.play import eventually
from tests.servers import real_server

if TYPE_CHECKING:
    import redis

    from exqueue.persistence.redis import RedisPersistence
    from exqueue.persistence.redis.session import RedisSession

TTL_S = 60.0
FENCE = Fence(1, "token")


def leased(session: RedisSession) -> Holder:
    """The lease that stands."""
    holder = session.overview(()).holder
    assert holder is not None
    return holder


def run_id(server: redis.Redis) -> str:
    """Of the server, as it says itself."""
    return str(server.info("server")["run_id"])


def test_a_lease_without_the_field_is_of_a_holder_that_was_not_seen(
    store: RedisPersistence, session: RedisSession, server: redis.Redis, namespace: str
) -> None:
    """So it was written before there was one. It can be named by an eviction, and its holder's next renewal adds it."""
    lease = namespace_keys(namespace).lease
    server.hset(namespace_keys(namespace).fence, mapping={"epoch": 1, "node": "node", "token": "token"})
    server.set(lease, "1|token|1234|node", px=60_000)
    assert leased(session) == Holder(1, "token", "node")
    assert leased(session).seen_by is None
    subscription = store.subscribe("token", timeout=10)
    assert session.renew(FENCE, TTL_S)
    assert (leased(session).node, leased(session).seen_by) == ("node", run_id(server))
    subscription.close()
    server.set(lease, "1|token|1234|node", px=60_000)
    eventually(lambda: session.presence("token").state == "absent")
    assert session.evict(leased(session), session.presence("token"))
    assert session.overview(()).holder is None


def test_an_eviction_names_what_the_lease_says_of_presence(
    store: RedisPersistence, session: RedisSession, server: redis.Redis, namespace: str
) -> None:
    """A holder that was seen when this was looked at, and not when it renewed since, is another lease."""
    lease = namespace_keys(namespace).lease
    subscription = store.subscribe("token", timeout=10)
    session.acquire("node", "token", TTL_S, 0)
    seen = leased(session)
    subscription.close()
    eventually(lambda: session.presence("token").state == "absent")
    server.set(lease, f"1|token|{seen.renewal}|node", px=60_000)
    assert not session.evict(seen, session.presence("token"))
    server.set(lease, f"1|token|{seen.renewal}|node|{seen.seen_by}", px=60_000)
    assert session.evict(seen, session.presence("token"))


@pytest.mark.parametrize("denied", ["pubsub", "info"])
def test_a_holder_that_may_not_ask_who_is_present_is_not_seen(
    redis_url: str, namespace: str, server: redis.Redis, denied: str
) -> None:
    """It takes and renews the lock all the same."""
    server.acl_setuser(
        namespace,
        enabled=True,
        passwords=["+right"],
        categories=["+@all"],
        commands=[f"-{denied}"],
        keys=["*"],
        channels=["*"],
    )
    store = open_redis(redis_url.replace("unix://", f"unix://{namespace}:right@"), namespace)
    try:
        subscription = store.subscribe("token", timeout=10)
        session = store.session(timeout=10)
        assert session.acquire("node", "token", TTL_S, 0) == FENCE
        assert leased(session).seen_by is None
        assert session.renew(FENCE, TTL_S)
        assert leased(session).seen_by is None
        subscription.close()
    finally:
        store.close()
        server.acl_deluser(namespace)


def test_what_another_run_of_the_server_saw_is_kept_until_the_next_renewal(needs_server: None, namespace: str) -> None:
    """After a restart nobody has subscribed yet: that run of the server has seen nobody until it does."""
    with real_server("--appendonly", "yes", "--appendfsync", "always") as server:
        store = open_redis(server.url, namespace)
        session = store.session(timeout=10)
        broken = store.subscribe("token", timeout=10)
        session.acquire("node", "token", TTL_S, 0)
        first = leased(session).seen_by
        assert first is not None
        server.stop()
        server.start()
        broken.close()
        session.close()
        assert leased(session).seen_by == first != session.presence("token").server
        assert session.renew(FENCE, TTL_S)
        assert leased(session).seen_by is None
        subscription = store.subscribe("token", timeout=10)
        assert session.renew(FENCE, TTL_S)
        assert leased(session).seen_by == session.presence("token").server
        subscription.close()
        store.close()
