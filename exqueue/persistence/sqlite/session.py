"""A session: all verbs over one connection, or over the shared ones."""

from __future__ import annotations

from exqueue.persistence.sqlite.anyone import Anyone
from exqueue.persistence.sqlite.lock import Lock
from exqueue.persistence.sqlite.owner import Owner
from exqueue.persistence.sqlite.reads import Reads


class SqliteSession(Anyone, Reads, Lock, Owner):
    """See `exqueue.persistence.base.Session`."""
