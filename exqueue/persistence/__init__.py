"""The stores: one interface (`exqueue.persistence.base`), one package or module for each backend.

`fsck` checks a store that a URL names; it is loaded when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exqueue.persistence.inspection.check import fsck

__all__ = ["fsck"]


def __getattr__(name: str) -> object:
    if name != "fsck":
        raise AttributeError(f"module 'exqueue.persistence' has no attribute {name!r}")
    found: object = importlib.import_module("exqueue.persistence.inspection.check").fsck
    globals()["fsck"] = found
    return found
