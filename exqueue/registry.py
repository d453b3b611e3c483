"""Types of the user's own as arguments of jobs, registered for the whole process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from exqueue.codec import default_codec

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def register_type(
    type_: type[T],
    name: str | None = None,
    to_plain: Callable[[T], object] | None = None,
    from_plain: Callable[[Any], T] | None = None,
) -> None:
    """Let values of a type be arguments of jobs. Do it on every node that enqueues or runs them.

    Args:
        type_: the class itself; enums and dataclasses need nothing else.
        name: under which values are stored, for ever; ``None``: module and qualified name.
        to_plain: makes of a value what can be stored.
        from_plain: makes the value again.

    Raises:
        ConfigError: the type or the name can't be registered.
    """
    default_codec().register(type_, name, to_plain, from_plain)
