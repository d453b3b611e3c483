"""A session of the Redis backend, a plain client beside it, and a proxy that loses replies."""

from collections.abc import Iterator
from importlib.resources import files

import pytest
import redis

from exqueue.persistence.redis import RedisPersistence, open_redis
from exqueue.persistence.redis.scripts import script
from exqueue.persistence.redis.session import RedisSession
from tests.persistence.redis.proxy import LosingProxy

VERB_TIMEOUT_S = 10.0


@pytest.fixture
def store(redis_url: str, namespace: str) -> Iterator[RedisPersistence]:
    """A namespace of this test's own on a real server."""
    opened = open_redis(redis_url, namespace)
    yield opened
    opened.close()


@pytest.fixture
def session(store: RedisPersistence) -> RedisSession:
    """A session of it."""
    return store.session(timeout=VERB_TIMEOUT_S)


@pytest.fixture
def server(redis_url: str) -> Iterator[redis.Redis]:
    """A plain client of the same server: to look behind the scenes and to do harm."""
    with redis.Redis.from_url(redis_url, protocol=2) as client:
        yield client


@pytest.fixture
def proxy(redis_url: str) -> Iterator[LosingProxy]:
    """A proxy before the server."""
    with LosingProxy(redis_url) as between:
        yield between


@pytest.fixture
def loaded(server: redis.Redis) -> None:
    """The server knows every script, so that one sending of a verb executes it."""
    for lua in (files("exqueue.persistence.redis") / "lua").iterdir():
        if not lua.name.startswith("_"):
            server.script_load(script(lua.name.removesuffix(".lua")).source)
