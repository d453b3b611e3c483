"""A session: all verbs over one connection, or over the shared ones."""

from __future__ import annotations

from exqueue.persistence.redis.anyone import Anyone
from exqueue.persistence.redis.lock import Lock
from exqueue.persistence.redis.owner import Owner
from exqueue.persistence.redis.reads import Reads


class RedisSession(Anyone, Reads, Lock, Owner):
    """See `exqueue.persistence.base.Session`."""
