"""From a value to plain data: a quick look that finds nearly every job plain, and a walk that finds what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from exqueue.codec.kinds import BIG_INT, NAMED, Kind, Unknown, big_int_payload
from exqueue.codec.where import Via, Where, describe, type_name
from exqueue.codec.wire import extension, pack, pack_array
from exqueue.errors import ConfigError, PayloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_DEPTH: Final = 64
"""The most levels of nesting; the outermost container is the first."""

MAX_PAYLOAD: Final = 1_048_576
"""The most bytes of one value, unless the caller sets another limit."""

_SCALARS: Final = frozenset({int, float, bool, type(None)})
_LEAST_INT: Final = -(2**63)
_GREATEST_INT: Final = 2**64 - 1


class TooLarge(Exception):
    """The value takes more bytes than allowed; found while walking, before anything is packed."""


def plain_leaves(value: Any, left: int, depth: int = 1) -> int:
    """Return how many bytes of ``left`` remain at most when ``value`` is packed as it is.

    Negative: too large, nested deeper than `MAX_DEPTH`, or not made of exact plain types. Strings and integers are not
    looked into: packing finds a lone surrogate or an integer over 64 bits.
    """
    if depth > MAX_DEPTH:
        return -1
    if type(value) is dict:
        for key in value:
            if type(key) is not str:
                return -1
        items: Iterable[Any] = value.values()
    elif type(value) is list:
        items = value
    else:
        return -1
    left -= 1
    for item in items:
        cls = type(item)
        if cls is str or cls is bytes:
            left -= len(item)
        elif cls in _SCALARS:
            left -= 1
        else:
            left = plain_leaves(item, left, depth + 1)
        if left < 0:
            return -1
    return left


class Walk:
    """One walk over one value, which makes it plain or says what can't be stored and where.

    Args:
        kind_of: finds the kind of a type; ``None`` when it can't be stored, `ConfigError` with the reason.
        limit: bytes. What is counted is a lower bound, so that a value that refers to one thing many times is
            refused before it fills the memory.
    """

    __slots__ = ("_kind_of", "_left")

    def __init__(self, kind_of: Callable[[type], Kind | None], limit: int) -> None:
        self._kind_of = kind_of
        self._left = limit

    def plain(self, value: Any, where: Where, depth: int = 1) -> object:
        """Return ``value`` as data for `exqueue.codec.wire.pack`.

        Raises:
            PayloadError: something can't be stored; it names the place and the type.
            TooLarge: see there.
        """
        cls = type(value)
        if cls is str or cls is bytes:
            self._spend(len(value))
            return _storable(value, where) if cls is str else value
        self._spend(1)
        if cls is int and not _LEAST_INT <= value <= _GREATEST_INT:
            self._spend(value.bit_length() // 8)
            return extension(BIG_INT, big_int_payload(value))
        if cls in _SCALARS:
            return value
        if depth > MAX_DEPTH:
            raise PayloadError(
                f"{describe(where)} is nested more than {MAX_DEPTH} levels deep, or contains itself; "
                "store flat data, or the key of something kept elsewhere",
            )
        if cls is list:
            return [self.plain(item, (where, index), depth + 1) for index, item in enumerate(value)]
        if cls is dict:
            return self._dict(value, where, depth)
        if cls is Unknown:
            self._spend(len(value.raw))
            return extension(value.code, value.raw)
        return self._extension(self._kind(cls, where), value, where, depth)

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise TooLarge

    def _dict(self, value: dict[Any, Any], where: Where, depth: int) -> dict[str, object]:
        plain: dict[str, object] = {}
        for key, item in value.items():
            if type(key) is not str:
                raise PayloadError(
                    f"{describe(where)} has a key of type {type_name(type(key))}; keys of a dict must be str",
                )
            plain[_storable(key, (where, key))] = self.plain(item, (where, key), depth + 1)
        return plain

    def _kind(self, cls: type, where: Where) -> Kind:
        try:
            kind = self._kind_of(cls)
        except ConfigError as error:
            raise PayloadError(f"{describe(where)} can't be stored: {error}") from error
        if kind is None:
            raise PayloadError(
                f"{describe(where)} is of type {type_name(cls)}, which can't be stored; make it plain data "
                "(str, int, list, dict ...), or register the type with exqueue.register_type",
            )
        return kind

    def _extension(self, kind: Kind, value: object, where: Where, depth: int) -> object:
        try:
            inner: Any = kind.to_plain(value)
        except Exception as error:  # Code of the user. What it raised may say the value: only its type is told.
            reason = str(error) if isinstance(error, PayloadError) else f"its to_plain raised {type(error).__name__}"
            raise PayloadError(f"{describe(where)} of type {type_name(kind.type)} can't be stored: {reason}") from error
        if kind.layout == "unordered":
            step = (where, Via("{...}"))
            return extension(kind.code, pack_array(sorted(pack(self.plain(item, step, depth + 1)) for item in inner)))
        if kind.code != NAMED:
            return extension(kind.code, pack(self.plain(inner, where, depth)))
        if kind.layout == "fields":
            plain: object = {
                name: self.plain(item, (where, Via(f".{name}")), depth + 1) for name, item in inner.items()
            }
        else:
            plain = self.plain(inner, (where, Via(".to_plain()")), depth + 1)
        return extension(NAMED, pack([kind.name, plain]))


def _storable(text: str, where: Where) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PayloadError(
            f"{describe(where)} is or has as its key a str with a lone surrogate, which is no text; "
            "decode the bytes that it came from with their own encoding, or store them as bytes",
        ) from None
    return text
