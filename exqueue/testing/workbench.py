"""Running jobs in the thread of a test, by the very function that a worker runs them by."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from exqueue.execution import Workshop, perform

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from exqueue.actors.settings import NodeSettings
    from exqueue.execution import Outcome, Registered, Run
    from exqueue.record import Record
    from exqueue.supervision import ActorContext

T = TypeVar("T")


class Workbench:
    """Where the jobs of one stand-in are run.

    Its coroutines share an event loop, as those of a worker do.

    Args:
        node: that runs them.
        context: of the stand-in.
        tell_begun: see `Workshop`.
    """

    def __init__(
        self, node: NodeSettings, context: ActorContext, tell_begun: Callable[[Run, Record, int], None]
    ) -> None:
        self._node = node
        self._clock = context.runtime.clock
        self._rng = context.runtime.random()
        self._tell_begun = tell_begun
        self._runner: asyncio.Runner | None = None
        self._runner_is_taken = threading.Lock()

    def run(self, run: Run, jobs: Mapping[str, Registered]) -> Outcome:
        """Run a job, and say how it ended. Never raises, as `perform`.

        In an async test an event loop runs in this thread already, beside which a job could not run one of its own:
        there the job has a thread, as it has with a worker.
        """
        shop = Workshop(
            node=self._node.config.node,
            codec=self._node.codec,
            clock=self._clock,
            rng=self._rng,
            jobs=jobs,
            is_superseded=lambda _: False,
            run_async=self._run_async,
            tell_begun=self._tell_begun,
        )
        outcome = in_a_thread(lambda: perform(run, shop)) if _has_loop() else perform(run, shop)
        if outcome.error is not None and outcome.error.type == KeyboardInterrupt.__name__:
            # With a worker no Ctrl-C gets into a job; here whoever runs the tests wants to end them.
            raise KeyboardInterrupt
        return outcome

    def close(self) -> None:
        """Close the event loop, if a job ever needed one."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        if _has_loop():
            in_a_thread(runner.close)
        else:
            runner.close()

    def _run_async(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        context = contextvars.copy_context()
        if not self._runner_is_taken.acquire(blocking=False):
            # Two threads run jobs at once, as two workers do, each of which has a loop of its own.
            with asyncio.Runner() as own:
                return own.run(coroutine, context=context)
        try:
            self._runner = self._runner or asyncio.Runner()
            return self._runner.run(coroutine, context=context)
        finally:
            self._runner_is_taken.release()


def _has_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def in_a_thread(act: Callable[[], T]) -> T:
    """Do something in a thread of its own, in this context, and wait for it."""
    context = contextvars.copy_context()
    answers: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            answers.append(context.run(act))
        except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
            errors.append(error)

    thread = threading.Thread(target=body, name="exqueue:testing", daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]
