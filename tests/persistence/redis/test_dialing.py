"""URLs: what they may say, and that the rest is refused before anything is connected."""

import pytest
import redis

from exqueue.errors import ConfigError, Outage
from exqueue.persistence.redis import open_redis
from exqueue.persistence.redis.dialing import dialer


@pytest.mark.parametrize(
    ("url", "kind", "expected"),
    [
        ("redis://host", redis.Connection, {"host": "host", "port": 6379, "db": 0}),
        ("redis://host:7000/3", redis.Connection, {"port": 7000, "db": 3}),
        ("redis://us%40er:p%2Fw@host?db=4", redis.Connection, {"username": "us@er", "password": "p/w", "db": 4}),
        ("redis://[::1]:7000", redis.Connection, {"host": "::1", "port": 7000}),
        ("rediss://host?ssl_cert_reqs=none", redis.SSLConnection, {"host": "host"}),
        ("unix:///run/redis.sock?db=2&client_name=mine", redis.UnixDomainSocketConnection, {"db": 2}),
    ],
)
def test_a_url_says_where_to_connect_to(url: str, kind: type, expected: dict[str, object]) -> None:
    """User, password, database and options, by TCP, TLS or a socket; the time-outs come from the session."""
    connection = dialer(url)(2.5)
    assert type(connection) is kind
    assert {name: getattr(connection, name) for name in expected} == expected
    assert getattr(connection, "socket_timeout", None) == getattr(connection, "socket_connect_timeout", None) == 2.5


@pytest.mark.parametrize(
    "url", ["redis://host/x", "redis://host/0?db=x", "redis://host:port", "rediss://host?ssl_cert_reqs=maybe"]
)
def test_a_value_that_is_not_allowed_is_refused(url: str) -> None:
    """Not silently taken for the default."""
    with pytest.raises(ConfigError):
        dialer(url)


@pytest.mark.parametrize("url", ["unix://", "unix:///", "unix://?db=1", "unix://run/redis.sock"])
def test_a_socket_without_a_path_is_refused(url: str) -> None:
    """It would be an outage for ever."""
    with pytest.raises(ConfigError, match="a unix socket has no host but a path; write three slashes"):
        open_redis(url, "default")


def test_an_option_of_another_scheme_is_refused() -> None:
    """A certificate without TLS would protect nothing."""
    with pytest.raises(
        ConfigError, match=r"redis:// does not know the option 'ssl_ca_certs'; known are client_name, db"
    ):
        dialer("redis://host?ssl_ca_certs=/x")


def test_the_address_shows_no_secret(namespace: str) -> None:
    """It stands in logs and in the status."""
    assert open_redis("redis://user:secret@host:7000/3", namespace).address == "redis://host:7000/3"


def test_a_wrong_password_is_an_outage_that_says_so(redis_url: str, namespace: str, server: redis.Redis) -> None:
    """A person mends the URL or the server; both are possible while the program runs."""
    server.acl_setuser(namespace, enabled=True, passwords=["+right"], categories=["+@all"], keys=["*"], channels=["*"])
    url = redis_url.replace("unix://", f"unix://{namespace}:wrong@")
    try:
        with pytest.raises(Outage, match="user or password are wrong") as refused:
            open_redis(url, namespace).session(timeout=10).queues()
        assert not refused.value.sent
        assert open_redis(url.replace("wrong", "right"), namespace).session(timeout=10).queues() == ()
    finally:
        server.acl_deluser(namespace)


def test_a_user_without_permission_for_pubsub_can_push_and_is_told_that_presence_is_unknown(
    redis_url: str, namespace: str, server: redis.Redis
) -> None:
    """A wake-up is a hint: that it can't be given must not look like a job that was not stored."""
    server.acl_setuser(
        namespace, enabled=True, passwords=["+right"], categories=["+@all"], commands=["-pubsub"], keys=["exqueue:*"]
    )
    try:
        session = open_redis(redis_url.replace("unix://", f"unix://{namespace}:right@"), namespace).session(timeout=10)
        assert session.presence("token").state == "unknown"
        session.set_paused("q", "person", 1, False)
        assert session.overview(["q"]).queues[0].paused is False
        session.close()
    finally:
        server.acl_deluser(namespace)
