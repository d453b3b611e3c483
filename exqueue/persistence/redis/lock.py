"""The verbs of the lock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import redis

from exqueue.persistence.redis.verbs import Verbs, milliseconds
from exqueue.persistence.values import UNKNOWN, Fence, Holder, Presence

if TYPE_CHECKING:
    from exqueue.persistence.redis.connection import Args

_RUN_ID = re.compile(rb"^run_id:(\w+)", re.MULTILINE)

RELEASED = b"!released"
"""On the wake channel: the lock is free. No queue can have this name."""


class Lock(Verbs):
    """See `exqueue.persistence.base.Session`, "the lock"."""

    def acquire(self, node: str, token: str, ttl: float, at_least: int) -> Fence | Holder:
        """See `Session.acquire`."""
        args: Args = (node, token, milliseconds(ttl), at_least, self._keys.alive(token))
        kind, what = self._run("acquire", (self._keys.lease, self._keys.fence), args)
        return Fence(int(what), token) if kind == b"FENCE" else self._holder(what)

    def renew(self, fence: Fence, ttl: float) -> bool:
        """See `Session.renew`."""
        args: Args = (f"{fence.epoch}|{fence.token}|", milliseconds(ttl), self._keys.alive(fence.token))
        return bool(self._run("renew", (self._keys.lease,), args))

    def release(self, fence: Fence) -> bool:
        """See `Session.release`."""
        args = (fence.epoch, fence.token, self._keys.wake, RELEASED)
        return bool(self._run("release", (self._keys.lease, self._keys.fence), args))

    def evict(self, seen: Holder, presence: Presence) -> bool:
        """See `Session.evict`."""
        if presence.state != "absent":
            return False
        args: Args = (_lease_of(seen), self._keys.alive(seen.token), presence.server)
        return bool(self._run("evict", (self._keys.lease,), args))

    def presence(self, token: str) -> Presence:
        """See `Session.presence`: how many subscribe to the token's channel, unknown where one may not ask that."""
        count, info = self._talk((b"PUBSUB", b"NUMSUB", self._keys.alive(token)), (b"INFO", b"server"))
        if isinstance(count, redis.RedisError) or isinstance(info, redis.RedisError):
            return UNKNOWN
        run = _RUN_ID.search(info)
        if run is None:
            return UNKNOWN
        return Presence("present" if int(count[1]) > 0 else "absent", run[1].decode())


def _lease_of(holder: Holder) -> str:
    """Byte by byte what `holder_of` has read."""
    fields = (str(holder.epoch), holder.token, str(holder.renewal), holder.node)
    return "|".join(fields if holder.seen_by is None else (*fields, holder.seen_by))
