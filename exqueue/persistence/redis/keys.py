"""The names of everything in Redis.

A queue's keys share the hash tag ``{<namespace>:<queue>}`` and the namespace's own keys the tag ``{<namespace>}``, so
that what one script touches lies in one slot of a cluster. (`Session.sweep` and `Session.overview` read many queues
in one script: they are the two that a cluster would have to split.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ROLES = {
    "jobs": "hash",
    "trail": "hash",
    "recoveries": "hash",
    "ready": "list",
    "returned": "zset",
    "suspects": "zset",
    "waiting": "zset",
    "dead": "zset",
    "running": "hash",
    "owner": "hash",
    "husks": "hash",
    "unreported": "hash",
    "caller": "string",
    "queues": "set",
    "fence": "hash",
    "lease": "string",
    "nodes": "hash",
    "layout": "string",
}
"""What each key is for, by the last part of its name (of a caller's: the last but one), and its type in Redis."""


@dataclass(frozen=True, slots=True)
class QueueKeys:
    """The keys of one queue.

    ``jobs``: id -> record. ``trail``: id -> trail, once there is one. ``recoveries``: id -> their times in ms, comma
    between. ``ready``: ids in the order in which they came. ``returned``, ``suspects``: ids that went back, by place.
    ``waiting``: ids by the ms when they are due. ``dead``: ids by the ms of their death. ``running``: id -> run,
    ``place|seat|call|started_ms``. ``husks``: id -> how many of its entries in ``ready`` are to be skipped.
    ``unreported``: id of a dead job -> the run that buried it, until its ERROR is in the log. ``owner``:
    epoch, token, seat, call, refused, head, serial, hungry, next_due, places, paused, processed, failed, husks.
    """

    name: bytes
    prefix: bytes
    jobs: bytes
    trail: bytes
    recoveries: bytes
    ready: bytes
    returned: bytes
    suspects: bytes
    waiting: bytes
    dead: bytes
    running: bytes
    owner: bytes
    husks: bytes
    unreported: bytes

    def caller(self, caller: str) -> bytes:
        """What is kept of the last call of one caller: ``n``, or ``n|reply``."""
        return b"%bcaller:%b" % (self.prefix, caller.encode())


def queue_keys(namespace: str, queue: str) -> QueueKeys:
    """The keys of a queue."""
    prefix = f"exqueue:{{{namespace}:{queue}}}:".encode()
    return QueueKeys(
        name=queue.encode(),
        prefix=prefix,
        jobs=prefix + b"jobs",
        trail=prefix + b"trail",
        recoveries=prefix + b"recoveries",
        ready=prefix + b"ready",
        returned=prefix + b"returned",
        suspects=prefix + b"suspects",
        waiting=prefix + b"waiting",
        dead=prefix + b"dead",
        running=prefix + b"running",
        owner=prefix + b"owner",
        husks=prefix + b"husks",
        unreported=prefix + b"unreported",
    )


def keys_of_a_job(at: QueueKeys) -> tuple[bytes, ...]:
    """Where something of a job may stand, in the order of ``_stamp.lua``."""
    lines = (at.ready, at.returned, at.suspects, at.waiting, at.dead, at.running)
    return at.jobs, at.trail, at.recoveries, *lines, at.husks, at.unreported


@dataclass(frozen=True, slots=True)
class NamespaceKeys:
    """The keys and channels of a namespace.

    ``queues``: the names of all queues. ``fence``: epoch, node and token of the last leadership. ``lease``:
    ``epoch|token|renewed_ms|node``, with ``|run id of the server`` when its holder was subscribed to its channel then;
    with the time that is left of it. ``nodes``: node -> ``expires_ms|info``.
    ``layout``: the version of all this. ``wake``: the channel of the signals.
    """

    prefix: bytes
    queues: bytes
    fence: bytes
    lease: bytes
    nodes: bytes
    layout: bytes
    wake: bytes

    def alive(self, token: str) -> bytes:
        """The channel that a system of this token subscribes to for as long as it lives."""
        return b"%balive:%b" % (self.prefix, token.encode())


def namespace_keys(namespace: str) -> NamespaceKeys:
    """The keys of a namespace."""
    prefix = f"exqueue:{{{namespace}}}:".encode()
    return NamespaceKeys(
        prefix=prefix,
        queues=prefix + b"queues",
        fence=prefix + b"fence",
        lease=prefix + b"lease",
        nodes=prefix + b"nodes",
        layout=prefix + b"layout",
        wake=prefix + b"wake",
    )


_OF_QUEUE = re.compile(rb"exqueue:\{[^:}]*:([^}]*)\}:")


def queue_of(key: bytes) -> str | None:
    """The queue that a key belongs to; ``None`` for one of the namespace."""
    found = _OF_QUEUE.match(key)
    return None if found is None else found[1].decode(errors="surrogateescape")


def role_of(key: bytes) -> str:
    """What a key is for: its entry in `ROLES`."""
    last = key.rpartition(b"}:")[2].partition(b":")[0]
    return last.decode()
