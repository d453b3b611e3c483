"""The verbs of the lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis

from exqueue.persistence.redis.verbs import Verbs, milliseconds
from exqueue.persistence.values import Fence, Holder

if TYPE_CHECKING:
    from exqueue.persistence.redis.connection import Args

RELEASED = b"!released"
"""On the wake channel: the lock is free. No queue can have this name."""


class Lock(Verbs):
    """See `exqueue.persistence.base.Session`, "the lock"."""

    def acquire(self, node: str, token: str, ttl: float, at_least: int) -> Fence | Holder:
        """See `Session.acquire`."""
        args: Args = (node, token, milliseconds(ttl), at_least)
        kind, what = self._run("acquire", (self._keys.lease, self._keys.fence), args)
        return Fence(int(what), token) if kind == b"FENCE" else holder_of(what)

    def renew(self, fence: Fence, ttl: float) -> bool:
        """See `Session.renew`."""
        args = (f"{fence.epoch}|{fence.token}|", milliseconds(ttl))
        return bool(self._run("renew", (self._keys.lease,), args))

    def release(self, fence: Fence) -> bool:
        """See `Session.release`."""
        args = (fence.epoch, fence.token, self._keys.wake, RELEASED)
        return bool(self._run("release", (self._keys.lease, self._keys.fence), args))

    def evict(self, seen: Holder) -> bool:
        """See `Session.evict`."""
        args = (f"{seen.epoch}|{seen.token}|{seen.node}", self._keys.alive(seen.token))
        return bool(self._run("evict", (self._keys.lease,), args))

    def present(self, token: str) -> bool | None:
        """See `Session.present`."""
        reply = self._talk((b"PUBSUB", b"NUMSUB", self._keys.alive(token)))[0]
        return None if isinstance(reply, redis.RedisError) else int(reply[1]) > 0


def holder_of(lease: bytes) -> Holder:
    """Read ``epoch|token|node``."""
    epoch, token, node = lease.decode().split("|", 2)
    return Holder(int(epoch), token, node)
