"""What the verbs of a session have in common: a connection, the names of the keys, and their units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import redis

from exqueue.errors import StaleCall
from exqueue.persistence.redis.failures import damaged_entry
from exqueue.persistence.redis.keys import namespace_keys, queue_keys
from exqueue.persistence.redis.scripts import script
from exqueue.persistence.redis.text import text_of
from exqueue.persistence.values import CALLER_KEPT_S, Holder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.persistence.lending import Lender
    from exqueue.persistence.redis.connection import Args, Endpoint, Reply, Wire
    from exqueue.persistence.redis.keys import QueueKeys

CALLER_KEPT_MS = CALLER_KEPT_S * 1000

QUEUES_A_SCRIPT = 200
"""How many queues one run of a script looks at: it takes about 10 us each, and others have to be served in between."""

T = TypeVar("T")


class Verbs:
    """The part of a session that all groups of verbs use.

    Args:
        lender: of its connection.
        endpoint: where that leads to.
        namespace: of the keys.
    """

    def __init__(self, lender: Lender[Wire], endpoint: Endpoint, namespace: str) -> None:
        self._lender = lender
        self._endpoint = endpoint
        self._namespace = namespace
        self._keys = namespace_keys(namespace)
        self._keys_of_queues: dict[str, QueueKeys] = {}
        self._listed: set[str] = set()
        self._breaks = endpoint.breaks

    def _queue(self, name: str) -> QueueKeys:
        keys = self._keys_of_queues.get(name)
        if keys is None:
            keys = self._keys_of_queues[name] = queue_keys(self._namespace, name)
        return keys

    def _run(self, name: str, keys: tuple[bytes, ...], args: Args) -> Reply:
        wire = self._lender.lend()
        try:
            return wire.run(script(name), keys, args)
        finally:
            self._lender.take_back(wire)

    def _run_all(self, name: str, runs: Sequence[tuple[tuple[bytes, ...], Args]]) -> list[Reply]:
        """One script several times, in one round trip."""
        if not runs:
            return []
        code = script(name)
        commands = [(b"EVALSHA", code.sha, len(keys), *keys, *args) for keys, args in runs]
        wire = self._lender.lend()
        try:
            replies = wire.talk(commands)
            if any(isinstance(reply, redis.exceptions.NoScriptError) for reply in replies):
                replies = wire.talk([(b"EVAL", code.source, *command[2:]) for command in commands])
            for (keys, _), reply in zip(runs, replies, strict=True):
                if isinstance(reply, redis.RedisError):
                    raise wire.explain(reply, keys)
        finally:
            self._lender.take_back(wire)
        return replies

    def _talk(self, *commands: Args) -> list[Reply]:
        wire = self._lender.lend()
        try:
            return wire.talk(commands)
        finally:
            self._lender.take_back(wire)

    def _unlisted(self, names: Sequence[str]) -> list[str]:
        """Those of the queues that this session has not put on the list since a connection last broke."""
        if self._breaks != self._endpoint.breaks:
            # The store may be another one by now, or an older state of the same.
            self._breaks = self._endpoint.breaks
            self._listed.clear()
        return [name for name in dict.fromkeys(names) if name not in self._listed]

    def _list(self, name: str) -> None:
        """Put a queue on the list of all queues.

        Raises:
            Outage: it was not possible, so that nothing may be stored in it.
        """
        if self._unlisted((name,)):
            self._list_anew(name)

    def _list_anew(self, name: str) -> None:
        """As `_list`, also where the queue should be on the list already."""
        self._command(b"SADD", self._keys.queues, name.encode())
        self._listed.add(name)

    def _command(self, command: bytes, key: bytes, *args: bytes | str | int) -> Reply:
        """One plain command on one key."""
        wire = self._lender.lend()
        try:
            return wire.command(command, key, *args)
        finally:
            self._lender.take_back(wire)

    def _holder(self, lease: bytes) -> Holder:
        """Read a lease.

        Raises:
            StoreDamaged: no node wrote it.
        """
        try:
            return holder_of(lease)
        except ValueError:
            key = self._keys.lease.decode()
            raise damaged_entry(
                f"the lease {lease[:40]!r} under the key {key!r}", self._endpoint.address, None
            ) from None

    def close(self) -> None:
        """See `Session.close`."""
        self._lender.close()


def holder_of(lease: bytes) -> Holder:
    """Read ``epoch|token|renewal|node`` and, when its holder was seen, ``|seen_by``.

    Raises:
        ValueError: it is no such thing.
    """
    epoch, token, renewal, node, *seen_by = text_of(lease).split("|", 4)
    return Holder(int(epoch), token, node, int(renewal), seen_by[0] if seen_by else None)


def in_pieces(queues: Sequence[T]) -> list[Sequence[T]]:
    """Cut into what one run of a script looks at."""
    return [queues[at : at + QUEUES_A_SCRIPT] for at in range(0, len(queues), QUEUES_A_SCRIPT)]


def milliseconds(seconds: float) -> int:
    """A duration or a time in ms, rounded up: nothing is ever due too early."""
    return math.ceil(round(seconds * 1000, 3))


def fresh(reply: Reply, what: str) -> Reply:
    """The reply of a call that is not an old one.

    Raises:
        StaleCall: it is.
    """
    if isinstance(reply, list) and reply and reply[0] == b"STALE":
        raise StaleCall(f"{what} came after a later one; nothing was changed")
    return reply
