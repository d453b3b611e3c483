"""One thread that waits for all timers of a system."""

from __future__ import annotations

import heapq
import itertools
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class _Entry:
    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Timers:
    """Calls back at due times, from a thread that begins with the first timer. Safe from any thread.

    Args:
        now: monotonic seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, _Entry]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._closed = False

    def after(self, delay_s: float, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` once after ``delay_s`` seconds; it must not block. Returns what cancels it.

        A timer that is set after `close` never fires.

        Raises:
            RuntimeError: the thread of the timers could not be started.
        """
        entry = _Entry(callback)
        with self._changed:
            if self._closed:
                return entry.cancel
            if self._thread is None:
                # Kept once it runs: where no thread can be started now, the next timer tries again.
                thread = threading.Thread(target=self._run, name="exqueue-timers", daemon=True)
                thread.start()
                self._thread = thread
            heapq.heappush(self._heap, (self._now() + delay_s, next(self._order), entry))
            if self._heap[0][2] is entry:
                self._changed.notify()
        return entry.cancel

    def close(self) -> None:
        """Forget all timers and end the thread; waits for a callback that runs just now, at most a second."""
        with self._changed:
            self._closed = True
            self._heap.clear()
            self._changed.notify()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(1.0)

    def _run(self) -> None:
        while True:
            callback = self._next_due()
            if callback is None:
                return
            callback()

    def _next_due(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._closed:
                if not self._heap:
                    self._changed.wait()
                    continue
                due, _, entry = self._heap[0]
                # Read once: it may be cancelled between this look and the end of its time.
                callback = entry.callback
                if callback is None:
                    heapq.heappop(self._heap)
                    continue
                remaining = due - self._now()
                if remaining > 0:
                    self._changed.wait(remaining)
                    continue
                heapq.heappop(self._heap)
                return callback
        return None
