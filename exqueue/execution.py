"""One run of a job, from its stored bytes to its outcome: plain functions that know no actor and no persistence."""

from __future__ import annotations

import contextvars
import inspect
import os
from dataclasses import dataclass
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from exqueue.errors import ArgumentsError, NewerRecordError, NothingRan, RecordError, UnknownJob, UnknownValue
from exqueue.forks import end_forked_child
from exqueue.ids import is_utf8
from exqueue.options import JobOptions
from exqueue.persistence.values import Bury, Done, Retry, Settlement
from exqueue.record import (
    Trail,
    decode_record,
    decode_trail,
    decode_trail_if_readable,
    describe_error,
    encode_trail,
    peek,
    peek_if_readable,
)
from exqueue.retry import NoMoreRetries, is_poison, next_step

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Coroutine, Mapping

    from exqueue.clock import Clock
    from exqueue.codec import Codec
    from exqueue.job import JobDefinition
    from exqueue.record import JobError, Record

PUT_OFF_S = 60.0
"""After how long a job is offered again whose record only a newer version can read, or whose class was stopped here."""

RunVerdict = Literal["succeeded", "failed", "died", "postponed"]


@dataclass(frozen=True, slots=True)
class Run:
    """A job handed to a worker: what is stored of it, and the (epoch, seat, call) that hands it out.

    ``is_poison``: it was handed out without leave, so it is buried, whatever the options of its class are by now.
    """

    queue: str
    id: str
    run: bytes
    record: bytes
    trail: bytes | None
    recoveries: int
    epoch: int
    seat: int
    call: int
    is_poison: bool = False

    @property
    def key(self) -> tuple[str, bytes]:
        """What names this run on its node."""
        return self.id, self.run


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, with the settlement that says so to the persistence.

    ``attempt``: the number of this run of the job, from 1. ``error`` and ``failures``: for ``failed`` and ``died``.
    ``reason``: why it ``died`` or was ``postponed`` (``None`` when its class was stopped here), or what was wrong with
    the backoff of a ``failed`` one. ``retry_in_s``: when it is run again.
    """

    settlement: Settlement
    verdict: RunVerdict
    job: str
    attempt: int
    failures: int = 0
    recoveries: int = 0
    error: JobError | None = None
    reason: str | None = None
    retry_in_s: float | None = None
    duration_s: float = 0.0


class Registered(Protocol):
    """A job class that can be run here, with its options as they are now."""

    @property
    def definition(self) -> JobDefinition:
        """The job class."""

    @property
    def options(self) -> JobOptions:
        """How it is run."""

    @property
    def is_stopped(self) -> bool:
        """Whether it was stopped here while its queue goes on."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a run needs of the place where it runs.

    ``is_superseded``: whether a run is over for the persistence. ``run_async``: runs a coroutine to its end.
    ``tell_begun``: hears of a job that is about to be run, with its record and the number of this run of it.
    """

    node: str
    codec: Codec
    clock: Clock
    rng: random.Random
    jobs: Mapping[str, Registered]
    is_superseded: Callable[[tuple[str, bytes]], bool]
    run_async: Callable[[Coroutine[Any, Any, Any]], Any]
    tell_begun: Callable[[Run, Record, int], None]


class CurrentJob:
    """The job that runs in this thread or task, as `exqueue.current_job` gives it.

    Attributes:
        id: of the job.
        queue: in which it was.
        attempt: the number of this run of the job, from 1; lost runs count.
        epoch: of the leadership that handed it out.
        run: (seat, call) that handed it out. ``(epoch, *run)`` only ever grows within a queue, so that it can be passed
            on as a fencing token.
    """

    __slots__ = ("_is_superseded", "_process", "attempt", "epoch", "id", "queue", "run")

    def __init__(self, run: Run, attempt: int, is_superseded: Callable[[], bool]) -> None:
        self.id = run.id
        self.queue = run.queue
        self.attempt = attempt
        self.epoch = run.epoch
        self.run = (run.seat, run.call)
        self._is_superseded = is_superseded
        self._process = os.getpid()

    @property
    def is_of_this_process(self) -> bool:
        """Whether it runs here: a child that the job forked remembers the job, but the run is its parent's."""
        return self._process == os.getpid()

    @property
    def cancelled(self) -> bool:
        """Whether this run is over for the persistence: what it still does will be done again elsewhere."""
        return self._is_superseded()


_current: contextvars.ContextVar[CurrentJob | None] = contextvars.ContextVar("exqueue current job", default=None)


def current_job() -> CurrentJob | None:
    """The job that runs here, or ``None`` outside of one."""
    return _current.get()


def is_inside_job() -> bool:
    """Whether this is the code of a job that runs in this process."""
    job = _current.get()
    return job is not None and job.is_of_this_process


def perform(run: Run, shop: Workshop) -> Outcome:
    """Run a job and say how it ended. Never raises: whatever the job raises is a failure of the job.

    A record that can't be decoded dies at once with its bytes kept; one of a newer format is postponed, and so is a job
    whose class was stopped here; a job lost too often with its node dies unrun; an unknown class and arguments that do
    not fit are failures like any other.
    """
    trail = Trail()
    try:
        trail = decode_trail(run.trail).alive()
        job = peek(run.record).job
        registered = shop.jobs.get(job)
        # Before anything that may end this thread, as code of the user in a decoder can: it would for ever.
        if run.is_poison or is_poison(run.recoveries, _options_of(registered).max_recoveries):
            reason = f"it was running {run.recoveries} times when its node was lost, so it was not run again"
            return _dead(run, shop, trail, job, None, reason)
        if not is_utf8(run.id):
            return _dead(run, shop, trail, job, None, f"its id is no UTF-8, so no Exqueue stored it: {run.id!a}")
        if registered is not None and registered.is_stopped:
            return _put_off(run, job, attempt_of(run, trail), None)
        record = decode_record(run.record, shop.codec)
    except NewerRecordError as error:
        return _put_off(run, "", 1, str(error))
    except RecordError as error:
        return _dead(run, shop, trail, "", error, f"its record can't be decoded: {error}")
    shop.tell_begun(run, record, attempt_of(run, trail))
    return _run(run, record, shop, trail, registered)


