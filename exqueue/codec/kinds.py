"""The types beyond msgpack's own: how each is laid out in plain data, and how it is built from it.

A code never changes its meaning, and a layout once written is read for ever.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import TYPE_CHECKING, Any, Final, Literal

from exqueue.codec import times

if TYPE_CHECKING:
    from collections.abc import Callable

NAMED: Final = 0
"""The extension of types with a name (enums, dataclasses, registered ones): its payload is ``[name, plain]``."""

BIG_INT: Final = 1
"""The extension of integers over 64 bits: the shortest two's complement, big-endian."""

Layout = Literal["value", "unordered", "fields"]
"""``value``: what ``to_plain`` gives. ``unordered``: a list sorted by its packed items. ``fields``: a dict."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type that can be stored.

    Args:
        type: exactly this class, not its subclasses.
        code: of the msgpack extension, 0 to 127.
        name: what stands in the payload when ``code`` is `NAMED`.
        to_plain: the value as something else that can be stored.
        from_plain: builds the value from that.
        layout: see `Layout`.
    """

    type: type[Any]
    code: int
    name: str
    to_plain: Callable[[Any], object]
    from_plain: Callable[[Any], object]
    layout: Layout = "value"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A stored value that this node can't build; it encodes to the bytes that it came from.

    Args:
        name: of its type, as the node that stored it called it.
        data: its plain form, to look at.
        reason: why it was not built: not registered here, or the error of building it.
        code: of its msgpack extension.
        raw: the payload of the extension.
    """

    name: str
    data: object = field(compare=False)
    reason: str = field(compare=False)
    code: int = field(repr=False)
    raw: bytes = field(repr=False)


def builtin_kinds() -> tuple[Kind, ...]:
    """Return the kinds that every node knows."""
    return (
        Kind(tuple, 2, "tuple", list, lambda plain: tuple(_expect(list, plain))),
        Kind(set, 3, "set", list, lambda plain: set(_expect(list, plain)), "unordered"),
        Kind(frozenset, 4, "frozenset", list, lambda plain: frozenset(_expect(list, plain)), "unordered"),
        Kind(datetime, 5, "datetime", times.datetime_to_plain, times.datetime_from_plain),
        Kind(date, 6, "date", date.isoformat, date.fromisoformat),
        Kind(time, 7, "time", times.time_to_plain, times.time_from_plain),
        Kind(timedelta, 8, "timedelta", times.timedelta_to_plain, times.timedelta_from_plain),
        Kind(Decimal, 9, "Decimal", str, lambda plain: Decimal(_expect(str, plain))),
        Kind(uuid.UUID, 10, "UUID", lambda value: value.bytes, lambda plain: uuid.UUID(bytes=plain)),
        Kind(complex, 11, "complex", lambda value: [value.real, value.imag], lambda plain: complex(*plain)),
        Kind(PurePosixPath, 12, "PurePosixPath", str, PurePosixPath),
        Kind(PureWindowsPath, 13, "PureWindowsPath", str, PureWindowsPath),
        Kind(PosixPath, 14, "PosixPath", str, PosixPath),
        Kind(WindowsPath, 15, "WindowsPath", str, WindowsPath),
    )


def big_int_payload(value: int) -> bytes:
    """Return the payload of a `BIG_INT`."""
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def big_int(payload: bytes) -> int:
    """Return the integer of such a payload."""
    return int.from_bytes(payload, "big", signed=True)


def _expect(cls: type[Any], plain: object) -> Any:
    if type(plain) is not cls:
        raise TypeError(f"the stored form is {type(plain).__name__} where {cls.__name__} was written")
    return plain
