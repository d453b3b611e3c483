"""The Worker: one concurrency slot of a queue; the only actor that runs the user's code."""

from __future__ import annotations

import contextvars
import importlib
import logging
from typing import TYPE_CHECKING, Any, assert_never

from exqueue.actors.protocol import BeginRun, ReportIn, Retire, RunEnded, Say, WorkerReady
from exqueue.actors.tables import RunningRow, RunTables, fetcher_of, jobs_table, seats_table, subscribers_table
from exqueue.execution import Run, Workshop, perform
from exqueue.messages import JobStarted
from exqueue.record import shown_arguments
from exqueue.supervision import Actor, ActorContext, safe_logger

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine
    from types import TracebackType

    from exqueue.actors.settings import NodeSettings
    from exqueue.record import Record

logger = safe_logger("exqueue")

WorkerMessage = BeginRun | ReportIn | Retire


class Worker(Actor):
    """Runs one job at a time, in its own thread, for as long as it takes.

    A run goes over the board from hand to hand: ``running`` is written before ``handed`` is taken, ``ended`` before
    ``running`` is removed, and only then is the Fetcher told. So a crash on either side, at any point, loses nothing.
    """

    def __init__(self, context: ActorContext, *, settings: NodeSettings, queue: str) -> None:
        super().__init__(context)
        self._queue = queue
        self._fetcher = fetcher_of(queue)
        self._tables = RunTables(self.board, queue)
        self._seats = seats_table(self.board)
        self._subscribers = subscribers_table(self.board)
        self._node = settings.config.node
        self._runner: asyncio.Runner | None = None
        self._workshop = Workshop(
            node=settings.config.node,
            codec=settings.codec,
            clock=self.clock,
            rng=context.runtime.random(),
            jobs=jobs_table(self.board),
            is_superseded=self._tables.superseded.__contains__,
            run_async=self._run_async,
            tell_begun=self._tell_begun,
        )

    def on_start(self) -> None:
        """Tell the Fetcher that there is a Worker."""
        self._report_in()

    def on_stop(self) -> None:
        """Close the event loop, if a job ever needed one."""
        self._close_loop()

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """As `on_stop`."""
        self._close_loop()

    def _close_loop(self) -> None:
        if self._runner is not None:
            self._runner.close()

    def on_receive(self, message: WorkerMessage) -> None:
        """Handle a message; see `exqueue.actors.protocol`."""
        match message:
            case BeginRun():
                self._on_begin_run(message.run)
            case ReportIn():
                self._report_in()
            case Retire():
                self.stop()
            case _:
                assert_never(message)

    def _report_in(self) -> None:
        self.tell(self._fetcher, WorkerReady(self.name, self.actor_urn))

    def _on_begin_run(self, run: Run) -> None:
        key = run.key
        if self._seats.get(self._queue) != run.seat:
            self._report_in()
            return
        self._tables.running[key] = RunningRow(self.name, self.actor_urn, self.clock.time(), run)
        if self._tables.handed.pop(key, None) is None:
            self._tables.running.pop(key, None)
            self._report_in()
            return
        self.doing(f"job {run.id}")
        outcome = self.run_user(perform, run, self._workshop)
        self.doing("")
        self._tables.ended[key] = outcome
        self._tables.running.pop(key, None)
        self._tables.superseded.pop(key, None)
        self.tell(self._fetcher, RunEnded(key, None if self.is_replaced else self.name))
        if self.is_replaced:
            # Nothing else comes to an abandoned thread, not even a stop.
            self._close_loop()

    def _tell_begun(self, run: Run, record: Record, attempt: int) -> None:
        if logger.isEnabledFor(logging.DEBUG):
            # The only line with arguments, which may be anybody's secrets. By the Reporter: a handler may hang.
            line = f"job {run.id} ({record.job}, queue {self._queue}) begins attempt {attempt} on {self.name} with "
            self.tell("reporter", Say(logging.DEBUG, line + shown_arguments(record.kwargs)))
        if not self._subscribers:
            return
        event = JobStarted(
            id=run.id,
            job=record.job,
            queue=self._queue,
            node=self._node,
            worker=self.name,
            attempt=attempt,
            at=self.clock.time(),
        )
        self.tell("reporter", event)

    def _run_async(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        if self._runner is None:
            # Loaded when the job was defined.
            self._runner = importlib.import_module("asyncio").Runner()
        assert self._runner is not None  # noqa: S101 - made above
        # The job's own context, so that `current_job()` is known in its tasks.
        return self._runner.run(coroutine, context=contextvars.copy_context())
