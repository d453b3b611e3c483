"""When two replies are the same."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from exqueue.errors import ExqueueError, Fenced
from exqueue.persistence.values import Claimed

SAME_TIME_S = 0.002
"""Times that differ by less are the same: a backend that keeps milliseconds rounds each once."""


def alike(one: Any, other: Any) -> bool:
    """Whether two backends said the same; of an error the kind counts, not its words."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) < SAME_TIME_S
    if type(one) is not type(other):
        return False
    if isinstance(one, ExqueueError):
        return not isinstance(one, Fenced) or one.epoch == other.epoch
    if isinstance(one, Claimed):
        return one.call == other.call and sorted(one.runs, key=repr) == sorted(other.runs, key=repr)
    if is_dataclass(one):
        compared = [field.name for field in fields(one) if field.compare]
        return all(alike(getattr(one, name), getattr(other, name)) for name in compared)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other)
