"""An answer with arguments of jobs in it, which are built by code of the user and therefore not by an actor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Unbuilt:
    """An answer that is finished in the thread of whoever asked: code that hangs there keeps nobody else waiting."""

    build: Callable[[], object]
