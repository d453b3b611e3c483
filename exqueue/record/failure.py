"""An exception as text: everything that a person needs, nothing that keeps the exception or its frames alive."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_MESSAGE: Final = 2 * 1024
"""The most bytes of the message of a `JobError`."""

MAX_TRACEBACK: Final = 16 * 1024
"""The most bytes of its traceback."""

_MAX_TYPE: Final = 200
_MAX_NODE: Final = 200
_ROOM_FOR_NOTE: Final = 64


@dataclass(frozen=True, slots=True)
class JobError:
    """One failure of a job.

    Args:
        type: the name of the exception's class, with its module unless that is ``builtins``.
        message: its text, at most `MAX_MESSAGE` bytes; a longer one loses its middle and says how much.
        traceback: as Python prints it, causes and groups included, at most `MAX_TRACEBACK` bytes, cut likewise.
        at: when it was caught, in seconds since the Unix epoch.
        node: the name of the node that ran the job.
    """

    type: str
    message: str
    traceback: str
    at: float
    node: str


def describe_error(error: BaseException, at: float, node: str) -> JobError:
    """Return the exception as text. Never raises, whatever the exception's own methods do, and keeps nothing of it.

    The variables of the frames of a `MemoryError` are let go of first: it is they that fill the memory, and without
    them there is room for the text and for what is done with it.

    Args:
        error: what was caught.
        at: when, in seconds since the Unix epoch.
        node: the name of the node.
    """
    if isinstance(error, MemoryError):
        _safely(lambda: _let_go(error), "")
    return JobError(
        type=_safely(lambda: cut_middle(_type_name(type(error)), _MAX_TYPE), "unknown exception"),
        message=_safely(lambda: cut_middle(str(error), MAX_MESSAGE), "(the exception's __str__ raised)"),
        traceback=_safely(lambda: cut_middle(_traceback(error), MAX_TRACEBACK), "(no traceback could be made)"),
        at=at,
        node=_safely(lambda: cut_middle(node, _MAX_NODE), "unknown node"),
    )


def shown_arguments(arguments: object) -> str:
    """Return the arguments of a job as text of at most `MAX_MESSAGE` bytes; never raises, as `describe_error`."""
    return _safely(lambda: cut_middle(repr(arguments), MAX_MESSAGE), "(an argument's __repr__ raised)")


def cut_middle(text: str, limit: int) -> str:
    """Return ``text`` as at most ``limit`` bytes of UTF-8, lone surrogates written as escapes.

    What is too long keeps its two ends, and says between them how many characters were cut.
    """
    text = str.__getitem__(text, slice(None))  # A subclass of str may lie about its length and its parts.
    if len(text) <= limit:
        whole = text.encode("utf-8", "backslashreplace")
        if len(whole) <= limit:
            return whole.decode()
    half = (limit - _ROOM_FOR_NOTE) // 2
    head = text[:half].encode("utf-8", "backslashreplace")[:half].decode("utf-8", "ignore")
    tail = text[-half:].encode("utf-8", "backslashreplace")[-half:].decode("utf-8", "ignore")
    return f"{head}\n[... {len(text) - len(head) - len(tail):,} characters cut ...]\n{tail}"


def _type_name(cls: type[BaseException]) -> str:
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _traceback(error: BaseException) -> str:
    """Format with causes and groups; where the exception's own attributes make that fail, the frames alone."""
    return _safely(lambda: "".join(traceback.format_exception(error)), "") or (
        "".join(traceback.format_tb(error.__traceback__)) + "(the exception itself could not be formatted)\n"
    )


def _let_go(error: BaseException) -> str:
    traceback.clear_frames(error.__traceback__)
    return ""


def _safely(make: Callable[[], str], otherwise: str) -> str:
    try:
        return make()
    except BaseException:  # noqa: BLE001 - __str__ and the like are code of the job, and may raise SystemExit too
        return otherwise
