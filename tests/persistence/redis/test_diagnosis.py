"""What in the server's own settings endangers the jobs."""

from collections.abc import Iterator

import pytest
import redis

from exqueue.persistence.redis import open_redis
from tests.servers import RealServer, real_server


@pytest.fixture
def own_server(needs_server: None) -> Iterator[RealServer]:
    """A server whose settings may be changed; it saves nothing."""
    with real_server("--save", "") as server:
        yield server


def test_each_dangerous_setting_is_a_sentence(own_server: RealServer, namespace: str) -> None:
    """Jobs thrown away when memory is full, and jobs lost by a restart."""
    session = open_redis(own_server.url, namespace).session(timeout=10)
    with redis.Redis.from_url(own_server.url) as server:
        (about_saving,) = session.diagnose()
        assert "appendonly of the server is off" in about_saving.sentence
        assert not about_saving.is_grave
        server.config_set("maxmemory-policy", "allkeys-lru")
        about_eviction, _ = session.diagnose()
        assert "maxmemory-policy of the server is allkeys-lru" in about_eviction.sentence
        assert about_eviction.is_grave
        server.config_set("maxmemory-policy", "noeviction")
        server.config_set("appendonly", "yes")
        assert session.diagnose() == ()
        server.config_set("appendonly", "no")
        server.config_set("save", "60 1")
        assert session.diagnose() == ()
    session.close()


def test_a_server_that_does_not_show_its_settings_is_not_spoken_of(own_server: RealServer, namespace: str) -> None:
    """Managed servers refuse CONFIG; that is no danger in itself."""
    with redis.Redis.from_url(own_server.url) as server:
        server.acl_setuser(
            "app", enabled=True, passwords=["+secret"], categories=["+@all"], commands=["-config"], keys=["*"]
        )
    session = open_redis(own_server.url.replace("unix://", "unix://app:secret@"), namespace).session(timeout=10)
    assert session.diagnose() == ()
    session.close()
