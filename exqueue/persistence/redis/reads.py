"""The verbs that only look, and the beat of the nodes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import redis

from exqueue.persistence.bounds import check_size
from exqueue.persistence.redis.ready_line import far_back
from exqueue.persistence.redis.text import bytes_of, is_utf8, text_of
from exqueue.persistence.redis.verbs import Verbs, in_pieces, milliseconds
from exqueue.persistence.values import Danger, Mark, Overview, QueueCounts, StoredJob, Unreported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.persistence.redis.connection import Args, Reply
    from exqueue.persistence.values import State

NAMED = 10
"""How many things that somebody else wrote one sentence names."""

STATES: dict[bytes, State] = {b"ready": "ready", b"waiting": "waiting", b"running": "running", b"dead": "dead"}


class Reads(Verbs):
    """See `exqueue.persistence.base.Session`, "anyone"."""

    def queues(self) -> tuple[str, ...]:
        """See `Session.queues`."""
        return tuple(sorted(name.decode() for name in self._command(b"SMEMBERS", self._keys.queues) if is_utf8(name)))

    def overview(self, queues: Sequence[str]) -> Overview:
        """See `Session.overview`."""
        pieces = in_pieces(queues) or [()]
        replies = self._run_all("overview", [((self._keys.lease, *self._counted(piece)), ()) for piece in pieces])
        counts: list[QueueCounts] = []
        for piece, reply in zip(pieces, replies, strict=True):
            counts += (_counts(name, numbers) for name, numbers in zip(piece, reply[2:], strict=True))
        now, lease = replies[0][:2]
        return Overview(int(now) / 1000, None if lease is None else self._holder(lease), tuple(counts))

    def _counted(self, queues: Sequence[str]) -> list[bytes]:
        keys: list[bytes] = []
        for name in queues:
            at = self._queue(name)
            keys += (at.jobs, at.recoveries, at.ready, at.returned, at.suspects, at.waiting)
            keys += (at.dead, at.running, at.owner, at.husks)
        return keys

    def list_jobs(self, queue: str, state: State, limit: int, offset: int) -> tuple[StoredJob, ...]:
        """See `Session.list_jobs`."""
        check_size("limit", limit)
        behind, *jobs = self._page(queue, state, limit, max(0, offset))
        if behind >= 0:
            ids = far_back(partial(self._look_along, queue), behind, limit - len(jobs) // 5)
            jobs += self._page(queue, state, len(ids), 0, *ids)[1:] if ids else ()
        return tuple(
            _stored(queue, job_id, state, *rest) for job_id, *rest in zip(*(jobs[i::5] for i in range(5)), strict=True)
        )

    def _page(self, queue: str, state: State, limit: int, offset: int, *ids: bytes) -> Reply:
        at = self._queue(queue)
        stored = (at.jobs, at.trail, at.recoveries)
        lines = (at.ready, at.returned, at.suspects, at.waiting, at.dead, at.running)
        return self._run("list_jobs", (*stored, *lines, at.husks, at.owner), (state, limit, offset, *ids))

    def _look_along(
        self, queue: str, index: int, most: int, names: bool, /
    ) -> tuple[int, int, list[tuple[bytes, int]]]:
        at = self._queue(queue)
        size, certain, entries = self._run("look_along", (at.jobs, at.ready, at.husks), (index, most, int(names)))
        return size, certain, list(zip(entries[::2], entries[1::2], strict=True))

    def get_jobs(self, job_id: str, queues: Sequence[str]) -> tuple[StoredJob, ...]:
        """See `Session.get_jobs`."""
        runs: list[tuple[tuple[bytes, ...], Args]] = []
        for name in queues:
            at = self._queue(name)
            runs.append(((at.jobs, at.trail, at.recoveries, at.waiting, at.dead, at.running), (job_id,)))
        found = zip(queues, self._run_all("get_job", runs), strict=True)
        return tuple(
            _stored(name, bytes_of(job_id), STATES[reply[0]], *reply[1:]) for name, reply in found if reply is not None
        )

    def unreported(self, queue: str, limit: int) -> tuple[Unreported, ...]:
        """See `Session.unreported`."""
        check_size("limit", limit)
        if not limit:
            return ()
        at = self._queue(queue)
        reply = self._run("unreported", (at.unreported, at.jobs, at.trail, at.recoveries, at.dead), (limit,))
        rows = zip(*(reply[i::6] for i in range(6)), strict=True)
        return tuple(
            Unreported(Mark(text_of(job_id), run), _stored(queue, job_id, "dead", record, trail, recoveries, died_at))
            for job_id, run, record, trail, recoveries, died_at in rows
        )

    def beat(self, node: str, info: bytes, ttl: float) -> None:
        """See `Session.beat`."""
        self._run("beat", (self._keys.nodes,), (node, milliseconds(ttl), info))

    def nodes(self) -> tuple[tuple[str, bytes], ...]:
        """See `Session.nodes`."""
        wire = self._lender.lend()
        try:
            time, beats = wire.talk(((b"TIME",), (b"HGETALL", self._keys.nodes)))
            for reply in (time, beats):
                if isinstance(reply, redis.RedisError):
                    raise wire.explain(reply, (self._keys.nodes,))
        finally:
            self._lender.take_back(wire)
        now = int(time[0]) * 1000 + int(time[1]) // 1000
        split = ((node, *beat.partition(b"|")) for node, beat in zip(beats[::2], beats[1::2], strict=True))
        return tuple(
            sorted(
                (node.decode(), info)
                for node, expires, _, info in split
                if is_utf8(node) and expires.isdigit() and int(expires) > now
            )
        )

    def forget(self, node: str) -> None:
        """See `Session.forget`."""
        self._command(b"HDEL", self._keys.nodes, node)

    def diagnose(self) -> tuple[Danger, ...]:
        """See `Session.diagnose`."""
        asked = ("maxmemory-policy", "appendonly", "save")
        *replies, names = self._talk(*((b"CONFIG", b"GET", name) for name in asked), (b"SMEMBERS", self._keys.queues))
        found = {
            name: reply[1].decode()
            for name, reply in zip(asked, replies, strict=True)
            if isinstance(reply, list) and len(reply) > 1
        }
        dangers: list[Danger] = []
        policy = found.get("maxmemory-policy", "noeviction")
        if policy != "noeviction":
            sentence = (
                f"maxmemory-policy of the server is {policy}: when its memory is full it throws jobs away; "
                "set it to noeviction, then it refuses new ones instead"
            )
            dangers.append(Danger(sentence, is_grave=True))
        if found.get("appendonly") == "no" and found.get("save") == "":
            sentence = (
                "appendonly of the server is off and there are no save points: a restart of it loses all jobs; "
                "set appendonly to yes"
            )
            dangers.append(Danger(sentence, is_grave=False))
        foreign = [] if isinstance(names, redis.RedisError) else sorted(name for name in names if not is_utf8(name))
        if foreign:
            sentence = (
                f"the set {self._keys.queues.decode()} of the server has names that are no UTF-8, which no Exqueue "
                f"writes, and they are passed over; remove them with SREM: {', '.join(map(repr, foreign[:NAMED]))}"
            )
            dangers.append(Danger(sentence, is_grave=False))
        return tuple(dangers)


def _counts(name: str, numbers: Reply) -> QueueCounts:
    ready, waiting, running, dead, paused, head, head_dead, oldest, suspects, processed, failed, epoch = numbers
    return QueueCounts(
        queue=name,
        ready=ready,
        waiting=waiting,
        running=running,
        dead=dead,
        paused=bool(paused),
        head=text_of(head) or None,
        head_dead=bool(head_dead),
        oldest_ready=oldest,
        suspects=suspects,
        processed=int(processed),
        failed=int(failed),
        epoch=int(epoch),
    )


def _stored(
    queue: str, job_id: bytes, state: State, record: bytes, trail: bytes | None, recoveries: int, extra: bytes
) -> StoredJob:
    return StoredJob(
        id=text_of(job_id),
        queue=queue,
        state=state,
        record=record,
        trail=trail,
        recoveries=recoveries,
        due_at=float(extra) / 1000 if state == "waiting" else None,
        died_at=float(extra) / 1000 if state == "dead" else None,
        started_at=int(extra.rpartition(b"|")[2]) / 1000 if state == "running" else None,
        run=extra if state == "running" else None,
    )
