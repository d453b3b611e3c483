"""What a test holds in the place of a system: a `SystemRef` that also knows what was enqueued, and runs jobs here."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final, ParamSpec, overload

from exqueue.actors.tables import jobs_table
from exqueue.checks import shown
from exqueue.codec import learn_parameters
from exqueue.errors import ConfigError
from exqueue.execution import Run
from exqueue.intake import stored
from exqueue.messages import Enqueue, EnqueueMany, JobInfo, ListJobs
from exqueue.persistence.values import MAX_BATCH
from exqueue.record import decode_record
from exqueue.system_ref import SystemRef
from exqueue.testing.bench import registered
from exqueue.testing.ended import Drained, JobsFailed, failure_of
from exqueue.testing.enqueued import Enqueued, expected, name_of, none_was, some_were

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exqueue.actors.protocol import Store
    from exqueue.job import AnyJob, JobFunction, Performs
    from exqueue.testing.clock import MovableClock
    from exqueue.testing.ended import Failed
    from exqueue.testing.workbench import Workbench

P = ParamSpec("P")

REDIRECTED: Final = ("ask", "tell", "enqueue", "drain", "is_alive", "run", "stop", "send_to", "urn_of")
"""What of another system is answered by the stand-in."""


class StandIn(SystemRef):
    """A system in a test, see `exqueue.testing.use`. Hand it to the code under test as the `SystemRef` that it is.

    ``drain``, ``advance`` and ``perform``, and in mode ``inline`` all that makes a job ready, raise `JobsFailed` when a
    job failed, after recording it as a worker does; ``check=False`` lets it fail.

    Attributes:
        clock: by which the jobs fall due.
        check: whether a failed job fails the test where nothing else is said.
    """

    clock: MovableClock
    check: bool
    _workbench: Workbench

    def _begin(self, clock: MovableClock, *, check: bool) -> None:
        self.clock = clock
        self.check = check
        self._enqueued: list[Enqueued] = []
        self._targets: dict[str, AnyJob] = {}
        self._performed = itertools.count(1)
        self._redirections: list[Callable[[], None]] = []

    # -- what was enqueued
    def enqueued(self, job: AnyJob | str | None = None) -> tuple[Enqueued, ...]:
        """All that was enqueued in this test, or the jobs of one class, in their order; whether or not they have run.

        What was enqueued under an id that was still stored is not among them.
        """
        name = None if job is None else name_of(job)
        return tuple(one for one in self._enqueued if name in (None, one.job))

    def assert_enqueued(self, job: AnyJob | str | Enqueue, /, **wanted: Any) -> Enqueued:
        """Fail unless such a job was enqueued in this test; return the first that fits.

        Args:
            job: its class, function or name; or an `Enqueue`, with all that is set in it.
            **wanted: arguments of the job, of which those left out may be anything, and ``delay=``, ``at=`` and ``id=``
                as they were given, unless an argument has that name. Compared with ``==``: `unittest.mock.ANY` fits
                anything.

        Raises:
            AssertionError: none was; with what was, and the difference.
            ArgumentsError: the job takes no such argument.
        """
        one = expected(job, wanted)
        for enqueued in self._enqueued:
            if enqueued.job == one.job and not one.differences(enqueued):
                return enqueued
        raise AssertionError(none_was(one, self._enqueued))

    def refute_enqueued(self, job: AnyJob | str | Enqueue, /, **unwanted: Any) -> None:
        """Fail if such a job was enqueued in this test; as `assert_enqueued`."""
        one = expected(job, unwanted)
        found = [each for each in self._enqueued if each.job == one.job and not one.differences(each)]
        if found:
            raise AssertionError(some_were(one, found))

    def clear(self) -> None:
        """Forget what was enqueued so far, for a test of several steps; what is stored stays."""
        self._enqueued.clear()

    def assert_dead(self, job: AnyJob | str, /, **wanted: Any) -> JobInfo:
        """Fail unless a job of this class is dead; return the first that fits, with its errors.

        Args:
            job: its class, function or name.
            **wanted: arguments, as for `assert_enqueued`.

        Raises:
            AssertionError: none is; with those that are.
            ArgumentsError: the job takes no such argument.
        """
        one = expected(job, wanted)
        dead = self._all("dead")
        for info in dead:
            if info.job == one.job and not one.differences(_as_enqueued(info)):
                return info
        lines = [f"  {info.job} with {_as_enqueued(info)}: {_last_error(info)}" for info in dead]
        raise AssertionError("\n".join([f"expected to be dead, and is not: {one}", *(lines or ["no job is dead"])]))

    def _all(self, state: Any) -> list[JobInfo]:
        found: list[JobInfo] = []
        while page := self.ask(ListJobs(state, limit=MAX_BATCH, offset=len(found))):
            found.extend(page)
        return found

    def _stores(self, message: Enqueue | EnqueueMany) -> tuple[list[str], tuple[Store, ...]]:
        ids, stores = super()._stores(message)
        many = (message,) if isinstance(message, Enqueue) else message.jobs
        records = {(store.queue, job.id): job.record for store in stores for job in store.jobs}
        for job_id, one in zip(ids, many, strict=True):
            if one.definition is not None:
                self._meet(one)
            if one.id is not None and self._is_stored(one.queue, one.id):
                continue
            kwargs = decode_record(records[one.queue, job_id], self._node.codec).kwargs
            self._enqueued.append(Enqueued(one.name, kwargs, job_id, one.queue, one.delay, one.at))
        return ids, stores

    def _meet(self, message: Enqueue) -> None:
        """A job of this class is about to be stored."""
        assert message.definition is not None  # noqa: S101 - asked by the caller
        self._targets[message.definition.name] = message.job  # type: ignore[assignment] # no name, as it is defined

    def _is_stored(self, queue: str, job_id: str) -> bool:
        session = self._node.persistence.session(timeout=self._node.config.ask_timeout, pooled=True)
        try:
            return bool(session.get_jobs(job_id, [queue]))
        finally:
            session.close()

    # -- running jobs
    @overload
    def perform(self, job: type[Performs[P]] | JobFunction[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> None: ...
    @overload
    def perform(self, job: str, /, **kwargs: Any) -> None: ...
    def perform(self, job: Any, /, *args: Any, **kwargs: Any) -> None:
        """Run one job here and now as a worker would, without storing it.

        Its arguments are checked and go through the codec; `exqueue.current_job` is known; aliases and registered types
        count; it runs in this thread (in an async test, beside its loop, in another one).

        Raises:
            ArgumentsError, PayloadError: as when it is enqueued.
            JobsFailed: it failed; ``failures[0].error`` is what would be recorded.
        """
        message = Enqueue(job, kwargs) if isinstance(job, str) else Enqueue.of(job, *args, **kwargs)
        config, now = self._node.config, self.clock.time()
        queue, new = stored(message, self._ids, now, self._node.codec, config.max_payload)
        if message.definition is not None:
            learn_parameters(self._node.codec, message.definition.perform)
        run = Run(queue, new.id, b"perform", new.record, None, 0, epoch=0, seat=0, call=next(self._performed))
        jobs = registered(message.definition, jobs_table(self._context.board))
        failure = failure_of(new.id, queue, self._workbench.run(run, jobs))
        if failure is not None:
            raise JobsFailed([failure])
        self._run_on()

    def _run_on(self) -> None:
        """After a job has run: what it has made ready."""

    def drain(  # type: ignore[override] # a test wants to know what has run
        self,
        timeout: float | None = None,
        *,
        recursive: bool = True,
        scheduled: bool = False,
        check: bool | None = None,
    ) -> Drained:
        """Run all jobs that are ready or due, and say how many runs ended how.

        Args:
            timeout: seconds, in mode ``real`` only; elsewhere it ends when all have run.
            recursive: also what they enqueue; otherwise each job that is there now once.
            scheduled: also what waits for a later time, retries included: the clock goes on to each. Not in mode
                ``real``.
            check: whether to raise when one fails; ``None``: as the stand-in was made.

        Raises:
            JobsFailed: some failed, after all have run.
            ConfigError: not possible in this mode.
        """
        raise NotImplementedError

    def advance(self, seconds: float, *, check: bool | None = None) -> Drained:
        """Let time pass. In mode ``inline`` what falls due meanwhile is run, each at its time.

        Args:
            seconds: 0 or more.
            check: as for `drain`.

        Raises:
            JobsFailed: some failed, when the time is over.
            ConfigError: in mode ``real``, whose time is the machine's.
        """
        raise NotImplementedError

    def _judge(self, failures: Sequence[Failed], *, check: bool | None) -> None:
        if failures and (self.check if check is None else check):
            raise JobsFailed(failures)

    # -- standing in
    def stand_in_for(self, *systems: SystemRef) -> None:
        """Answer all that these systems are asked and told, until the end of this test.

        For programs that keep theirs in a module, whoever has imported it from there.
        """
        for system in systems:
            _check_other(system, self)
            self._redirections.append(_redirect(system, self))

    def _end(self) -> None:
        """The test is over."""
        while self._redirections:
            self._redirections.pop()()


def _check_other(system: object, stand_in: StandIn) -> None:
    if not isinstance(system, SystemRef) or system is stand_in:
        raise ConfigError(f"a stand-in takes the place of what ExqueueSystem.start gave, not of {shown(system)}")


def _redirect(system: SystemRef, stand_in: SystemRef) -> Callable[[], None]:
    own: dict[str, Any] = vars(system)
    before: dict[str, Any] = {name: own[name] for name in REDIRECTED if name in own}
    for name in REDIRECTED:
        own[name] = getattr(stand_in, name)

    def undo() -> None:
        for name in REDIRECTED:
            own.pop(name, None)
        own.update(before)

    return undo


def _as_enqueued(info: JobInfo) -> Enqueued:
    return Enqueued(info.job, info.kwargs or {}, info.id, info.queue)


def _last_error(info: JobInfo) -> str:
    return f"{info.errors[-1].type}: {info.errors[-1].message}" if info.errors else "it raised no error"
