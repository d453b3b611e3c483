"""The keys of a namespace: of which types they are, whose call numbers and signs of life stand there."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

import redis

from exqueue.persistence.inspection.bounds import MOST_NUMBER, number_in
from exqueue.persistence.inspection.remedies import Own, blame
from exqueue.persistence.redis.keys import ROLES, namespace_keys, queue_of, role_of
from exqueue.persistence.redis.reading import pairs, shown
from exqueue.persistence.redis.text import is_utf8, text_of
from exqueue.persistence.redis.verbs import CALLER_KEPT_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exqueue.persistence.inspection.remedies import Fault
    from exqueue.persistence.redis.connection import Args, Reply, Wire

KEYS_A_STEP: Final = 1_000
"""How many keys of the server one step passes over."""

MOST_BEAT_MS: Final = 366 * 86_400_000
"""No sign of life is for longer."""

_BEAT: Final = re.compile(rb"(\d+)\|.*", re.DOTALL)
_MAY_EXPIRE: Final = frozenset({"caller", "lease", "nodes"})
"""What is kept for a while only, or comes again by itself."""
_OF_A_QUEUE: Final = frozenset(ROLES) - {"caller", "queues", "fence", "lease", "nodes", "layout"}


class Keyspace:
    """The keys of one namespace. `walk` first: the rest tells what it has found."""

    def __init__(self, wire: Wire, namespace: str) -> None:
        self._wire = wire
        self._namespace = namespace
        self._keys = namespace_keys(namespace)
        self._listed: frozenset[bytes] = frozenset()
        self._found: set[str] = set()
        self._unfit: set[str | None] = set()
        self.has_sound_lock = True
        """Whether the keys of the lock are of the right types."""

    def walk(self) -> Iterator[Fault]:
        """Look at all keys."""
        self._listed, self._found, self._unfit, self.has_sound_lock = frozenset(), set(), set(), True
        keys = self._keys
        own = (keys.queues, keys.fence, keys.lease, keys.nodes)
        yield from self._of_expiry((keys.queues, keys.fence, keys.layout))
        foreign = list(self._of_types(own))
        yield from foreign
        bad = {fault.remedy.args[1] for fault in foreign if isinstance(fault.remedy, Own)}
        self.has_sound_lock = not bad & {keys.fence, keys.lease}
        for page in self._pages():
            yield from self._of_expiry([key for key in page if role_of(key) not in _MAY_EXPIRE])
            yield from self._of_types(page)
            callers = [key for key in page if role_of(key) == "caller" and queue_of(key) not in self._unfit]
            yield from self._of_callers(callers)
        if keys.queues not in bad:
            self._listed = frozenset(self._talk((b"SMEMBERS", keys.queues))[0])
            yield from self._of_names()
        if keys.nodes not in bad:
            yield from self._of_beats()

    def queues(self) -> list[tuple[str, bool]]:
        """The queues that can be looked into, and whether each is on the list."""
        listed = {text_of(name) for name in self._listed if is_utf8(name)}
        names = sorted(name for name in listed | self._found if name not in self._unfit)
        return [(name, name in listed) for name in names]

    def _pages(self) -> Iterator[list[bytes]]:
        cursor = b"0"
        pattern = f"exqueue:{{{self._namespace}:*}}:*"
        while True:
            cursor, keys = self._talk((b"SCAN", cursor, b"MATCH", pattern, b"COUNT", KEYS_A_STEP))[0]
            known = [key for key in keys if role_of(key) in ROLES]
            self._found |= {
                name
                for key in known
                if role_of(key) in _OF_A_QUEUE
                and (name := queue_of(key)) is not None
                and is_utf8(name.encode(errors="surrogateescape"))
            }
            if known:
                yield known
            if cursor == b"0":
                return

    def _of_types(self, keys: Sequence[bytes]) -> Iterator[Fault]:
        for key, kind in zip(keys, self._talk(*((b"TYPE", key) for key in keys)), strict=True):
            role, found = role_of(key), kind.decode()
            if found in {"none", ROLES[role]}:
                continue
            queue = queue_of(key)
            if role in _OF_A_QUEUE:
                self._unfit.add(queue)
            aside = key[: -len(key.rpartition(b"}:")[2])] + f"aside:{role}:{secrets.token_hex(4)}".encode()
            yield blame(queue)(
                "foreign_type",
                f"the key {shown(key)} is a {found}, and Exqueue keeps {role} in a {ROLES[role]}: it stands still",
                "renames the key to ...:aside:..., where nobody reads it",
                Own("RENAMENX", (b"RENAMENX", key, aside), (b"TYPE", found)),
            )

    def _of_expiry(self, keys: Sequence[bytes]) -> Iterator[Fault]:
        ends = self._talk(*((b"PTTL", key) for key in keys)) if keys else []
        for key, left_ms in zip(keys, ends, strict=True):
            if left_ms >= 0:
                said = f"the key {shown(key)} ends by itself, and all that is in it then: Exqueue sets no end to it"
                remedy = Own("PERSIST", (b"PERSIST", key))
                yield blame(queue_of(key))("expiring", said, "takes its end away (PERSIST)", remedy)

    def _of_callers(self, keys: Sequence[bytes]) -> Iterator[Fault]:
        asked: list[Args] = []
        for key in keys:
            asked += ((b"GET", key), (b"PTTL", key))
        replies = self._talk(*asked, tolerant=True) if asked else []
        for key, kept, left_ms in zip(keys, replies[::2], replies[1::2], strict=True):
            fault, caller = blame(queue_of(key)), shown(key.rpartition(b":")[2])
            if not isinstance(kept, bytes):
                continue
            if number_in(kept.partition(b"|")[0]) is None:
                said = f"the last call of caller {caller} is {shown(kept)}, which no caller was given: it is refused"
                yield fault("unreadable_caller", said, "forgets the caller", Own("DEL", (b"DEL", key), (b"GET", kept)))
            elif left_ms < 0:
                said = f"the last call of caller {caller} is kept for ever, and is to be for an hour"
                hour = Own("PEXPIRE", (b"PEXPIRE", key, CALLER_KEPT_MS))
                yield fault("endless_caller", said, "keeps it for an hour", hour)

    def _of_names(self) -> Iterator[Fault]:
        for name in sorted(name for name in self._listed if not is_utf8(name)):
            said = f"the list of queues has {shown(name)}, which is no UTF-8: no node works such a queue"
            remedy = Own("SREM", (b"SREM", self._keys.queues, name))
            yield blame(None)("foreign_name", said, "takes it off the list", remedy)

    def _of_beats(self) -> Iterator[Fault]:
        time, beats = self._talk((b"TIME",), (b"HGETALL", self._keys.nodes))
        now = int(time[0]) * 1000
        fault = blame(None)
        for node, beat in sorted(pairs(beats).items()):
            found = _BEAT.fullmatch(beat)
            remedy = Own("HDEL", (b"HDEL", self._keys.nodes, node), (b"HGET", node, beat))
            if found is None or not is_utf8(node):
                said = f"the sign of life of node {shown(node)} is {shown(beat)}, which no node wrote"
                yield fault("unreadable_beat", said, "removes it", remedy)
            elif (number_in(found[1]) or MOST_NUMBER) > now + MOST_BEAT_MS:
                said = f"the sign of life of node {shown(node)} never ends: the node would be shown for ever"
                yield fault("endless_beat", said, "removes it", remedy)

    def _talk(self, *commands: Args, tolerant: bool = False) -> list[Reply]:
        replies = self._wire.talk(commands)
        for command, reply in zip(commands, replies, strict=True):
            if isinstance(reply, redis.RedisError) and not tolerant:
                raise self._wire.explain(reply, [part for part in command[1:2] if isinstance(part, bytes)])
        return replies
