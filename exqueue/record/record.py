"""The record of a job: a small header that is cheap to read, then the arguments.

Bytes: the format version (1), the time of enqueueing (a double, big-endian), the length of the job's name (1), the
name in UTF-8, and the arguments as the codec encodes them.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from exqueue.codec import MAX_PAYLOAD
from exqueue.errors import ConfigError, NewerRecordError, RecordError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exqueue.codec import Codec, Unknown

FORMAT: Final = 1
"""The version of the format that is written. Older ones will be migrated when they are read, once there are any."""

_HEADER: Final = struct.Struct(">BdB")
_MAX_NAME_BYTES: Final = 255


class Header(NamedTuple):
    """What can be read of a record without its arguments. ``enqueued_at``: seconds since the Unix epoch."""

    job: str
    enqueued_at: float


@dataclass(frozen=True, slots=True)
class Record:
    """A stored job.

    Args:
        job: the name of its class.
        kwargs: the arguments of its ``perform``.
        enqueued_at: seconds since the Unix epoch.
        unknown: what in ``kwargs`` this node could not build. A job with any of these can be listed and moved from
            here, and must not be run.
    """

    job: str
    kwargs: Mapping[str, Any]
    enqueued_at: float
    unknown: tuple[Unknown, ...] = ()


def encode_record(
    job: str,
    kwargs: Mapping[str, Any],
    enqueued_at: float,
    codec: Codec,
    max_payload: int = MAX_PAYLOAD,
) -> bytes:
    """Return the bytes of a record.

    Args:
        job: the name of the class, at most 255 bytes.
        kwargs: a dict with str keys.
        enqueued_at: seconds since the Unix epoch.
        codec: encodes the arguments.
        max_payload: the most bytes of the arguments.

    Raises:
        PayloadError: an argument can't be stored.
        ConfigError: the name or the time can't be stored.
    """
    name = job.encode()
    if not 0 < len(name) <= _MAX_NAME_BYTES:
        raise ConfigError(f"the name of a job has 1 to {_MAX_NAME_BYTES} bytes, not {len(name):,}")
    if not math.isfinite(enqueued_at):
        raise ConfigError(f"the time of enqueueing is {enqueued_at}, which is no time")
    return _HEADER.pack(FORMAT, enqueued_at, len(name)) + name + codec.encode(kwargs, "kwargs", limit=max_payload)


def decode_record(data: bytes, codec: Codec) -> Record:
    """Return the record of these bytes.

    Raises:
        NewerRecordError: a newer Exqueue wrote it.
        RecordError: it is empty, cut short or damaged.
    """
    job, enqueued_at, start = _read_header(data)
    kwargs, unknown = codec.inspect(data[start:])
    if type(kwargs) is not dict or set(map(type, kwargs)) - {str}:
        raise RecordError(f"the arguments of a stored {job} are no dict with str keys")
    return Record(job, kwargs, enqueued_at, unknown)


def peek(data: bytes) -> Header:
    """Return the job's name and the time of enqueueing, without decoding the arguments; raises as `decode_record`."""
    job, enqueued_at, _ = _read_header(data)
    return Header(job, enqueued_at)


def peek_if_readable(data: bytes) -> Header | None:
    """As `peek`, but ``None`` where that raises: for those who only show the job."""
    try:
        return peek(data)
    except RecordError:
        return None


def _read_header(data: bytes) -> tuple[str, float, int]:
    """Return the job's name, the time of enqueueing, and where the arguments start."""
    if not data:
        raise RecordError("the stored record is empty")
    if data[0] > FORMAT:
        raise NewerRecordError(
            f"the stored record has format {data[0]} and this Exqueue reads up to {FORMAT}; "
            "it waits for a node with a newer version",
        )
    if data[0] != FORMAT or len(data) < _HEADER.size:
        raise RecordError(f"the stored record of {len(data):,} bytes is cut short or damaged")
    _, enqueued_at, length = _HEADER.unpack_from(data)
    start = _HEADER.size + length
    name = data[_HEADER.size : start]
    try:
        job = name.decode()
    except UnicodeDecodeError as error:
        raise RecordError("the name of the job in the stored record is damaged") from error
    if not 0 < length == len(name) or not math.isfinite(enqueued_at):
        raise RecordError(f"the header of the stored record of {len(data):,} bytes is cut short or damaged")
    return job, enqueued_at, start
