"""What an actor's ``on_start`` may return to whoever started it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Info:
    """Said to whoever asked for this start, and to nobody after it: what comes back by itself says it to no one.

    Args:
        value: what `Started.info` will be.
    """

    value: Any = None


class Ignored(Enum):
    """There is nothing to run here, and that is no error."""

    IGNORE = "ignore"


IGNORE: Final = Ignored.IGNORE

Beginning = Info | Ignored | None
