"""Where in a value something stands, as a Python programmer would write it: ``kwargs["order"]["lines"][3]``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

# A linked tuple costs 30 ns a step while nothing is wrong, which is nearly always; the text is made for an error only.
Where = str | tuple[Any, object]
"""The root's name, or the place around it and the step from there: a key, an index or `Via`."""

_MAX_KEY: Final = 60
_FIRST_STEPS: Final = 8
_LAST_STEPS: Final = 3


@dataclass(frozen=True, slots=True)
class Via:
    """A step that is neither key nor index, as the text to show: ``.lines``, ``.to_plain()``."""

    text: str


def describe(where: Where) -> str:
    """Return the place as text; a long way loses its middle, and so does a long key."""
    steps: list[str] = []
    while isinstance(where, tuple):
        where, step = where
        steps.append(_step(step))
    steps.reverse()
    if len(steps) > _FIRST_STEPS + _LAST_STEPS:
        left_out = len(steps) - _FIRST_STEPS - _LAST_STEPS
        steps[_FIRST_STEPS:-_LAST_STEPS] = [f" ({left_out} more) "]
    return where + "".join(steps)


def type_name(cls: type) -> str:
    """Return the name of a type for people: ``dict``, ``app.models.Order``."""
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _step(step: object) -> str:
    if isinstance(step, Via):
        return step.text
    if isinstance(step, str):
        text = step if len(step) <= _MAX_KEY else step[:_MAX_KEY] + "..."
        quoted = json.dumps(text, ensure_ascii=False)
        return f"[{quoted.encode('utf-8', 'backslashreplace').decode()}]"
    return f"[{step}]"
