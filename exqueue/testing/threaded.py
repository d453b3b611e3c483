"""A stand-in that is a whole system, with actors and threads: for the mode ``real``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.actors.tables import jobs_table
from exqueue.errors import ConfigError
from exqueue.messages import GetStatus, StartWorker
from exqueue.system_ref import SystemRef
from exqueue.testing.clock import MovableClock
from exqueue.testing.ended import Drained, Failed
from exqueue.testing.stand_in import StandIn
from exqueue.testing.workbench import Workbench

if TYPE_CHECKING:
    from exqueue.execution import Run
    from exqueue.record import Record


class ThreadedStandIn(StandIn):
    """See `StandIn`. Its jobs run in its workers, from `drain` on or from `StartWorker`.

    Args:
        system: a started one, whose life it shares.
        check: see `StandIn`.
    """

    def __init__(self, system: SystemRef, *, check: bool) -> None:
        self.__dict__.update(vars(system))
        self._begin(MovableClock(), check=check)
        self._workbench = Workbench(self._node, self._context, _say_nothing)

    def drain(  # type: ignore[override] # as `StandIn`
        self,
        timeout: float | None = None,
        *,
        recursive: bool = True,
        scheduled: bool = False,
        check: bool | None = None,
    ) -> Drained:
        """Start the job classes that were enqueued in this test, unless they are started; then as `SystemRef.drain`."""
        if scheduled or not recursive:
            raise ConfigError("scheduled=True and recursive=False need mode manual or inline: in mode real workers run")
        began_at = self.clock.time()
        before = self._counts()
        started = jobs_table(self._context.board)
        for name, job in self._targets.items():
            if name not in started:
                self.ask(StartWorker(job))
        SystemRef.drain(self, timeout)
        after = self._counts()
        died = after.died - before.died
        drained = Drained(
            succeeded=after.succeeded - before.succeeded, failed=after.failed - before.failed - died, died=died
        )
        if drained.failed or drained.died:
            self._judge(self._failures_since(began_at), check=check)
        return drained

    def advance(self, seconds: float, *, check: bool | None = None) -> Drained:
        """Not here."""
        raise ConfigError("advance needs mode manual or inline: in mode real time is the machine's")

    def _counts(self) -> Drained:
        queues = self.ask(GetStatus()).queues
        return Drained(
            succeeded=sum(queue.processed for queue in queues),
            failed=sum(queue.failed for queue in queues),
            died=sum(queue.dead for queue in queues),
        )

    def _failures_since(self, began_at: float) -> list[Failed]:
        return [
            Failed(
                info.id,
                info.job,
                info.queue,
                info.failures + info.recoveries,
                info.state == "dead",
                info.errors[-1] if info.errors else None,
            )
            for info in (*self._all("waiting"), *self._all("dead"))
            if info.errors and info.errors[-1].at >= began_at
        ]

    def _end(self) -> None:
        super()._end()
        self.stop()
        self._workbench.close()


def _say_nothing(run: Run, record: Record, attempt: int) -> None:
    """What is performed in the thread of the test is no event of the system."""
