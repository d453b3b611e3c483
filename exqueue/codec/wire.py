"""The bytes: the only module that calls msgpack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgpack

from exqueue.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_STORED: Final = 512 * 1024 * 1024
"""The most bytes that are decoded: the longest string that Redis keeps."""

_PACKER_BUFFER: Final = 512
"""Bytes. msgpack's own first buffer of 256 KiB costs as much time as packing a usual job twice."""

_CHECKED_FROM: Final = 4_096
"""Bytes from which on the structure is checked before a value is built, see `unpack`."""


def pack(value: object) -> bytes:
    """Pack plain data: exact built-in types and what `extension` made.

    Raises:
        Exception: what msgpack raises for a lone surrogate, an integer over 64 bits or another type.
    """
    return cast("bytes", msgpack.Packer(strict_types=True, buf_size=_PACKER_BUFFER).pack(value))


def pack_array(items: Sequence[bytes]) -> bytes:
    """Pack a list whose items are packed already."""
    return cast("bytes", msgpack.Packer().pack_array_header(len(items))) + b"".join(items)


def extension(code: int, payload: bytes) -> object:
    """Mark ``payload`` as an extension, to stand inside of what `pack` packs. ``code`` is 0 to 127."""
    return msgpack.ExtType(code, payload)


def unpack(data: bytes, hook: Callable[[int, bytes], object]) -> object:
    """Unpack exactly one value.

    Args:
        data: at most `MAX_STORED` bytes.
        hook: builds the value of an extension from its code and payload.

    Raises:
        RecordError: the bytes are not one whole value, for whatever reason.
    """
    if len(data) > MAX_STORED:
        raise RecordError(f"the stored value has {len(data):,} bytes; at most {MAX_STORED:,} are decoded")
    try:
        if len(data) > _CHECKED_FROM:
            _check_whole(data)
        return msgpack.unpackb(data, raw=False, strict_map_key=True, ext_hook=hook)
    except RecordError:
        raise
    except Exception as error:  # Bytes from outside find every error there is, in msgpack and in what the hook calls.
        raise RecordError(f"the stored bytes can't be decoded: {type(error).__name__}: {error}") from error


def _check_whole(data: bytes) -> None:
    """Raise when an array claims items that are not there: nested, such claims would reserve gigabytes at once."""
    unpacker = msgpack.Unpacker(max_buffer_size=len(data))
    unpacker.feed(data)
    unpacker.skip()
