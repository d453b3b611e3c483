"""Whether code runs inside a tree, where waiting for the end of that tree would wait for itself."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exqueue.supervision.names import Names

_inside: ContextVar[Names | None] = ContextVar("exqueue tree", default=None)


def enter(names: Names) -> None:
    """Say, in a thread of its own, that all that runs in it belongs to the tree with these names."""
    _inside.set(names)


def is_inside(names: Names) -> bool:
    """Whether this is the thread of an actor of that tree, or something asynchronous that was begun there.

    Args:
        names: those of the tree.
    """
    return _inside.get() is names
