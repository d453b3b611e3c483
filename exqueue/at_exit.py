"""The end of this process, however Python comes to it."""

from __future__ import annotations

import atexit
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

BEFORE_OTHERS = 100
"""Among the finalizers of a child of multiprocessing: those with higher numbers run first."""


class AtExit:
    """Calls back when this process ends in good order, until `cancel`. Not called in forked children of this process.

    A child that `multiprocessing` forked ends without what is registered with `atexit`; what it runs instead are
    finalizers of its own.

    Args:
        callback: called in the main thread, while every other thread still runs but none can be started any more.
    """

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._finalizer: Any = None
        atexit.register(callback)
        # Loaded by whoever uses it, and in each of its children.
        multiprocessing = sys.modules.get("multiprocessing")
        util = sys.modules.get("multiprocessing.util")
        if multiprocessing is not None and util is not None and multiprocessing.parent_process() is not None:
            self._finalizer = util.Finalize(None, callback, exitpriority=BEFORE_OTHERS)

    def cancel(self) -> None:
        """Do not call back any more; harmless when called twice."""
        atexit.unregister(self._callback)
        if self._finalizer is not None:
            self._finalizer.cancel()
