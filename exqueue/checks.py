"""The rules for single values that people give: names, numbers, times and functions."""

from __future__ import annotations

import functools
import inspect
import re
import reprlib
from typing import TypeGuard

from exqueue.errors import ConfigError

MAX_NAME = 128
"""The most characters of the name of a job, a queue or a node."""

MAX_TIMEOUT_S = 365 * 86_400.0
"""The longest time-out of a system or of one call: one year."""

_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def shown(value: object) -> str:
    """Show a setting and its type in an error message, shortened. Not for the arguments of jobs."""
    return f"{reprlib.repr(value)} ({type(value).__name__})"


def check_name(name: object, what: str, *, longest: int = MAX_NAME, hint: str = "") -> str:
    """Return ``name`` when it is ``[A-Za-z0-9_.-]`` and 1 to ``longest`` characters long.

    Args:
        name: what was given.
        what: what it names, for the message: ``"queue"``.
        longest: the most characters.
        hint: what to do about it, added to the message.

    Raises:
        ConfigError: it is not a string, or not such a name.
    """
    if isinstance(name, str) and len(name) <= longest and _NAME.fullmatch(name):
        return name
    raise ConfigError(
        f"{what} must be 1 to {longest} characters out of letters A-Z a-z, digits, '_', '.' and '-', "
        f"not {shown(name)}{hint and '; '}{hint}"
    )


def check_int(value: object, what: str, lowest: int, highest: int | None = None) -> int:
    """Return ``value`` when it is a whole number (no bool, no float) from ``lowest`` to ``highest``.

    Raises:
        ConfigError: it is not.
    """
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and lowest <= value
        and (highest is None or value <= highest)
    ):
        return value
    allowed = f"of at least {lowest}" if highest is None else f"from {lowest} to {highest}"
    raise ConfigError(f"{what} must be a whole number {allowed}, not {shown(value)}")


def is_seconds(value: object, highest: float) -> TypeGuard[float]:
    """Whether ``value`` is a number of seconds from 0 to ``highest``: int or float, no bool, not NaN, not endless."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= highest


def is_async(function: object) -> bool:
    """Whether calling it gives a coroutine: an ``async def``, a part of one, or an object whose ``__call__`` is one."""
    while isinstance(function, functools.partial):
        function = function.func
    called = type(function).__call__ if callable(function) else None
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


def check_timeout(value: object, what: str, *, zero: bool) -> float:
    """Return ``value`` when it is a time-out of at most `MAX_TIMEOUT_S` seconds, of 0 only where ``zero`` allows it.

    Raises:
        ConfigError: it is not.
    """
    if is_seconds(value, MAX_TIMEOUT_S) and (zero or value):
        return value
    lowest = "0" if zero else "more than 0"
    raise ConfigError(f"{what} must be seconds, {lowest} to {MAX_TIMEOUT_S:.0f}, not {shown(value)}")
