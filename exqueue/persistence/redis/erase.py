"""Erasing a namespace: for the tests of programs, which leave nothing behind on a server that others use, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from exqueue.checks import check_name
from exqueue.config import MAX_NAMESPACE
from exqueue.persistence.redis.connection import Endpoint, Wire
from exqueue.persistence.redis.dialing import dialer
from exqueue.persistence.redis.keys import namespace_keys
from exqueue.persistence.urls import address_of

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS_A_STEP: Final = 1_000
"""How many keys of the server one step passes over."""


def erase(url: str, namespace: str, *, timeout: float = 5.0) -> None:
    """Delete all that a namespace has on a server. Nobody may use it any more: what is stored meanwhile may stay.

    Args:
        url: of the server, see `exqueue.persistence.urls.open_persistence`.
        namespace: that is erased.
        timeout: seconds that one step may take.

    Raises:
        ConfigError: the URL or the namespace is not allowed.
        Outage: the server does not answer.
    """
    check_name(namespace, "namespace", longest=MAX_NAMESPACE)
    endpoint = Endpoint(dialer(url), address_of(url), namespace_keys(namespace).layout)
    wire = Wire(endpoint, timeout)
    try:
        # A namespace holds no character that has a meaning in a pattern.
        for pattern in (f"exqueue:{{{namespace}}}:*", f"exqueue:{{{namespace}:*}}:*"):
            for page in _pages(wire, pattern):
                wire.talk([(b"UNLINK", key) for key in page])
    finally:
        wire.close()


def _pages(wire: Wire, pattern: str) -> Iterator[list[bytes]]:
    cursor = b"0"
    while True:
        cursor, keys = wire.talk([(b"SCAN", cursor, b"MATCH", pattern, b"COUNT", KEYS_A_STEP)])[0]
        if keys:
            yield keys
        if cursor == b"0":
            return
