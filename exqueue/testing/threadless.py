"""A stand-in without actors and threads: for the modes ``manual`` and ``inline``."""

from __future__ import annotations

import os
import threading
import uuid
from typing import TYPE_CHECKING

from exqueue.actors.root import ExqueueRoot
from exqueue.actors.tables import failures_table
from exqueue.execution import is_inside_job
from exqueue.ids import IdSource
from exqueue.testing.at_once import AskingAtOnce
from exqueue.testing.bench import Bench
from exqueue.testing.clock import check_advance
from exqueue.testing.desk import Desk
from exqueue.testing.ended import Drained, counted, failure_of
from exqueue.testing.place import new_place
from exqueue.testing.stand_in import StandIn

if TYPE_CHECKING:
    from exqueue.messages import Enqueue
    from exqueue.testing.bench import Ended
    from exqueue.testing.clock import MovableClock


class ThreadlessStandIn(StandIn):
    """See `StandIn`. Everything happens in the thread of whoever calls, and its jobs are in a store of its own.

    Job classes need not be started: those that are enqueued are known, with the options of the class. What is
    enqueued by name only needs `StartWorker`.

    Args:
        clock: by which the jobs fall due.
        inline: whether what is ready runs at once. What a job makes ready runs when the job has ended.
        check: see `StandIn`.
    """

    def __init__(self, clock: MovableClock, *, inline: bool, check: bool) -> None:
        place = new_place(clock)
        self.actor_class = ExqueueRoot
        self.actor_urn = uuid.uuid4().urn
        self.actor_stopped = threading.Event()
        self._pid = os.getpid()
        self._context = place.context
        self._node = place.settings
        self._ids = IdSource(clock.time, place.context.runtime.token)
        self._asking = AskingAtOnce(place, Desk(place), self.is_alive, self._run_on)
        self._bench = Bench(place)
        self._workbench = self._bench.workbench
        self._inline = inline
        self._begin(clock, check=check)

    def _meet(self, message: Enqueue) -> None:
        super()._meet(message)
        assert message.definition is not None  # noqa: S101 - asked by the caller
        self._bench.know(message.definition)

    # -- running jobs
    def _run_on(self) -> None:
        if self._inline and not is_inside_job():
            self._settle(self._bench.run_ready(), check=None)

    def drain(  # type: ignore[override] # as `StandIn`
        self,
        timeout: float | None = None,
        *,
        recursive: bool = True,
        scheduled: bool = False,
        check: bool | None = None,
    ) -> Drained:
        """See `StandIn.drain`."""
        self._check_process()
        self._patience_s(timeout)
        only = None if recursive else self._bench.stored(waiting=scheduled)
        ended = self._bench.run_all(only) if scheduled else self._bench.run_ready(only)
        return self._settle(ended, check=check)

    def advance(self, seconds: float, *, check: bool | None = None) -> Drained:
        """See `StandIn.advance`."""
        self._check_process()
        check_advance(seconds)
        if self._inline:
            return self._settle(self._bench.run_for(seconds), check=check)
        self.clock.advance(seconds)
        return Drained()

    def _settle(self, ended: list[Ended], *, check: bool | None) -> Drained:
        failures = [failure_of(one.id, one.queue, one.outcome) for one in ended]
        self._judge([failure for failure in failures if failure is not None], check=check)
        return counted([one.outcome for one in ended])

    # -- the life of a system
    def is_alive(self) -> bool:
        """Whether it was not stopped."""
        return os.getpid() == self._pid and not self.actor_stopped.is_set()

    def run(self) -> None:
        """Return at once, stopped, as though the signal had come that a program waits for here."""
        self._check_process()
        self.stop()

    def stop(self, *, block: bool = True, timeout: float | None = None) -> bool:  # type: ignore[override] # as `SystemRef`
        """Answer nothing more. What was enqueued can still be looked at, and drained."""
        self.actor_stopped.set()
        return True

    def _end(self) -> None:
        super()._end()
        failures_table(self._context.board)["system"] = "the test is over that this system was for"
        self.stop()
        self._workbench.close()

    def __repr__(self) -> str:
        return f"<stand-in for an ExqueueSystem, mode {'inline' if self._inline else 'manual'}>"
