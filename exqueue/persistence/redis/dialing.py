"""From a URL to connections of redis-py that do not retry, do not decode, and keep the time-out of their session."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import parse_qs, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from exqueue.errors import ConfigError
from exqueue.persistence.urls import address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exqueue.persistence.redis.connection import RawConnection

_COMMON = ("client_name", "db")
_TCP = (*_COMMON, "socket_keepalive")
_TLS = (
    "ssl_ca_certs",
    "ssl_ca_path",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_keyfile",
    "ssl_keyfile_password",
    "ssl_min_version",
)

OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {"unix": _COMMON, "redis": _TCP, "rediss": (*_TCP, *_TLS)}
"""What may stand in the query of a URL, by scheme. Time-outs and retries are not among it: sessions decide them."""

_DATABASE = re.compile(r"/?\d*")


def dialer(url: str) -> Callable[[float], RawConnection]:
    """Make the function that makes connections: it takes the seconds of their time-out, and does not connect.

    Args:
        url: ``redis://[user:password@]host[:port][/db]``, ``rediss://`` (TLS), ``unix:///path[?db=0]``, each with
            `OPTIONS`.

    Raises:
        ConfigError: the URL is malformed, or one of its options is not known or has a value that is not allowed.
    """
    _check(url)
    try:
        pool = redis.ConnectionPool.from_url(url)
    except (ValueError, TypeError, redis.RedisError):
        # What the parsers say may show the password.
        raise _malformed(url) from None
    kind, given = pool.connection_class, pool.connection_kwargs

    def dial(timeout: float) -> RawConnection:
        connection = kind(
            **given,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            decode_responses=False,
            protocol=2,
            driver_info=None,
        )
        return cast("RawConnection", connection)

    try:
        dial(1.0)
    except (ValueError, TypeError, redis.RedisError):
        raise _malformed(url) from None
    return dial


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        options = parse_qs(parts.query, keep_blank_values=True)
    except ValueError:
        raise _malformed(url) from None
    known = OPTIONS.get(parts.scheme, ())
    unknown = sorted(set(options) - set(known))
    if parts.fragment or (unknown and "@" in parts.query):
        # A password with a # or a question mark; what stands behind it is a part of that and no option.
        raise _malformed(url)
    if unknown:
        raise ConfigError(
            f"{parts.scheme}:// does not know the option {', '.join(map(repr, unknown))}; known are {', '.join(known)}"
        )
    if parts.scheme == "unix" and (parts.hostname or not parts.path.strip("/")):
        raise ConfigError(
            f"{address_of(url)}: a unix socket has no host but a path; write three slashes, as in "
            "unix:///run/redis/redis.sock"
        )
    if parts.scheme != "unix" and not _DATABASE.fullmatch(parts.path):
        raise ConfigError(f"{address_of(url)}: the path of {parts.scheme}:// is the number of a database, as in /0")


def _malformed(url: str) -> ConfigError:
    return ConfigError(
        f"the persistence URL {address_of(url)} is malformed, or an option has a value that is not allowed; "
        "a password in it has to be percent-encoded"
    )
