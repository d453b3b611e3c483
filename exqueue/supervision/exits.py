"""How an actor ended, as a value: text only, so that no frame is kept alive and nothing hostile can raise later."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Literal

Kind = Literal["normal", "shutdown", "crashed", "lost", "not started"]

MAX_TEXT = 16_000
"""Characters kept of an error's traceback."""


@dataclass(frozen=True, slots=True)
class Exit:
    """The end of an actor.

    ``kind``: ``normal`` (it ended by itself), ``shutdown`` (it was asked to), ``crashed`` (an error came out of a
    handler), ``lost`` (its thread is gone or hangs), ``not started`` (``on_start`` failed or no thread could begin).
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


def exit_after(kind: Kind, error: BaseException) -> Exit:
    """The exit that ``error`` caused. Never raises, whatever the error's ``__str__`` does."""
    try:
        text = "".join(traceback.format_exception(error))
        line = traceback.format_exception_only(error)[-1].strip()
    except Exception:  # noqa: BLE001 - an error that can't be told must not hide that there was one
        line, text = type(error).__name__, f"{type(error).__name__} (its text can't be told: telling it raised)"
    if len(text) > MAX_TEXT:
        text = f"{text[: MAX_TEXT // 2]}\n... {len(text) - MAX_TEXT} characters left out ...\n{text[-MAX_TEXT // 2 :]}"
    return Exit(kind, line[:500], text)
