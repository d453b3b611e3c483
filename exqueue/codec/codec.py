"""The codec: a registry of types, and the two ways between values and bytes."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from exqueue.codec.classes import class_kind, default_name
from exqueue.codec.kinds import BIG_INT, NAMED, Kind, Unknown, big_int, builtin_kinds
from exqueue.codec.walk import MAX_DEPTH, MAX_PAYLOAD, TooLarge, Walk, plain_leaves
from exqueue.codec.where import Where, describe, type_name
from exqueue.codec.wire import pack, unpack
from exqueue.errors import ConfigError, PayloadError, RecordError, is_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TYPE_NAME: Final = 200
"""The most characters of the name of a type."""

MOST_PARTS: Final = 1_000
"""Of a container with more parts than this none is said to be the largest."""

MOST_WEIGHED: Final = 4
"""So many times the limit is weighed at most to find the largest part of what is too large."""

_PLAIN_TYPES: Final = (type(None), bool, int, float, str, bytes, list, dict, Unknown)


class Codec:
    """Turns values into bytes and back. Any thread may use it at any time, registering included.

    It stores None, bool, int, float, str, bytes, list and dict (with str keys); tuple, set, frozenset, datetime, date,
    time, timedelta, Decimal, UUID, complex and paths; enums and dataclasses; and what was registered. The class must
    be exactly that: a subclass has more to it than would come back.

    Nothing is imported by a name that stands in the bytes: only types registered here are built, all else decodes to
    `Unknown`. An enum or dataclass that is encoded is registered by that, under ``module:qualified name``.
    """

    __slots__ = ("_by_code", "_by_name", "_by_type")

    def __init__(self) -> None:
        # Written by `register` only, an entry at a time, so that no lock is needed (nor is held while a process forks).
        self._by_type: dict[type, Kind] = {kind.type: kind for kind in builtin_kinds()}
        self._by_code: dict[int, Kind] = {kind.code: kind for kind in self._by_type.values()}
        self._by_name: dict[str, Kind] = {}

    def register(
        self,
        type_: type[Any],
        name: str | None = None,
        to_plain: Callable[[Any], object] | None = None,
        from_plain: Callable[[Any], object] | None = None,
    ) -> None:
        """Have the values of a class stored, and built again.

        Registering again is harmless. Under a second name the class is from then on stored as that, and values stored
        under the first are built still.

        Args:
            type_: exactly this class, not its subclasses.
            name: the same on every node and for ever, 1 to `MAX_TYPE_NAME` printable characters; without it
                ``module:qualified name``.
            to_plain: gives the value as something else that can be stored. An enum or dataclass needs no functions.
            from_plain: builds the value from that.

        Raises:
            ConfigError: the type is stored already by itself, the name is none or another class's, a function is
                missing or none.
        """
        if not isinstance(type_, type):
            raise ConfigError(f"a class is registered, not a value of type {type_name(type(type_))}")
        if type_ in _PLAIN_TYPES or self._is_builtin(type_):
            raise ConfigError(f"{type_name(type_)} is stored by itself and can't be registered")
        name = _checked_name(default_name(type_) if name is None else name)
        for what, function in (("to_plain", to_plain), ("from_plain", from_plain)):
            if function is not None and not callable(function):
                raise ConfigError(f"{what} is a function, not a value of type {type_name(type(function))}")
        if to_plain is not None and from_plain is not None:
            kind: Kind | None = Kind(type_, NAMED, name, to_plain, from_plain)
        elif to_plain is None and from_plain is None:
            kind = class_kind(type_, name)
        else:
            raise ConfigError(f"{type_name(type_)} needs both to_plain and from_plain")
        if kind is None:
            raise ConfigError(f"{type_name(type_)} is no enum and no dataclass: give to_plain and from_plain")
        self._enter(kind)

    def learn(self, type_: type[Any]) -> bool:
        """Register an enum or dataclass under its default name unless it is registered; return whether it is known.

        Raises:
            ConfigError: as `register`.
        """
        if type_ in self._by_type:
            return True
        kind = class_kind(type_, default_name(type_))
        if kind is not None:
            self._enter(kind)
        return kind is not None

    def encode(self, value: object, path: str = "value", *, limit: int = MAX_PAYLOAD) -> bytes:
        """Return the bytes of ``value``: the same value, the same bytes.

        Args:
            value: what to store.
            path: what to call it in an error: ``kwargs``.
            limit: the most bytes.

        Raises:
            PayloadError: it can't be stored; the message names the place and the type, never the value.
        """
        try:
            if plain_leaves(value, limit) >= 0 and len(data := pack(value)) <= limit:
                return data
        except (UnicodeEncodeError, OverflowError, RuntimeError):
            pass  # A lone surrogate, a big integer, a full stack: the walk finds where, or how to store it.
        return self._encode_walking(value, path, limit)

    def decode(self, data: bytes) -> object:
        """Return the value of these bytes; what can't be built here is an `Unknown` in it.

        Values of named types are built by code of the user, which may take any time; whatever it raises ends in an
        `Unknown`, but for an interrupt of the main thread.

        Raises:
            RecordError: they are not what a codec wrote.
        """
        return unpack(data, partial(self._build, [], 1))

    def inspect(self, data: bytes) -> tuple[object, tuple[Unknown, ...]]:
        """Return the value, and what in it could not be built on this node; raises as `decode`."""
        unknown: list[Unknown] = []
        value = unpack(data, partial(self._build, unknown, 1))
        return value, tuple(unknown)

    # --- registry
    def _is_builtin(self, cls: type) -> bool:
        kind = self._by_type.get(cls)
        return kind is not None and kind.code != NAMED

    def _enter(self, kind: Kind) -> None:
        taken = self._by_name.setdefault(kind.name, kind)
        if taken.type is not kind.type:
            # A module that was reloaded, or a class inside of a function: the newest one of that name is meant.
            if default_name(taken.type) != default_name(kind.type):
                raise ConfigError(
                    f"the name {kind.name!r} is taken by {type_name(taken.type)}; "
                    f"register {type_name(kind.type)} under another one",
                )
            self._by_type.pop(taken.type, None)
        self._by_name[kind.name] = kind
        self._by_type[kind.type] = kind

    def _kind_of(self, cls: type) -> Kind | None:
        kind = self._by_type.get(cls)
        if kind is None and self.learn(cls):
            kind = self._by_type.get(cls)
        return kind

    # --- encoding
    def _encode_walking(self, value: object, path: str, limit: int) -> bytes:
        try:
            data = self._walk(value, path, limit)
        except TooLarge:
            data = None
        except PayloadError as error:
            raise error.with_traceback(None)  # noqa: B904 - itself, without two frames of the walk for each level
        except RecursionError:
            raise PayloadError(f"{path} is nested too deep for what is left of the stack here") from None
        except RuntimeError as error:  # "dictionary changed size during iteration"
            raise PayloadError(f"{path} was changed by another thread while it was encoded") from error
        if data is not None and len(data) <= limit:
            return data
        raise PayloadError(f"{path} takes more than {limit:,} bytes (max_payload){self._largest(value, path, limit)}")

    def _walk(self, value: object, path: str, limit: int) -> bytes:
        return pack(Walk(self._kind_of, limit).plain(value, path))

    def _largest(self, value: object, path: str, limit: int) -> str:
        """Where most of it is: from part to part, as long as one is at least half of what it stands in."""
        where: Where = path
        size, budget = limit + 1, MOST_WEIGHED * limit
        while (type(value) is dict or type(value) is list) and 0 < len(value) <= MOST_PARTS:
            heaviest: tuple[object, object] = (None, None)
            weight = -1
            for step, part in value.items() if isinstance(value, dict) else enumerate(value):
                if budget < 0:
                    break
                weighed = self._weight(part, path, limit)
                budget -= weighed
                if weighed > weight:
                    heaviest, weight = (step, part), weighed
            if weight < 0 or (where != path and 2 * weight < size):
                break
            where, value, size = (where, heaviest[0]), heaviest[1], weight
        if where == path:
            return ""
        weight_in_words = f"{size:,}" if size <= limit else f"more than {limit:,}"
        largest = f"{describe(where)} with {weight_in_words} bytes, of type {type_name(type(value))}"
        return f"; the largest part is {largest}; keep big data elsewhere and store its key"

    def _weight(self, part: object, path: str, limit: int) -> int:
        """Bytes; one more than allowed when it is too large, or can't be stored at all."""
        try:
            return min(len(self._walk(part, path, limit)), limit + 1)
        except (TooLarge, PayloadError):
            return limit + 1

    # --- decoding
    def _build(self, unknown: list[Unknown], depth: int, code: int, payload: bytes) -> object:
        """Build the value of an extension, which stands inside of ``depth - 1`` others."""
        if depth > MAX_DEPTH or code < 0:
            raise RecordError("the stored value is nested too deep, or has an extension that msgpack reserves")
        if code == BIG_INT:
            return big_int(payload)
        inner = partial(self._build, unknown, depth + 1)
        if code == NAMED:
            name, plain = _named(unpack(payload, inner))
            kind = self._by_name.get(name)
        elif (kind := self._by_code.get(code)) is not None:
            name, plain = kind.name, unpack(payload, inner)
        else:
            name, plain = f"extension {code}", payload
        if kind is None:
            reason = "this type is not registered here"
        else:
            try:
                return kind.from_plain(plain)
            except BaseException as error:  # the user's code; the job stays readable and says at its run why
                if is_interrupt(error):
                    raise
                reason = f"{type(error).__name__} while it was built"
        unknown.append(Unknown(name, plain, reason, code, payload))
        return unknown[-1]


def _checked_name(name: object) -> str:
    if not isinstance(name, str):
        raise ConfigError(f"the name of a type is a str, not a value of type {type_name(type(name))}")
    if not (0 < len(name) <= MAX_TYPE_NAME and name.isprintable()):
        raise ConfigError(f"the name of a type has 1 to {MAX_TYPE_NAME} printable characters, not {name[:80]!r}")
    return name


def _named(pair: object) -> tuple[str, object]:
    if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str):  # noqa: PLR2004 - it is a pair
        return pair[0], pair[1]
    raise RecordError("a stored value of a named type does not say its name")


@cache
def default_codec() -> Codec:
    """Return the codec of this process: what is registered before a system exists is known to all of them."""
    return Codec()
