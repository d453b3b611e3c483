"""A Redis server whose time is set by hand: the product's own scripts, with another place to read the time from.

What is sent passes a connection that puts a hash in the place of ``TIME``, in the scripts and as a command. Keys that
the server forgets by itself are brought nearer to their end when the time is moved on.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from exqueue.persistence.redis.connection import RawConnection

UNIT_S = 60.0
"""Every time-out and every move of the clock is a multiple of this.

So what is left of a time-out is known exactly although the server counts by its real clock, as long as less than this
really passes between two moves; and nothing ends in between.
"""

ASKING = b"call('TIME')"


class ServerTime:
    """The time of one server.

    Args:
        client: the server, as anyone may talk to it.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._key = f"time-by-hand-{secrets.token_hex(8)}".encode()
        self._digests: dict[bytes, bytes] = {}

    def set(self, seconds: float) -> None:
        """Set it; nothing that is stored is changed."""
        whole, fraction = divmod(round(seconds * 1_000_000), 1_000_000)
        self._client.hset(self._key, mapping={"s": whole, "us": fraction})

    def age(self, namespace: str, seconds: float) -> None:
        """Bring what the server will forget of a namespace nearer to its end, by some units."""
        for key in self._client.scan_iter(match=f"exqueue:{{{namespace}*", count=1_000):
            left_ms = self._client.pttl(key)
            if left_ms > 0:
                exact_s = -(-left_ms // int(UNIT_S * 1_000)) * UNIT_S
                self._client.pexpire(key, max(0, round((exact_s - seconds) * 1_000)))

    def connecting(self, connect: Callable[[float], RawConnection]) -> Callable[[float], RawConnection]:
        """A way to make connections on which this is the time."""
        return lambda timeout: _ByHand(connect(timeout), self)

    def command(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """What is sent instead."""
        match args:
            case (b"TIME",):
                return (b"HMGET", self._key, b"s", b"us")
            case (b"EVALSHA", sha, *rest):
                # One that was not sent yet is unknown to the server, too: then it is sent whole.
                return (b"EVALSHA", self._digests.get(sha, b"0" * 40), *rest)
            case (b"EVAL", source, *rest):
                changed = source.replace(ASKING, b"call('HMGET', '" + self._key + b"', 's', 'us')")
                self._digests[_digest(source)] = _digest(changed)
                return (b"EVAL", changed, *rest)
            case _:
                return args


class _ByHand:
    """A connection on which the time is that of a `ServerTime`; else it is the connection inside."""

    def __init__(self, inside: RawConnection, time: ServerTime) -> None:
        self._inside = inside
        self._time = time
        self.connect = inside.connect
        self.disconnect = inside.disconnect
        self.send_packed_command = inside.send_packed_command
        self.read_response = inside.read_response
        self.can_read = inside.can_read

    def pack_command(self, *args: bytes | str | float) -> list[bytes]:
        return self._inside.pack_command(*self._time.command(args))


def _digest(source: bytes) -> bytes:
    return hashlib.sha1(source, usedforsecurity=False).hexdigest().encode()
