"""A subscription that hears nothing makes sure that there is somebody to be heard."""

import os
import signal

import pytest
import redis

from exqueue.errors import Outage
from exqueue.persistence.redis import open_redis, subscription
from exqueue.persistence.redis.keys import namespace_keys
from tests.servers import real_server

SHORT_S = 0.2


def test_a_silent_server_is_pinged_and_one_that_does_not_answer_that_is_an_outage(
    needs_server: None, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that nobody closed may still lead nowhere."""
    monkeypatch.setattr(subscription, "PING_AFTER_S", 0.05)
    with real_server() as server:
        store = open_redis(server.url, namespace)
        listening = store.subscribe("token", timeout=SHORT_S)
        assert listening.next(3 * SHORT_S) is None
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(Outage, match="did not answer"):
                listening.next(10)
        finally:
            os.kill(server.pid, signal.SIGCONT)
        store.close()


def test_what_a_later_version_may_say_is_passed_over(redis_url: str, namespace: str, server: redis.Redis) -> None:
    """Payloads that no queue's name can be are not taken for one."""
    store = open_redis(redis_url, namespace)
    listening = store.subscribe("token", timeout=10)
    server.publish(namespace_keys(namespace).wake, "!something new")
    assert listening.next(SHORT_S) is None
    store.close()


def test_a_server_that_was_killed_is_an_outage(needs_server: None, namespace: str) -> None:
    """The end of the connection is seen at once, without a ping."""
    with real_server() as server:
        store = open_redis(server.url, namespace)
        listening = store.subscribe("token", timeout=10)
        server.stop()
        with pytest.raises(Outage):
            listening.next(10)
        store.close()
