"""A system for one test on a real server: under a namespace of its own, of which nothing is left."""

from __future__ import annotations

import pytest
import redis

from exqueue import Enqueue, SystemStopped
from exqueue.persistence.redis.erase import erase
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import NewJob, Push
from exqueue.testing import Drained
from exqueue.testing.on_redis import use_redis


class Mail:
    """Does nothing."""

    def perform(self, *, to: str) -> None: ...


def keys_of(url: str, namespace: str) -> set[bytes]:
    """What a server has whose names begin with a namespace."""
    with redis.Redis.from_url(url) as client:
        return set(client.scan_iter(f"exqueue:{{{namespace}*"))


def test_jobs_run_on_a_server_and_leave_nothing(redis_url: str) -> None:
    """Also what was not run."""
    with use_redis(redis_url) as system:
        namespace = system._node.persistence.namespace  # noqa: SLF001 - no user needs it
        system.enqueue(Mail, to="ann")
        assert system.drain() == Drained(succeeded=1)
        system.ask(Enqueue(Mail, {"to": "bob"}, delay=60))
        assert len(keys_of(redis_url, namespace)) > 3

    assert keys_of(redis_url, namespace) == set()
    with pytest.raises(SystemStopped):
        system.enqueue(Mail, to="cas")


def test_only_the_namespace_is_erased(redis_url: str, namespace: str) -> None:
    """Not one whose name begins alike."""
    names = (namespace, f"{namespace}-2", f"{namespace}.x")
    for name in names:
        persistence = open_persistence(redis_url, namespace=name)
        session = persistence.session(timeout=5.0)
        jobs = tuple(NewJob(f"{number}", b"x") for number in range(3))
        assert session.push("caller", [Push(queue, 1, jobs) for queue in ("a", "b")]) == (None, None)
        session.close()
        persistence.close()
    before = {name: keys_of(redis_url, f"{name}:") | keys_of(redis_url, f"{name}}}") for name in names}
    assert all(before.values())

    erase(redis_url, namespace)

    after = {name: keys_of(redis_url, f"{name}:") | keys_of(redis_url, f"{name}}}") for name in names}
    assert after == before | {namespace: set()}
    for name in names[1:]:
        erase(redis_url, name)
