"""The event loop of a test's jobs, beside the one of an async test."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


class Loop:
    """In which the coroutines of one system's jobs run one after the other, as those of a Worker do.

    What a job keeps that belongs to its loop, as a client with open connections, serves the next one.
    """

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None
        self._is_taken = threading.Lock()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run it to its end in the job's own context. Raises what it raises."""
        context = contextvars.copy_context()
        if not self._is_taken.acquire(blocking=False):
            # Two threads of the program run jobs at once, as two Workers do, each of which has a loop of its own.
            with asyncio.Runner() as own:
                return own.run(coroutine, context=context)
        try:
            self._runner = self._runner or asyncio.Runner()
            return self._runner.run(coroutine, context=context)
        finally:
            self._is_taken.release()

    def close(self) -> None:
        """Close it, if a job ever needed one."""
        runner, self._runner = self._runner, None
        if runner is not None:
            beside_a_loop(runner.close)


def beside_a_loop(act: Callable[[], T]) -> T:
    """Do something that may run an event loop: where one runs in this thread, in another, which is waited for."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return act()
    context = contextvars.copy_context()
    answers: list[T] = []
    thread = threading.Thread(target=lambda: answers.append(context.run(act)), name="exqueue-test-job")
    thread.start()
    thread.join()
    return answers[0]
