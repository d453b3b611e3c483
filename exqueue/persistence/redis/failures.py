"""What a server's refusal or a broken connection means, in words for people."""

from __future__ import annotations

import re

import redis

from exqueue.errors import Outage, StorageFull, StoreDamaged
from exqueue.persistence.redis.keys import queue_of

_PASSING = {
    "LOADING": "it is still reading its data from disk after a start",
    "BUSY": "a script of somebody else has been running for long and blocks it; SCRIPT KILL ends it",
    "NOREPLICAS": "fewer replicas are connected than min-replicas-to-write asks for; see what became of them",
    "MASTERDOWN": "it is a replica that has lost its primary; see what became of that",
    "TRYAGAIN": "the keys are just being moved to another node of its cluster",
    "CLUSTERDOWN": "its cluster is down",
}
"""What ends by itself, or with what is wrong elsewhere; and where to look if it lasts."""

_CLUSTER = "it is part of a Redis Cluster, which is not supported; use a standalone server or its proxy"
_REFUSALS = {
    "READONLY": (
        "it is a replica that takes no writes; point the URL at the primary (if it was the primary until a failover, "
        "the name has to lead to the new one)"
    ),
    "MISCONF": "it can't save its data to disk and takes no writes until that is mended; see its log",
    "MOVED": _CLUSTER,
    "CROSSSLOT": _CLUSTER,
    "NOAUTH": "it asks for a password; put user and password into the URL",
    "WRONGPASS": "user or password are wrong; put the right ones into the URL, or set them on the server",
    "NOPERM": "the user lacks a permission; grant it with ACL SETUSER",
}
"""What only a person ends, and how."""

_CODE = re.compile(rf"\b({'|'.join((*_PASSING, *_REFUSALS))}|OOM|WRONGTYPE)\b")
_CLASSES = ((redis.exceptions.OutOfMemoryError, "OOM"), (redis.exceptions.BusyLoadingError, "LOADING"))
_TOO_MANY = "max number of clients reached"
_DAMAGED = re.compile(r"DAMAGED<([^|]*)\|(.*)>", re.DOTALL)
"""What a script raises that has met an entry that it can't read, see ``lua/_common.lua``: the key and the entry."""

_IN_A_SCRIPT = re.compile(r"script: |user_script|running script")


def refusal(error: redis.RedisError, address: str) -> Outage:
    """Translate an error that the server itself replied.

    An error inside a script carries the words of the inner one. Scripts check everything before their first write, so
    nothing was changed; only where a permission was missing in the midst of one that can't be known.
    """
    said = f"{getattr(error, 'status_code', None) or ''} {error}".strip()
    entry = _DAMAGED.search(said)
    if entry:
        queue = queue_of(entry[1].encode(errors="surrogateescape"))
        return damaged_entry(f"the entry {entry[2]!r} of the key {entry[1]!r}", address, queue)
    found = _CODE.search(said)
    code = found[1] if found else next((code for kind, code in _CLASSES if isinstance(error, kind)), "")
    if code == "OOM":
        return StorageFull(
            f"the server at {address} is full (maxmemory): new jobs are refused, stored ones go on; "
            "give it more memory or let the queues drain"
        )
    if code == "WRONGTYPE":
        return StoreDamaged(f"a key at {address} is of another type than Exqueue wrote ({said})")
    if code in _PASSING:
        return Outage(f"the server at {address} serves nobody for now: {_PASSING[code]} ({said})", sent=False)
    if _TOO_MANY in said:
        why = "it has as many clients as maxclients allows; allow more, or close some"
        return Outage(f"the server at {address} refuses: {why}", sent=False, refusal=why)
    if not code and isinstance(error, redis.AuthenticationError):
        code = "WRONGPASS"
    if code:
        is_sent = code == "NOPERM" and _IN_A_SCRIPT.search(said) is not None
        why = _REFUSALS[code]
        return Outage(
            f"the server at {address} refuses: {why} ({said})", sent=is_sent, refusal=why, may_pass=code == "READONLY"
        )
    why = "it answers with an error that is not known here; look it up in its manual and its log"
    return Outage(f"the server at {address} refuses: {why} ({said})", refusal=why)


def damaged_entry(what: str, address: str, queue: str | None) -> StoreDamaged:
    """Say of something that is stored that it can't be read."""
    return StoreDamaged(
        f"{what} at {address} is not what Exqueue wrote there: somebody else did; mend or remove it. Nothing was "
        "changed.",
        queue,
    )


def is_refusal(error: Exception) -> bool:
    """Whether the server itself said it (redis-py makes connection errors of some of its replies)."""
    replies = (redis.ResponseError, redis.AuthenticationError, redis.exceptions.BusyLoadingError)
    return isinstance(error, replies) or _TOO_MANY in str(error)


def broken(error: Exception, address: str, *, sent: bool, timeout: float) -> Outage:
    """Translate whatever else can happen to a connection."""
    if is_refusal(error) and isinstance(error, redis.RedisError):
        return refusal(error, address)
    if isinstance(error, (redis.TimeoutError, TimeoutError)):
        doing = "answer" if sent else "accept a connection"
        return Outage(f"the server at {address} did not {doing} within {timeout:g} s", sent=sent)
    doing = "the connection to the server at {} broke" if sent else "the server at {} can't be reached"
    return Outage(f"{doing.format(address)}: {error}", sent=sent)
