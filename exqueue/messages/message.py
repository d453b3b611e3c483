"""What all messages to a system have in common: the type of their answer, for type checkers."""

from __future__ import annotations

from typing import Generic, TypeVar

R_co = TypeVar("R_co", covariant=True)


class Message(Generic[R_co]):
    """Something that a system can be told or asked; ``ask`` answers an ``R_co``."""

    __slots__ = ()
