"""How an actor ended, as a value: text only, so that no frame is kept alive and nothing hostile can raise later."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Literal

from exqueue.errors import NotStarted

Kind = Literal["normal", "shutdown", "crashed", "lost", "not started", "ignored"]

MAX_LINE = 500
"""Characters kept of an error's line."""

MAX_TEXT = 16_000
"""Characters kept of an error's traceback."""


@dataclass(frozen=True, slots=True)
class Exit:
    """The end of an actor.

    ``kind``: ``normal`` (it ended by itself), ``shutdown`` (it was asked to), ``crashed`` (an error came out of a
    handler), ``lost`` (its thread is gone or hangs), ``not started`` (``on_start`` failed or no thread could begin),
    ``ignored`` (``on_start`` said that nothing is to run here).
    ``error``: one line, ``traceback``: the text of the whole, both empty where there was no error.
    """

    kind: Kind
    error: str = ""
    traceback: str = ""

    @property
    def is_abnormal(self) -> bool:
        """Whether a transient child is restarted after it."""
        return self.kind not in ("normal", "shutdown")


NORMAL = Exit("normal")
SHUTDOWN = Exit("shutdown")
IGNORED = Exit("ignored")


def exit_after(kind: Kind, error: BaseException) -> Exit:
    """The exit that ``error`` caused. Never raises, whatever the error's ``__str__`` does.

    Of a start that failed since another one did, the stack is where it began, however many supervisors are between.
    """
    if kind == "not started" and isinstance(error, NotStarted):
        return Exit(kind, shortened(str(error), MAX_LINE), error.stack)
    try:
        text = "".join(traceback.format_exception(error))
        line = traceback.format_exception_only(error)[-1].strip()
    except Exception:  # noqa: BLE001 - an error that can't be told must not hide that there was one
        line, text = type(error).__name__, f"{type(error).__name__} (its text can't be told: telling it raised)"
    return Exit(kind, shortened(line, MAX_LINE), shortened(text, MAX_TEXT))


def shortened(text: str, limit: int) -> str:
    """The text, or its two ends in ``limit`` characters: what led to an error stands first, the error itself last."""
    if len(text) <= limit:
        return text
    gap = f" ... {len(text) - limit} characters or more left out ... "
    kept = max(limit - len(gap), 0)
    return f"{text[: kept - kept // 2]}{gap}{text[len(text) - kept // 2 :]}"[:limit]
