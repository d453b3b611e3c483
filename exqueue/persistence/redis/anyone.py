"""The verbs of anyone: push, and what a person may do with jobs and queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis

from exqueue.errors import Outage, StaleCall
from exqueue.persistence.bounds import check_size
from exqueue.persistence.redis.scripts import script
from exqueue.persistence.redis.verbs import CALLER_KEPT_MS, Verbs, fresh, milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.errors import ExqueueError
    from exqueue.persistence.redis.connection import Args, Reply, Wire
    from exqueue.persistence.redis.keys import QueueKeys
    from exqueue.persistence.values import Mark, NewJob, Push, Removed

STATES: dict[bytes, Removed | None] = {
    b"ready": "ready",
    b"waiting": "waiting",
    b"running": "running",
    b"dead": "dead",
    b"": None,
}


class Anyone(Verbs):
    """See `exqueue.persistence.base.Session`, "anyone"."""

    def push(self, caller: str, pushes: Sequence[Push]) -> tuple[ExqueueError | None, ...]:
        """See `Session.push`."""
        for push in pushes:
            check_size("jobs of one push", len(push.jobs))
        if not pushes:
            return ()
        wire = self._lender.lend()
        try:
            return self._push(wire, caller, pushes)
        finally:
            self._lender.take_back(wire)

    def _push(self, wire: Wire, caller: str, pushes: Sequence[Push]) -> tuple[ExqueueError | None, ...]:
        unlisted = self._unlisted([push.queue for push in pushes])
        before: list[Args] = [(b"SADD", self._keys.queues, name.encode()) for name in unlisted]
        if len({push.queue for push in pushes}) < len(pushes):
            # Two pushes to one queue: a server that does not know the script must not learn it from somebody else
            # between the two, since then only the second would be applied and the first be out of date.
            before.append((b"SCRIPT", b"LOAD", script("push").source))
        commands = [self._push_command(caller, push) for push in pushes]
        replies, outage = wire.talk_partly((*before, *commands))
        if outage is not None and len(replies) <= len(before):
            raise outage
        listing, replies = replies[: len(unlisted)], replies[len(before) :]
        unknown = [i for i, reply in enumerate(replies) if isinstance(reply, redis.exceptions.NoScriptError)]
        if unknown and outage is None:
            source = script("push").source
            again, outage = wire.talk_partly([(b"EVAL", source, *commands[i][2:]) for i in unknown])
            answered = [*again, *[None] * len(unknown)]
            for i, reply in zip(unknown, answered, strict=False):
                replies[i] = reply
        not_listed = self._note_listed(wire, unlisted, listing)
        replies += [None] * (len(pushes) - len(replies))
        return tuple(
            self._outcome(wire, push, reply, outage) or not_listed.get(push.queue)
            for push, reply in zip(pushes, replies, strict=True)
        )

    def _note_listed(self, wire: Wire, names: list[str], replies: list[Reply]) -> dict[str, ExqueueError]:
        """Remember the queues that are on the list now, and why others are not."""
        refused: dict[str, ExqueueError] = {}
        for name, reply in zip(names, replies, strict=True):
            if not isinstance(reply, redis.RedisError):
                self._listed.add(name)
                continue
            # The jobs themselves may be stored; asked again under the same number it is the list that is mended.
            refused[name] = Outage(wire.explain(reply, (self._keys.queues,)).reason, sent=True)
        return refused

    def _outcome(self, wire: Wire, push: Push, reply: Reply, outage: Outage | None) -> ExqueueError | None:
        if reply == b"OK":
            return None
        if reply == b"STALE":
            return StaleCall(
                f"push {push.n} of this caller to {push.queue!r} came after a later one; nothing was stored"
            )
        if isinstance(reply, redis.RedisError):
            return wire.explain(reply, self._push_keys(self._queue(push.queue), ""))
        return outage

    def _push_command(self, caller: str, push: Push) -> Args:
        keys = self._queue(push.queue)
        is_plain = all(job.at is None and job.delay <= 0 for job in push.jobs)
        jobs: list[bytes | str] = []
        for job in push.jobs:
            jobs += (job.id, job.record) if is_plain else (job.id, job.record, _when(job))
        declared = self._push_keys(keys, caller)
        width = 2 if is_plain else 3
        code = script("push").sha
        return (
            b"EVALSHA", code, 5, *declared, push.n, CALLER_KEPT_MS, self._keys.wake, keys.name, width, *jobs,
        )  # fmt: skip

    def _push_keys(self, keys: QueueKeys, caller: str) -> tuple[bytes, ...]:
        return keys.jobs, keys.ready, keys.waiting, keys.owner, keys.caller(caller)

    def retry_dead(self, queue: str, caller: str, n: int, ids: Sequence[str]) -> tuple[str, ...]:
        """See `Session.retry_dead`."""
        check_size("ids", len(ids))
        at = self._queue(queue)
        keys = (at.dead, at.ready, at.returned, at.recoveries, at.unreported, at.owner, at.caller(caller))
        return _chosen(self._once("retry_dead", at, keys, n, *ids), ids)

    def delete_dead(self, queue: str, caller: str, n: int, ids: Sequence[str]) -> tuple[str, ...]:
        """See `Session.delete_dead`."""
        check_size("ids", len(ids))
        at = self._queue(queue)
        keys = (at.dead, at.jobs, at.trail, at.recoveries, at.unreported, at.owner, at.caller(caller))
        return _chosen(self._once("delete_dead", at, keys, n, *ids), ids)

    def cancel(self, queue: str, caller: str, n: int, job_id: str) -> Removed | None:
        """See `Session.cancel`."""
        at = self._queue(queue)
        stored = (at.jobs, at.trail, at.recoveries)
        lines = (at.returned, at.suspects, at.waiting, at.dead, at.running)
        keys = (*stored, *lines, at.owner, at.husks, at.unreported, at.caller(caller))
        return STATES[self._once("cancel", at, keys, n, job_id)]

    def set_paused(self, queue: str, caller: str, n: int, paused: bool) -> None:
        """See `Session.set_paused`."""
        self._list(queue)
        at = self._queue(queue)
        self._once("set_paused", at, (at.owner, at.caller(caller)), n, int(paused))

    def reported(self, queue: str, marks: Sequence[Mark]) -> None:
        """See `Session.reported`."""
        check_size("marks", len(marks))
        if marks:
            args = tuple(part for mark in marks for part in (mark.id, mark.run))
            self._run("reported", (self._queue(queue).unreported,), args)

    def _once(self, name: str, at: QueueKeys, keys: tuple[bytes, ...], n: int, *args: str | int) -> Reply:
        """Run a command's script under the caller's number."""
        reply = self._run(name, keys, (n, CALLER_KEPT_MS, self._keys.wake, at.name, *args))
        return fresh(reply, f"call {n} of this caller on {at.name.decode()!r}")


def _when(job: NewJob) -> str:
    if job.at is not None:
        return str(milliseconds(job.at))
    return f"+{milliseconds(job.delay)}" if job.delay > 0 else ""


def _chosen(positions: bytes, ids: Sequence[str]) -> tuple[str, ...]:
    return tuple(ids[int(position) - 1] for position in positions.split(b",") if position)
