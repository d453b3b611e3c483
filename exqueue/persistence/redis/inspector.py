"""Looks at a namespace of a server, and mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar, assert_never

from exqueue.errors import StoreInUse
from exqueue.persistence.inspection.bounds import MOST_NUMBER
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
from exqueue.persistence.redis.keys import keys_of_a_job, namespace_keys, queue_keys
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

TRAIL, RECOVERIES, RUNNING, HUSKS, UNREPORTED = 3, 4, 10, 11, 12
"""Positions among the keys of ``fsck_field.lua``."""


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

    def apply(self, remedy: Remedy, stamp: bytes = b"") -> bool:
        """See `Inspector.apply`."""
        match remedy:
            case Put():
                return self._put(remedy, stamp)
            case Forget(queue, job_id):
                return self._job("fsck_forget", queue, bytes_of(job_id), stamp)
            case SetTrail() | SetRecovered() | SetHusks() | DropMark() | DropRun():
                return self._job("fsck_field", remedy.queue, bytes_of(remedy.id), stamp, *_field(remedy))
            case SetOwner() | ListQueue() | SetFence() | LimitLease() | EndLease() | Own():
                return self._besides_jobs(remedy)
            case _:
                assert_never(remedy)

    def _besides_jobs(self, remedy: SetOwner | ListQueue | SetFence | LimitLease | EndLease | Own) -> bool:
        match remedy:
            case SetOwner(queue, field, value, was):
                owner = queue_keys(self._namespace, queue).owner
                stood = bytes_of(was) if isinstance(was, str) else was
                seen: Args = () if stood is None else (b"HGET", field, stood)
                return self._write((b"HDEL", owner, field) if value is None else (b"HSET", owner, field, value), seen)
            case ListQueue(queue):
                return self._write((b"SADD", self._keys.queues, bytes_of(queue)))
            case SetFence(epoch):
                return self._run("fsck_fence", (self._keys.fence,), (epoch, MOST_NUMBER))
            case LimitLease(seconds):
                self._wire.command(b"PEXPIRE", self._keys.lease, milliseconds(seconds))
                return True
            case EndLease():
                return self._write((b"DEL", self._keys.lease))
            case Own(_, args, guard):
                return self._write(args, guard)
            case _:
                assert_never(remedy)

    def _put(self, put: Put, stamp: bytes) -> bool:
        number = put.number or 0.0
        where = milliseconds(number) if put.line in TIMES else int(number)
        about: Args = (put.line, where, int(put.is_lost), put.trail or b"", put.mark or b"", stamp)
        keys = keys_of_a_job(queue_keys(self._namespace, put.queue))
        return self._run("fsck_put", keys, (bytes_of(put.id), *about))

    def _job(self, name: str, queue: str, job_id: bytes, stamp: bytes, *about: bytes | int | str) -> bool:
        return self._run(name, keys_of_a_job(queue_keys(self._namespace, queue)), (job_id, stamp, *about))

    def _write(self, command: Args, seen: Args = ()) -> bool:
        """Run a command, if the answer to another one about its key is still the last of ``seen``."""
        verb, key, *rest = command
        assert isinstance(key, bytes)  # noqa: S101 - as all keys are
        if verb == b"RENAMENX":
            aside = rest.pop()
            assert isinstance(aside, bytes)  # noqa: S101 - as all keys are
            return self._run("fsck_write", (key, aside), (len(seen), *seen, verb))
        return self._run("fsck_write", (key,), (len(seen), *seen, verb, *rest))

    def _run(self, name: str, keys: tuple[bytes, ...], args: Args) -> bool:
        reply: Reply = self._wire.run(script(name), (self._keys.lease, *keys), args)
        if reply == [b"LED"]:
            raise StoreInUse("a node began to lead, so the repair ended before its end: stop the node and repeat it")
        return bool(reply)

    def close(self) -> None:
        """See `Inspector.close`."""
        self._wire.close()


def _field(remedy: SetTrail | SetRecovered | SetHusks | DropMark | DropRun) -> tuple[int, bytes | str | int]:
    """Which key of a job, by its position in ``fsck_field.lua``, and what to set there; ``""`` removes it."""
    match remedy:
        case SetTrail(trail=trail):
            return TRAIL, trail
        case SetRecovered(times=times):
            return RECOVERIES, ",".join(str(round(at * 1000)) for at in times)
        case SetHusks(count=count):
            return HUSKS, count or ""
        case DropMark():
            return UNREPORTED, ""
        case DropRun():
            return RUNNING, ""
        case _:
            assert_never(remedy)
