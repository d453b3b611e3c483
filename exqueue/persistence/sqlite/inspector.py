"""Looks at a namespace of a file, and mends it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, assert_never

from exqueue.errors import Outage, StoreInUse
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
from exqueue.persistence.sqlite.lock import holder
from exqueue.persistence.sqlite.queue import UnreadableError, find, with_one_more
from exqueue.persistence.sqlite.reads import STATES
from exqueue.persistence.sqlite.view import LINES, SqliteView, stamp_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.inspection.inspector import View
    from exqueue.persistence.sqlite.connection import Step, Wire

T = TypeVar("T")

_NUMBERS: Final = {line: state for state, line in LINES.items()}
_PUT: Final = """
    UPDATE jobs SET state = ?, rank = ?, run = NULL, recovered = ?, trail = coalesce(?, trail),
      unreported = coalesce(unreported, ?)
    WHERE queue = ? AND id = ?
"""
_FENCE: Final = """
    INSERT INTO locks (namespace, epoch) VALUES (?, ?)
    ON CONFLICT (namespace) DO UPDATE SET epoch = excluded.epoch, token = NULL
      WHERE locks.epoch NOT BETWEEN excluded.epoch + 1 AND ?
"""
_OF_THE_FILE: Final = frozenset({"make", "remake"})
"""What the backend does that changes no row."""
_DEFAULTS: Final = {"head": None, "refused": ""}
_STATES_OF: Final = {"ready": "state < 3", "waiting": "state = 3", "dead": "state = 4", "running": "state = 5"}


class SqliteInspector:
    """See `exqueue.persistence.inspection.inspector.Inspector`.

    Args:
        reading: a connection that looks.
        writing: another one, which mends meanwhile.
        path: of the file.
    """

    can_repair = True

    def __init__(self, reading: Wire, writing: Wire, path: str) -> None:
        self._reading = reading
        self._writing = writing
        self._path = path

    def look(self, act: Callable[[View], T]) -> T:
        """See `Inspector.look`: as the file is at one moment; others go on writing meanwhile."""
        if not Path(self._path).exists():
            reason = f"there is no file {self._path} to look at"
            raise Outage(reason, sent=False, refusal=reason)
        return self._reading.read(lambda step: act(SqliteView(step, self._path)))

    def apply(self, remedy: Remedy, stamp: bytes = b"") -> bool:
        """See `Inspector.apply`."""
        return self._writing.write(lambda step: _apply(step, remedy, stamp), durable=True)

    def close(self) -> None:
        """See `Inspector.close`."""
        self._reading.close()
        self._writing.close()


def _apply(step: Step, remedy: Remedy, stamp: bytes) -> bool:
    if isinstance(remedy, LimitLease):
        sql = "UPDATE locks SET lease_until = ? WHERE namespace = ?"
        return _did(step, sql, step.lease_now + remedy.seconds, step.namespace)
    # What is of no queue may be in the way of seeing who leads, and harms no leader.
    if not isinstance(remedy, Own) and holder(step) is not None:
        raise StoreInUse("a node began to lead, so the repair ended before its end: stop the node and repeat it")
    match remedy:
        case SetFence(epoch):
            return _did(step, _FENCE, step.namespace, epoch, MOST_NUMBER)
        case EndLease():
            return _did(step, "UPDATE locks SET lease_epoch = NULL WHERE namespace = ?", step.namespace)
        case Own(what, (sql, *values)):
            return _did(step, sql, *values) or what in _OF_THE_FILE
        case Own():
            raise ValueError(remedy)
        case ListQueue(queue):
            sql = "UPDATE queues SET known = 1 WHERE namespace = ? AND name = ?"
            return _did(step, sql, step.namespace, queue)
        case _:
            return _in_queue(step, remedy, stamp)


def _did(step: Step, sql: str, *values: Any) -> bool:
    """Whether there was a row to change."""
    return step.db.execute(sql, values).rowcount > 0


def _in_queue(
    step: Step, remedy: Put | Forget | SetTrail | SetRecovered | SetHusks | DropMark | DropRun | SetOwner, stamp: bytes
) -> bool:
    queue = find(step, remedy.queue)
    if queue is None:
        return False
    if isinstance(remedy, SetOwner):
        return _set_owner(step, queue.key, remedy)
    if stamp and stamp_of(step, queue.key, remedy.id) != stamp:
        return False
    match remedy:
        case Put():
            return _put(step, queue.key, _last_ready(step, queue.key), remedy)
        case SetTrail(_, job_id, trail):
            return _set(step, queue.key, job_id, "trail", trail)
        case SetRecovered(_, job_id, times):
            return _set(step, queue.key, job_id, "recovered", ",".join(map(repr, times)) or None)
        case DropMark(_, job_id):
            return _set(step, queue.key, job_id, "unreported", None)
        case DropRun(_, job_id):
            return _set(step, queue.key, job_id, "run", None)
        case Forget() | SetHusks():
            raise ValueError(remedy)  # A job is one row here: there is nothing of it without a record.
        case _:
            assert_never(remedy)


def _set(step: Step, key: int, job_id: str, column: str, value: Any) -> bool:
    sql = f"UPDATE jobs SET {column} = ? WHERE queue = ? AND id = ?"  # noqa: S608 - a known word
    return _did(step, sql, value, key, job_id)


def _set_owner(step: Step, key: int, remedy: SetOwner) -> bool:
    field, value, was = remedy.field, remedy.value, remedy.was
    counted = _STATES_OF.get(field)
    if counted is not None:
        # Counted now: what else was mended meanwhile has moved some.
        asked = f"SELECT count(*) FROM jobs WHERE queue = ? AND {counted}"  # noqa: S608 - a known word
        value, was = step.db.execute(asked, (key,)).fetchone()[0], None
    kept = _DEFAULTS[field] if value is None else value
    sql = f"UPDATE queues SET {field} = ? WHERE key = ? AND (? IS NULL OR {field} IS ?)"  # noqa: S608 - a known word
    return _did(step, sql, kept, key, was, was)


def _last_ready(step: Step, key: int) -> float:
    """The highest rank in the ready line that can be one."""
    asked = "SELECT max(rank) FROM jobs WHERE queue = ? AND state = ? AND abs(rank) <= ?"
    rank = step.db.execute(asked, (key, _NUMBERS["ready"], MOST_NUMBER)).fetchone()[0]
    return 0.0 if rank is None else float(rank)


def _put(step: Step, key: int, last: float, put: Put) -> bool:
    asked = "SELECT state, rank, recovered FROM jobs WHERE queue = ? AND id = ?"
    row = step.db.execute(asked, (key, put.id)).fetchone()
    if row is None:
        return False
    state, rank, recovered = row
    if put.line == "ready":
        where = rank if LINES.get(state) == "ready" and abs(rank) <= MOST_NUMBER else last + 1
    else:
        where = step.now if put.number is None else put.number
    times = recovered
    if put.is_lost:
        try:
            times = with_one_more(recovered, step.now)
        except UnreadableError:
            times = repr(step.now)
    moved = (_NUMBERS[put.line], where, times, put.trail, put.mark, key, put.id)
    step.db.execute(_PUT, moved)
    before, after = STATES[state] if state in LINES else None, STATES[_NUMBERS[put.line]]
    if before is not None and before != after:
        sql = f"UPDATE queues SET {before} = {before} - 1, {after} = {after} + 1 WHERE key = ?"  # noqa: S608
        step.db.execute(sql, (key,))
    return True
