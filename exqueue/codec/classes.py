"""How enums and dataclasses are laid out, so that naming the class is enough to store its values."""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass
from enum import Enum, Flag
from typing import Any, Final

from exqueue.codec.kinds import NAMED, Kind
from exqueue.codec.where import type_name
from exqueue.errors import ConfigError

_HOLD_MORE: Final = (str, bytes, int, float, list, dict, tuple, set, frozenset, BaseException)
"""Base classes whose own content is in no field of a dataclass."""


def default_name(cls: type) -> str:
    """Return the name under which a class is stored when it was given none: ``module:qualified name``."""
    return f"{cls.__module__}:{cls.__qualname__}"


def class_kind(cls: type, name: str) -> Kind | None:
    """Return how to store the values of an enum or a dataclass; ``None`` when it is neither.

    Raises:
        ConfigError: it is a dataclass that can't be built from its fields.
    """
    if issubclass(cls, Enum):
        return _enum_kind(cls, name)
    if is_dataclass(cls):
        return _dataclass_kind(cls, name)
    return None


def _enum_kind(cls: type[Enum], name: str) -> Kind:
    """Members are stored by their name; flags, whose combinations have none, by their value."""
    if issubclass(cls, Flag):
        return Kind(cls, NAMED, name, lambda member: member.value, cls)
    return Kind(cls, NAMED, name, lambda member: member.name, lambda plain: cls[plain])


def _dataclass_kind(cls: type[Any], name: str) -> Kind:
    """Stored by its fields. Built by its constructor (new fields take their defaults), then set to what was stored.

    Setting the fields once more is what keeps a ``__post_init__`` that changes them from changing them twice.
    """
    _check_dataclass(cls)
    stored = tuple(each.name for each in fields(cls))
    accepted = frozenset(each.name for each in fields(cls) if each.init)

    def to_plain(value: object) -> dict[str, object]:
        return {each: getattr(value, each) for each in stored}

    def from_plain(plain: dict[str, object]) -> object:
        foreign = plain.keys() - set(stored)
        if foreign:
            raise TypeError(f"{name} has no field {min(foreign)!r} here")
        value = cls(**{each: item for each, item in plain.items() if each in accepted})
        for each, item in plain.items():
            object.__setattr__(value, each, item)
        return value

    return Kind(cls, NAMED, name, to_plain, from_plain, "fields")


def _check_dataclass(cls: type[Any]) -> None:
    advice = "register it with to_plain and from_plain"
    if issubclass(cls, _HOLD_MORE):
        raise ConfigError(f"the dataclass {type_name(cls)} holds more than its fields; {advice}")
    accepted = {each.name for each in fields(cls) if each.init}
    for parameter in inspect.signature(cls).parameters.values():
        required = parameter.default is parameter.empty and parameter.kind not in {
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        }
        if required and parameter.name not in accepted:
            raise ConfigError(
                f"the dataclass {type_name(cls)} is built from {parameter.name!r}, which is no field of it; {advice}",
            )
