"""A whole system with its actors and workers, of which a test can ask what it can of a stand-in."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, ParamSpec

from exqueue.actors.tables import RegisteredJob, jobs_table
from exqueue.codec import learn_parameters
from exqueue.execution import Run
from exqueue.intake import stored
from exqueue.job import define
from exqueue.messages import Enqueue, EnqueueMany, GetStatus, StartWorker
from exqueue.testing.asserting import Asserting, Drained
from exqueue.testing.loop import Loop
from exqueue.testing.running import Place, end_test_if_meant, run_here

if TYPE_CHECKING:
    from exqueue.actors.protocol import Store
    from exqueue.execution import Outcome
    from exqueue.job import AnyJob, JobFunction, Performs
    from exqueue.system_ref import SystemRef

P = ParamSpec("P")


class RealSystem(Asserting):
    """A `SystemRef` to a started system. Its jobs run in its workers, from `drain` or `StartWorker` on.

    Made by `exqueue.testing.use` and the fixture ``exqueue_redis``, not by hand.

    Args:
        system: whose life it shares.
    """

    def __init__(self, system: SystemRef) -> None:
        self.__dict__.update(vars(system))
        self._begin_log()
        self._met: dict[str, AnyJob] = {}

    def _stores(self, message: Enqueue | EnqueueMany) -> tuple[list[str], tuple[Store, ...]]:
        ids, stores = super()._stores(message)
        for one in (message,) if isinstance(message, Enqueue) else message.jobs:
            if one.definition is not None and not isinstance(one.job, str):
                self._met[one.definition.name] = one.job
        for store in stores:
            self._note(store)
        return ids, stores

    def drain(self, timeout: float | None = None) -> Drained:  # type: ignore[override] # It says what was done.
        """Start the classes that were enqueued here and are not started, wait as `SystemRef.drain`, and count.

        Args:
            timeout: seconds, see `SystemRef.drain`.

        Raises:
            AskTimeout: see `SystemRef.drain`.
        """
        before = self._counted()
        for name, job in self._met.items():
            if name not in jobs_table(self._context.board):
                self.ask(StartWorker(job))
        super().drain(timeout)
        after = self._counted()
        died = after.died - before.died
        return Drained(
            succeeded=after.succeeded - before.succeeded,
            failed=after.failed - before.failed - died,
            died=died,
        )

    def _counted(self) -> Drained:
        queues = self.ask(GetStatus()).queues
        return Drained(
            succeeded=sum(queue.processed for queue in queues),
            failed=sum(queue.failed for queue in queues),
            died=sum(queue.dead for queue in queues),
        )

    def perform(self, job: type[Performs[P]] | JobFunction[P, object], /, *args: P.args, **kwargs: P.kwargs) -> Outcome:
        """As `StandIn.perform`, in the thread of the test."""
        message, definition = Enqueue.of(job, *args, **kwargs), define(job)
        runtime, config = self._context.runtime, self._node.config
        queue, new = stored(message, self._ids, runtime.clock.time(), self._node.codec, config.max_payload)
        learn_parameters(self._node.codec, definition.perform)
        known = jobs_table(self._context.board)
        jobs = {definition.name: RegisteredJob(definition, definition.options), **known}
        with closing(Loop()) as loop:
            place = Place(config.node, self._node.codec, runtime.clock, runtime.random(), jobs, loop)
            ran = run_here(Run(queue, new.id, b"test", new.record, None, 0, 1, 1, 1), place)
        end_test_if_meant(ran)
        return ran.outcome
