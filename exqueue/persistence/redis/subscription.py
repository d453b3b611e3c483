"""The signals of a namespace, on a connection of their own that also shows that its system lives."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import redis

from exqueue.errors import Outage, SystemStopped
from exqueue.persistence.redis.failures import broken
from exqueue.persistence.redis.lock import RELEASED
from exqueue.persistence.redis.text import is_utf8
from exqueue.persistence.values import LockReleased, QueueWoken

if TYPE_CHECKING:
    from exqueue.persistence.redis.connection import Endpoint, RawConnection, Reply
    from exqueue.persistence.values import Signal

PING_AFTER_S = 3.0
"""A subscription that heard nothing for this long asks whether the server is still there."""

LONGEST_WAIT_S = 0.5
"""A waiting `next` looks this often whether it was closed, where the end of the socket alone does not tell it."""


class RedisSubscription:
    """See `exqueue.persistence.base.Subscription`.

    One thread reads; `close` may come from any.

    Args:
        endpoint: where to.
        channels: the wake channel, and the presence channel of a token.
        timeout: seconds that the server may take to accept the subscription, and to answer a ping.

    Raises:
        Outage: the server can't be reached or refuses.
    """

    def __init__(self, endpoint: Endpoint, channels: tuple[bytes, ...], timeout: float) -> None:
        self._endpoint = endpoint
        self._timeout = timeout
        self._pid = os.getpid()
        self._is_closed = False
        self._pinged_at: float | None = None
        self._connection: RawConnection = endpoint.connected(timeout)
        is_ready = False
        try:
            self._send(b"SUBSCRIBE", *channels)
            for _ in channels:
                self._read()
            is_ready = True
        except (redis.RedisError, OSError) as error:
            raise broken(error, endpoint.address, sent=True, timeout=timeout) from error
        finally:
            if not is_ready:
                self.close()
        self._heard_at = time.monotonic()

    def next(self, timeout: float) -> Signal | None:
        """See `Subscription.next`."""
        if os.getpid() != self._pid:
            raise SystemStopped(f"this subscription belongs to process {self._pid}; subscribe anew after a fork")
        until = time.monotonic() + timeout
        try:
            while not self._is_closed:
                now = time.monotonic()
                self._check(now)
                if self._connection.can_read(max(0.0, min(until - now, LONGEST_WAIT_S))):
                    signal = _signal(self._read())
                    self._heard_at, self._pinged_at = time.monotonic(), None
                    if signal is not None:
                        return signal
                if time.monotonic() >= until:
                    return None
        except (redis.RedisError, OSError, AttributeError, TypeError, ValueError) as error:
            # The last three are what a connection says that was closed by another thread in the midst of a read.
            if not self._is_closed:
                self.close()
                raise broken(error, self._endpoint.address, sent=True, timeout=self._timeout) from error
        raise Outage("the subscription was closed", sent=False)

    def close(self) -> None:
        """See `Subscription.close`."""
        self._is_closed = True
        self._connection.disconnect()

    def _check(self, now: float) -> None:
        """Ping a silent server; give up one that does not answer that."""
        if self._pinged_at is not None:
            if now - self._pinged_at > self._timeout:
                raise TimeoutError
        elif now - self._heard_at > PING_AFTER_S:
            self._send(b"PING")
            self._pinged_at = now

    def _send(self, *command: bytes) -> None:
        self._connection.send_packed_command(self._connection.pack_command(*command))

    def _read(self) -> Reply:
        return self._connection.read_response()


def _signal(message: Reply) -> Signal | None:
    if not isinstance(message, list) or message[0] != b"message" or not message[1].endswith(b":wake"):
        return None
    payload: bytes = message[2]
    if payload == RELEASED:
        return LockReleased()
    # What a later version may say there is not for us, nor is what no Exqueue says.
    return None if payload.startswith(b"!") or not is_utf8(payload) else QueueWoken(payload.decode())
