"""The trail of a job: how often it failed, with which errors, and whether it was buried.

Bytes: the format version (1), flags (1), the failures (4, big-endian), and in msgpack ``[reason, errors]`` with each
error as ``[type, message, traceback, at, node]``, the oldest first. What stands in the head survives damage to the
rest.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Any, Final

from exqueue.codec import wire
from exqueue.errors import NewerRecordError, RecordError
from exqueue.record.failure import MAX_MESSAGE, JobError, cut_middle

MAX_ERRORS: Final = 10
"""How many errors of a job are kept: the newest."""

FORMAT: Final = 1
"""The version of the format that is written."""

_HEAD: Final = struct.Struct(">BBI")
_BURIED: Final = 1
_MOST_FAILURES: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Trail:
    """How a job fared up to now; a value, replaced by the next one.

    Args:
        failures: since it was enqueued, or revived by hand.
        errors: the newest `MAX_ERRORS`, the oldest of them first; kept when the job is revived.
        buried: whether it was buried with this trail.
        reason: why, for people.
    """

    failures: int = 0
    errors: tuple[JobError, ...] = ()
    buried: bool = False
    reason: str | None = None

    def after_failure(self, error: JobError) -> Trail:
        """Return the trail with one failure more."""
        return replace(self, failures=self.failures + 1, errors=(*self.errors, error)[-MAX_ERRORS:])

    def buried_with(self, reason: str) -> Trail:
        """Return the trail of the job as it is buried."""
        return replace(self, buried=True, reason=cut_middle(reason, MAX_MESSAGE))

    def alive(self) -> Trail:
        """Return the trail of a job that is not dead: if this one says buried, the job was revived since.

        Its failures then count from 0 again; the errors are kept.
        """
        return replace(self, failures=0, buried=False, reason=None) if self.buried else self


def encode_trail(trail: Trail) -> bytes:
    """Return the bytes of a trail, at most about 190 KB."""
    errors = [[each.type, each.message, each.traceback, each.at, each.node] for each in trail.errors[-MAX_ERRORS:]]
    head = _HEAD.pack(FORMAT, _BURIED if trail.buried else 0, min(trail.failures, _MOST_FAILURES))
    return head + wire.pack([trail.reason, errors])


def decode_trail(data: bytes | None) -> Trail:
    """Return the trail of these bytes; without any, the empty one.

    A damaged trail never stops its job: what can be read of it is returned, and the newest of its errors, of type
    ``DamagedTrail``, says that the rest is lost.

    Raises:
        NewerRecordError: a newer Exqueue wrote it, and writing it anew here would lose what that keeps.
    """
    if data is None:
        return Trail()
    if data and data[0] > FORMAT:
        raise NewerRecordError(f"the stored trail has format {data[0]} and this Exqueue reads up to {FORMAT}")
    trail, is_whole = _read(data)
    return trail if is_whole else _damaged(trail, data)


def is_damaged_trail(data: bytes) -> bool:
    """Whether something of these bytes is lost, which `decode_trail` says by a note; a newer format is no damage."""
    return not (data and data[0] > FORMAT) and not _read(data)[1]


def _read(data: bytes) -> tuple[Trail, bool]:
    """What can be read of a trail, and whether that is all of it."""
    if len(data) < _HEAD.size or data[0] != FORMAT:
        return Trail(), False
    _, flags, failures = _HEAD.unpack_from(data)
    head = Trail(failures=failures, buried=bool(flags & _BURIED))
    try:
        body = wire.unpack(data[_HEAD.size :], _no_extensions)
    except RecordError:
        return head, False
    return _with_body(head, body)


def decode_trail_if_readable(data: bytes | None) -> Trail:
    """As `decode_trail`, but the empty trail where that raises: for those who only show the job."""
    try:
        return decode_trail(data)
    except NewerRecordError:
        return Trail()


def _with_body(head: Trail, body: Any) -> tuple[Trail, bool]:
    match body:
        case [str() | None as reason, list() as rows]:
            errors = tuple(error for error in map(_error, rows) if error is not None)
            trail = replace(head, reason=reason, errors=errors[-MAX_ERRORS:])
            return trail, len(errors) == len(rows)
        case _:
            return head, False


def _error(row: Any) -> JobError | None:
    match row:
        case [str() as type_, str() as message, str() as traceback, int() | float() as at, str() as node]:
            return JobError(type_, message, traceback, float(at), node)
        case _:
            return None


def _damaged(rest: Trail, data: bytes) -> Trail:
    message = f"the stored trail of {len(data):,} bytes is damaged; earlier failures and errors may be missing here"
    note = JobError("DamagedTrail", message, "", 0.0, "")
    return replace(rest, errors=(*rest.errors, note)[-MAX_ERRORS:])


def _no_extensions(code: int, _payload: bytes) -> object:
    raise RecordError(f"a trail has no extension {code}")
