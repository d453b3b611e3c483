"""Looks at a namespace of a server, and mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar, assert_never

from exqueue.errors import StoreInUse
from exqueue.persistence.inspection.remedies import (
    DropMark,
    DropRun,
    EndLease,
    Forget,
    LimitLease,
    ListQueue,
    Own,
    Put,
    Remedy,
    SetFence,
    SetHusks,
    SetOwner,
    SetRecovered,
    SetTrail,
)
from exqueue.persistence.redis.keys import namespace_keys, queue_keys
from exqueue.persistence.redis.scripts import script
from exqueue.persistence.redis.text import bytes_of
from exqueue.persistence.redis.verbs import milliseconds
from exqueue.persistence.redis.view import RedisView

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.inspection.inspector import View
    from exqueue.persistence.redis.connection import Args, Reply, Wire

T = TypeVar("T")

TIMES: Final = frozenset({"waiting", "dead"})


class RedisInspector:
    """See `exqueue.persistence.inspection.inspector.Inspector`."""

    can_repair = True

    def __init__(self, wire: Wire, namespace: str) -> None:
        self._wire = wire
        self._namespace = namespace
        self._keys = namespace_keys(namespace)

    def look(self, act: Callable[[View], T]) -> T:
        """See `Inspector.look`: a server can't be seen at one moment without holding everybody up."""
        return act(RedisView(self._wire, self._namespace))

    def apply(self, remedy: Remedy) -> None:
        """See `Inspector.apply`."""
        match remedy:
            case Put():
                self._put(remedy)
            case Forget(queue, job_id):
                at = queue_keys(self._namespace, queue)
                lines = (at.returned, at.suspects, at.waiting, at.dead)
                keys = (at.jobs, at.ready, at.husks, *lines, at.running, at.trail, at.recoveries, at.unreported)
                self._run("fsck_forget", keys, (bytes_of(job_id),))
            case SetTrail() | SetRecovered() | SetHusks() | DropMark() | DropRun():
                self._write(*_of_job(remedy, self._namespace))
            case SetOwner(queue, field, value):
                owner = queue_keys(self._namespace, queue).owner
                self._write(b"HDEL", owner, field) if value is None else self._write(b"HSET", owner, field, value)
            case ListQueue(queue):
                self._write(b"SADD", self._keys.queues, bytes_of(queue))
            case SetFence(epoch):
                self._write(b"HSET", self._keys.fence, b"epoch", epoch)
                self._write(b"HDEL", self._keys.fence, b"token")
            case LimitLease(seconds):
                self._wire.command(b"PEXPIRE", self._keys.lease, milliseconds(seconds))
            case EndLease():
                self._wire.command(b"DEL", self._keys.lease)
            case Own(_, (b"RENAMENX", key, aside)):
                self._run("fsck_write", (key, aside), (b"RENAMENX",))
            case Own(_, args):
                self._write(*args)
            case _:
                assert_never(remedy)

    def _put(self, put: Put) -> None:
        at = queue_keys(self._namespace, put.queue)
        lines = (at.ready, at.returned, at.suspects, at.waiting, at.dead, at.running)
        number = put.number or 0.0
        where = milliseconds(number) if put.line in TIMES else int(number)
        about: Args = (int(put.is_lost), put.trail or b"", put.mark or b"")
        keys = (at.jobs, at.trail, at.recoveries, *lines, at.husks, at.unreported)
        self._run("fsck_put", keys, (bytes_of(put.id), put.line, where, *about))

    def _write(self, command: bytes, key: bytes, *args: bytes | str | int) -> None:
        self._run("fsck_write", (key,), (command, *args))

    def _run(self, name: str, keys: tuple[bytes, ...], args: Args) -> None:
        reply: Reply = self._wire.run(script(name), (self._keys.lease, *keys), args)
        if reply == [b"LED"]:
            raise StoreInUse("a node began to lead, so the repair ended before its end: stop the node and repeat it")

    def close(self) -> None:
        """See `Inspector.close`."""
        self._wire.close()


def _of_job(
    remedy: SetTrail | SetRecovered | SetHusks | DropMark | DropRun, namespace: str
) -> tuple[bytes, bytes, *tuple[bytes | str | int, ...]]:
    """The command that sets or removes one field of a job."""
    at, job_id = queue_keys(namespace, remedy.queue), bytes_of(remedy.id)
    match remedy:
        case SetTrail(trail=trail):
            return b"HSET", at.trail, job_id, trail
        case SetRecovered(times=times):
            kept = ",".join(str(round(at * 1000)) for at in times)
            return (b"HSET", at.recoveries, job_id, kept) if kept else (b"HDEL", at.recoveries, job_id)
        case SetHusks(count=count):
            return (b"HSET", at.husks, job_id, count) if count else (b"HDEL", at.husks, job_id)
        case DropMark():
            return b"HDEL", at.unreported, job_id
        case DropRun():
            return b"HDEL", at.running, job_id
        case _:
            assert_never(remedy)
