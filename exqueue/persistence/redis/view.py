"""What is in a namespace of a server, for whoever checks it: read in small pieces, so that nobody waits for it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import redis

from exqueue.persistence.inspection.bounds import number_in
from exqueue.persistence.inspection.facts import Count, JobFacts, LockFacts, QueueFacts
from exqueue.persistence.redis.keys import keys_of_a_job, namespace_keys, queue_keys
from exqueue.persistence.redis.oddities import Keyspace
from exqueue.persistence.redis.reading import job_facts, lock_facts, pairs, queue_facts
from exqueue.persistence.redis.scripts import script
from exqueue.persistence.redis.text import bytes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from exqueue.persistence.inspection.remedies import Fault
    from exqueue.persistence.redis.connection import Args, Reply, Wire
    from exqueue.persistence.redis.keys import QueueKeys

PIECE: Final = 100
"""How many ids one script looks at, and how many entries one step reads: some 1 ms of the server."""

LINE_PIECE: Final = 5_000
"""How many entries of the ready line one step reads."""

MOST_TRIES: Final = 3
"""So often a count is looked at that others change meanwhile."""


class RedisView:
    """See `exqueue.persistence.inspection.inspector.View`."""

    def __init__(self, wire: Wire, namespace: str) -> None:
        self._wire = wire
        self._namespace = namespace
        self._keys = namespace_keys(namespace)
        self._keyspace = Keyspace(wire, namespace)

    def oddities(self) -> Iterator[Fault]:
        """See `View.oddities`."""
        return self._keyspace.walk()

    def queues(self) -> Sequence[QueueFacts]:
        """See `View.queues`."""
        return tuple(
            queue_facts(name, pairs(self._ask(b"HGETALL", self._of(name).owner)), known=known)
            for name, known in self._keyspace.queues()
        )

    def lock(self) -> LockFacts | None:
        """See `View.lock`: all of it in one transaction."""
        if not self._keyspace.has_sound_lock:
            return None
        asked = ((b"TIME",), (b"HGETALL", self._keys.fence), (b"GET", self._keys.lease), (b"PTTL", self._keys.lease))
        *_, answer = self._talk((b"MULTI",), *asked, (b"EXEC",))
        time, fence, lease, left_ms = answer
        return lock_facts(int(time[0]) + int(time[1]) / 1_000_000, pairs(fence), lease, left_ms)

    def jobs(self, queue: QueueFacts) -> Iterator[JobFacts]:
        """See `View.jobs`: those that have a record, then those of which something else is there."""
        at = self._of(queue.name)
        entries = self._ready_line(at)
        for page in self._scan(b"HSCAN", at.jobs):
            records = pairs(page)
            for job_id, seen in zip(records, self._look(at, list(records)), strict=True):
                yield job_facts(job_id, seen, records[job_id], entries.pop(job_id, 0))
        # What is left in `entries` has no record, or got it meanwhile.
        for ids in self._without_record(at, entries):
            for job_id, seen in zip(ids, self._look(at, ids), strict=True):
                yield job_facts(job_id, seen, None, entries.get(job_id, 0))

    def confirm(self, queue: QueueFacts, job_id: str) -> tuple[QueueFacts, JobFacts]:
        """See `View.confirm`."""
        at, raw = self._of(queue.name), bytes_of(job_id)
        owner, seen = self._run(at, b"1", [raw])
        return queue_facts(queue.name, pairs(owner), known=queue.known), job_facts(raw, seen, seen[10], seen[11])

    def counts(self, queue: QueueFacts) -> Sequence[Count]:
        """See `View.counts`: of the husks, once each is a number; their sum is kept in the step that changes them."""
        at = self._of(queue.name)
        for _ in range(MOST_TRIES):
            before = self._ask(b"HGET", at.owner, b"husks") or b"0"
            found = {job_id: count for page in self._scan(b"HSCAN", at.husks) for job_id, count in pairs(page).items()}
            after = self._ask(b"HGET", at.owner, b"husks") or b"0"
            said = number_in(before)
            counts = [count for each in found.values() if (count := number_in(each)) is not None]
            if before == after and said is not None and len(counts) == len(found):
                return (Count("husks", said, sum(counts)),)
        return ()

    def _ready_line(self, at: QueueKeys) -> Counter[bytes]:
        """How often each id stands in the ready line."""
        entries: Counter[bytes] = Counter()
        start = 0
        while page := self._ask(b"LRANGE", at.ready, start, start + LINE_PIECE - 1):
            entries.update(page)
            start += len(page)
        return entries

    def _without_record(self, at: QueueKeys, entries: Iterable[bytes]) -> Iterator[list[bytes]]:
        """Pieces of ids that stand somewhere, and of which there is no record."""
        yield from self._absent(at, list(entries))
        for key in (at.returned, at.suspects, at.waiting, at.dead):
            for page in self._scan(b"ZSCAN", key):
                yield from self._absent(at, page[::2])
        for key in (at.running, at.trail, at.recoveries, at.unreported, at.husks):
            for page in self._scan(b"HSCAN", key):
                yield from self._absent(at, page[::2])

    def _absent(self, at: QueueKeys, ids: Sequence[bytes]) -> Iterator[list[bytes]]:
        for start in range(0, len(ids), PIECE):
            piece = ids[start : start + PIECE]
            there = self._talk(*((b"HEXISTS", at.jobs, job_id) for job_id in piece))
            yield [job_id for job_id, is_there in zip(piece, there, strict=True) if not is_there]

    def _look(self, at: QueueKeys, ids: Sequence[bytes]) -> list[Reply]:
        pieces = [ids[start : start + PIECE] for start in range(0, len(ids), PIECE)]
        return [seen for piece in pieces for seen in self._run(at, b"0", piece)[1:]]

    def _run(self, at: QueueKeys, how: bytes, ids: Sequence[bytes]) -> Reply:
        return self._wire.run(script("fsck_look"), (*keys_of_a_job(at), at.owner), (how, *ids))

    def _scan(self, command: bytes, key: bytes) -> Iterator[Reply]:
        """The pages of a hash or a sorted set."""
        cursor = b"0"
        while True:
            cursor, page = self._ask(command, key, cursor, b"COUNT", PIECE)
            if page:
                yield page
            if cursor == b"0":
                return

    def _ask(self, command: bytes, key: bytes, *args: bytes | int) -> Reply:
        return self._wire.command(command, key, *args)

    def _talk(self, *commands: Args) -> list[Reply]:
        replies = self._wire.talk(commands)
        for command, reply in zip(commands, replies, strict=True):
            if isinstance(reply, redis.RedisError):
                raise self._wire.explain(reply, [part for part in command[1:2] if isinstance(part, bytes)])
        return replies

    def _of(self, name: str) -> QueueKeys:
        return queue_keys(self._namespace, name)