def _put_off(run: Run, job: str, attempt: int, reason: str | None) -> Outcome:
    retry = Retry(run.id, run.run, PUT_OFF_S, None)
    return Outcome(retry, "postponed", job, attempt, reason=reason, retry_in_s=PUT_OFF_S)


def _run(run: Run, record: Record, shop: Workshop, trail: Trail, registered: Registered | None) -> Outcome:
    begun_at = shop.clock.monotonic()
    process = os.getpid()
    try:
        if registered is None:
            _refuse_unknown(record, shop)
        else:
            _invoke(run, record, registered.definition, shop, trail)
        end_forked_child(process, None)
    except BaseException as error:  # noqa: BLE001 - the one place where a job is run: all it raises is its failure
        end_forked_child(process, error)
        return _failed(run, record.job, _options_of(registered), shop, trail, error)
    return Outcome(
        settlement=Done(run.id, run.run),
        verdict="succeeded",
        job=record.job,
        attempt=attempt_of(run, trail),
        failures=trail.failures,
        recoveries=run.recoveries,
        duration_s=shop.clock.monotonic() - begun_at,
    )


def _options_of(registered: Registered | None) -> JobOptions:
    return JobOptions() if registered is None else registered.options


def attempt_of(run: Run, trail: Trail) -> int:
    """The number of this run of the job, see `attempt_of_counts`."""
    return attempt_of_counts(trail.failures, run.recoveries)


def shown_of(run: Run) -> tuple[str, int]:
    """The job's name and `attempt_of` for events: ``""`` and no failures where that can't be read."""
    header = peek_if_readable(run.record)
    return "" if header is None else header.job, attempt_of(run, decode_trail_if_readable(run.trail).alive())


def attempt_of_counts(failures: int, recoveries: int) -> int:
    """The number of a job's present run, from 1: failures and losses count, interruptions do not."""
    return failures + recoveries + 1


def _refuse_unknown(record: Record, shop: Workshop) -> None:
    known = ", ".join(sorted(name for name, one in list(shop.jobs.items()) if not one.is_stopped)) or "none"
    raise UnknownJob(
        f"no job class named {record.job!r} is started on {shop.node} (started are: {known}); "
        f"start it with StartWorker, or set aliases= on the class that replaces it"
    )


def _invoke(run: Run, record: Record, definition: JobDefinition, shop: Workshop, trail: Trail) -> None:
    if record.unknown:
        named = ", ".join(sorted({f"{unknown.name} ({unknown.reason})" for unknown in record.unknown}))
        raise UnknownValue(
            f"this node can't build what is stored of the types {named}; "
            "those that are not registered: register them with exqueue.register_type"
        )
    try:
        definition.check(record.kwargs)
    except ArgumentsError as error:
        raise ArgumentsError(f"the stored arguments do not fit any more: {error}") from None
    key = run.key
    token = _current.set(CurrentJob(run, attempt_of(run, trail), lambda: shop.is_superseded(key)))
    try:
        result = definition.invoke(record.kwargs)
        if inspect.iscoroutine(result):
            result = shop.run_async(result)
        _refuse_unrun(result)
    finally:
        _current.reset(token)


def _refuse_unrun(result: object) -> None:
    cls = type(result)  # A proxy may answer to `isinstance` with anything.
    if issubclass(cls, GeneratorType | AsyncGeneratorType) or hasattr(cls, "__await__"):
        raise NothingRan(
            f"perform returned an object of type {cls.__qualname__}, which nobody runs or waits for; "
            "use it up inside perform, or await it there in an async def"
        )


def _failed(run: Run, job: str, options: JobOptions, shop: Workshop, trail: Trail, raised: BaseException) -> Outcome:
    error = describe_error(raised, shop.clock.time(), shop.node)
    attempt = attempt_of(run, trail)
    trail = trail.after_failure(error)
    step = next_step(options, trail.failures, shop.rng)
    if isinstance(step, NoMoreRetries):
        trail = trail.buried_with(step.reason)
        bury = Bury(run.id, run.run, encode_trail(trail))
        return Outcome(bury, "died", job, attempt, trail.failures, run.recoveries, error, step.reason)
    retry = Retry(run.id, run.run, step.delay_s, encode_trail(trail))
    return Outcome(retry, "failed", job, attempt, trail.failures, run.recoveries, error, step.problem, step.delay_s)


def _dead(run: Run, shop: Workshop, trail: Trail, job: str, raised: Exception | None, reason: str) -> Outcome:
    error = None if raised is None else describe_error(raised, shop.clock.time(), shop.node)
    attempt = attempt_of(run, trail)
    if error is not None:
        trail = trail.after_failure(error)
    trail = trail.buried_with(reason)
    bury = Bury(run.id, run.run, encode_trail(trail))
    last = error if error is not None or not trail.errors else trail.errors[-1]
    return Outcome(bury, "died", job, attempt, trail.failures, run.recoveries, last, reason)
