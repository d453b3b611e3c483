"""Learning the types of a job's arguments from its annotations, so that the node that runs it can build them."""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from contextlib import suppress
from dataclasses import is_dataclass
from enum import Enum
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from exqueue.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.codec.codec import Codec


def learn_parameters(codec: Codec, function: Callable[..., Any]) -> None:
    """Register the enums and dataclasses that the annotations of ``function`` name, and those inside of them.

    Of a decorated function those count that it was written with, of an object that is called those of its ``__call__``.

    An annotation that can't be evaluated (a name imported for type checkers only) and a class that can't be stored are
    passed over: only a value of that class would be refused, and then with its path.
    """
    seen: set[object] = set()
    written = _as_written(function)
    for annotation in _hints(written, getattr(written, "__globals__", {})):
        _learn(codec, annotation, seen)


def _as_written(function: Callable[..., Any]) -> Callable[..., Any]:
    """What has the annotations together with the names that they are written in."""
    function = inspect.unwrap(function)
    while isinstance(function, functools.partial):
        function = inspect.unwrap(function.func)
    return function if hasattr(function, "__globals__") else inspect.unwrap(type(function).__call__)


def _learn(codec: Codec, annotation: object, seen: set[object]) -> None:
    for part in typing.get_args(annotation):
        _learn(codec, part, seen)
    origin = typing.get_origin(annotation)
    cls = annotation if origin is None else origin
    if not isinstance(cls, type) or cls in seen or not (issubclass(cls, Enum) or is_dataclass(cls)):
        return
    seen.add(cls)
    with suppress(ConfigError):
        codec.learn(cls)
    if is_dataclass(cls):
        for base in reversed(cls.__mro__):
            for hint in _hints(base, vars(sys.modules.get(base.__module__, typing))):
                _learn(codec, hint, seen)


def _hints(owner: Any, names: dict[str, Any]) -> list[object]:
    """Evaluate annotations one by one, so that one that fails does not hide the others."""
    hints: list[object] = []
    for name, annotation in getattr(owner, "__annotations__", {}).items():
        with suppress(Exception):
            one = SimpleNamespace(__annotations__={name: annotation})
            hints.extend(typing.get_type_hints(one, globalns=names).values())
    return hints
