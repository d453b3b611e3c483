"""Blocking until the process is asked to end."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from exqueue.supervision.runtime import Task

LOOK_EVERY_S = 0.5
"""How often the wait is interrupted to see whether the system has ended by itself."""


def run_until_signal(task: Task, stop: Callable[[], Any]) -> None:
    """Wait for SIGINT or SIGTERM or the end of ``task``, then ``stop``; handlers of before are put back.

    A second signal ends the process at once with 128 + its number.
    """
    if threading.current_thread() is not threading.main_thread():
        task.join()
        return
    # A handler may interrupt anything, itself included: it takes no lock that this thread may hold, as an event's.
    seen: list[int] = []
    asked: SimpleQueue[int] = SimpleQueue()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        seen.append(number)
        if len(seen) > 1:
            os._exit(128 + number)
        asked.put(number)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while task.is_alive() and not seen:
            with suppress(Empty):
                asked.get(timeout=LOOK_EVERY_S)
        stop()
    finally:
        for number, handler in before.items():
            # None is a handler that was not set by Python: it can't be put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
