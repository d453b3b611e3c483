"""Commands: what a system can be told or asked to do. Each checks its own arguments when it is built.

Where a value is not allowed they raise `exqueue.errors.ConfigError` (a ``ValueError``), where a type is not,
``TypeError``; the message says what was given and what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, ParamSpec

from exqueue.checks import check_name
from exqueue.ids import check_id, check_stored_id
from exqueue.job import define
from exqueue.messages.checks import check_due, check_queue, plain_kwargs, queue_of_class, queue_of_name
from exqueue.messages.message import Message
from exqueue.messages.replies import CancelResult

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any, Unpack

    from exqueue.job import AnyJob, JobDefinition, JobFunction, Performs
    from exqueue.options import JobOptions, RunOptions

P = ParamSpec("P")

_NO_KWARGS: Final[Mapping[str, object]] = MappingProxyType({})
_set = object.__setattr__  # the one way into a frozen object, looked up once: an `Enqueue` is built for every job


@dataclass(frozen=True, slots=True, init=False)
class StartWorker(Message[str]):
    """Work the queue of a job class or function, on this node whenever it leads.

    Again for the same class: its options change, and running jobs end under the old ones.

    Args:
        job: a class with ``perform``, or a function under ``@job``.
        **options: override those of the class, see `exqueue.options.JobOptions`.

    Attributes:
        options: those of the class with the overrides.
        definition: the job, as it was read.
    """

    job: AnyJob
    options: JobOptions
    definition: JobDefinition = field(init=False, repr=False, compare=False)

    def __init__(self, job: AnyJob, **options: Unpack[RunOptions]) -> None:
        definition = define(job)
        _set(self, "job", job)
        _set(self, "options", definition.options_with(options))
        _set(self, "definition", definition)


@dataclass(frozen=True, slots=True)
class StopWorker(Message[str]):
    """Begin no more jobs of this class or function on this node. Answers its queue, at once.

    Its queue is worked on for the other classes that are started in it: a job of this class whose turn comes is put off
    by a minute, again and again and uncounted, which holds up a serial queue; what runs ends. Without another class the
    queue ends too: what runs may take ``shutdown_timeout`` and then goes back to its place, superseded. Its thread
    executes on, so that the job may run beside it when the class is started again.
    """

    job: AnyJob
    definition: JobDefinition = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _set(self, "definition", define(self.job))


@dataclass(frozen=True, slots=True, init=False)
class Enqueue(Message[str]):
    """Store a job. The answer to ``ask`` is its id, once it is stored.

    Whether the arguments fit ``perform`` and can be stored is checked where the message is sent.

    Args:
        job: a class with ``perform``, a function under ``@job``, or the name of either (for programs without its code).
        kwargs: the arguments of ``perform``; read when the message is sent.
        delay: run it no earlier than in so many seconds, 0 to `exqueue.messages.checks.MAX_DELAY_S`.
        at: run it no earlier than then; timezone-aware, and not together with ``delay``.
        id: of the job; a new one when left out. While it is stored in its queue, enqueueing it again stores nothing.
        queue: for a job given by its name, when its queue has another name.

    Attributes:
        queue: in which the job will wait.
        definition: the job, as it was read; ``None`` when only its name is known.
    """

    job: AnyJob | str
    kwargs: Mapping[str, object] = field(repr=False)
    delay: float | None
    at: datetime | None
    id: str | None
    queue: str
    definition: JobDefinition | None = field(init=False, repr=False, compare=False)

    def __init__(
        self,
        job: AnyJob | str,
        kwargs: Mapping[str, object] = _NO_KWARGS,
        *,
        delay: float | None = None,
        at: datetime | None = None,
        id: str | None = None,
        queue: str | None = None,
    ) -> None:
        if isinstance(job, str):
            _set(self, "definition", None)
            _set(self, "queue", queue_of_name(job, queue))
        else:
            definition = define(job)
            _set(self, "definition", definition)
            _set(self, "queue", definition.queue if queue is None else queue_of_class(definition, queue))
        if kwargs is _NO_KWARGS:
            kwargs = {}
        elif type(kwargs) is not dict:
            kwargs = plain_kwargs(kwargs)
        if delay is not None or at is not None:
            check_due(delay, at)
        if id is not None:
            check_id(id)
        _set(self, "job", job)
        _set(self, "kwargs", kwargs)
        _set(self, "delay", delay)
        _set(self, "at", at)
        _set(self, "id", id)

    @classmethod
    def of(cls, job: type[Performs[P]] | JobFunction[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Enqueue:
        """Build one whose arguments a type checker compares with those of ``perform``; see `options`.

        Raises:
            ArgumentsError: a positional argument has no name in the signature.
        """
        return cls(job, define(job).named(args, kwargs) if args else kwargs)

    def options(self, *, delay: float | None = None, at: datetime | None = None, id: str | None = None) -> Enqueue:
        """Return the same with what is given here; what is left out stays as it is.

        ``delay`` takes the place of an earlier ``at``, and ``at`` that of a ``delay``; ``delay=0`` of either: at once.
        """
        if delay is None and at is None:
            delay, at = self.delay, self.at
        return type(self)(
            self.job,
            self.kwargs,
            delay=delay,
            at=at,
            id=self.id if id is None else id,
            queue=self.queue,
        )

    @property
    def name(self) -> str:
        """The name under which the job will be stored."""
        return str(self.job) if self.definition is None else self.definition.name


@dataclass(frozen=True, slots=True, init=False)
class EnqueueMany(Message[list[str]]):
    """Store jobs, each piece of at most 1,000 jobs or 2 MiB of one queue all or none. Answers their ids, in order."""

    jobs: tuple[Enqueue, ...]

    def __init__(self, jobs: Iterable[Enqueue]) -> None:
        _set(self, "jobs", _checked_many(jobs))


@dataclass(frozen=True, slots=True)
class _OneJob:
    """A command about one job. ``queue`` is only needed where two queues have a job of this id."""

    id: str
    queue: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        check_stored_id(self.id)
        check_queue(self.queue)


@dataclass(frozen=True, slots=True)
class RetryDead(_OneJob, Message[bool]):
    """Give a dead job its retries again: it joins the end of its line, in a serial queue the head. Answers ``True``.

    Args:
        id: of the job.
        queue: of the job; only needed where two queues have a job of this id.

    Raises:
        JobNotFound: no dead job has this id; nothing was changed.
        AmbiguousJob: the id stands in two queues or more.
    """


@dataclass(frozen=True, slots=True)
class DeleteDead(_OneJob, Message[bool]):
    """Delete a dead job for good. Answers ``True``.

    Args:
        id: of the job.
        queue: of the job; only needed where two queues have a job of this id.

    Raises:
        JobNotFound: no dead job has this id; nothing was changed.
        AmbiguousJob: the id stands in two queues or more.
    """


@dataclass(frozen=True, slots=True)
class CancelJob(_OneJob, Message[CancelResult]):
    """Remove a job that is ready, waiting or dead. Answers a `CancelResult`.

    Args:
        id: of the job.
        queue: of the job; only needed where two queues have a job of this id.

    Raises:
        JobNotFound: no such job has this id; nothing was changed.
        NotSupportedYet: it runs.
        AmbiguousJob: the id stands in two queues or more.
    """


@dataclass(frozen=True, slots=True)
class RetryAllDead(Message[int]):
    """Give all dead jobs, or those of one queue, their retries again, in batches. Answers how many.

    Meant are those that are dead when it comes, each once, however soon they are dead again.
    """

    queue: str | None = None

    def __post_init__(self) -> None:
        check_queue(self.queue)


@dataclass(frozen=True, slots=True)
class DeleteAllDead(Message[int]):
    """Delete all dead jobs, or those of one queue, in batches. Answers how many.

    Meant are those that are dead when it comes.
    """

    queue: str | None = None

    def __post_init__(self) -> None:
        check_queue(self.queue)


@dataclass(frozen=True, slots=True)
class PauseQueue(Message[bool]):
    """Fetch nothing more from a queue, on any node, until `ResumeQueue`; what runs goes on. Answers ``True``.

    Args:
        name: of the queue, which has to be started on a node, or a job must have been stored in it.

    Raises:
        ConfigError: there is no such queue; the message lists those that there are.
    """

    name: str

    def __post_init__(self) -> None:
        check_name(self.name, "queue")


@dataclass(frozen=True, slots=True)
class ResumeQueue(Message[bool]):
    """Undo `PauseQueue`. Answers ``True``, also when it was not paused.

    Args:
        name: of the queue, as for `PauseQueue`.

    Raises:
        ConfigError: there is no such queue.
    """

    name: str

    def __post_init__(self) -> None:
        check_name(self.name, "queue")


def _checked_many(jobs: object) -> tuple[Enqueue, ...]:
    if isinstance(jobs, str | Mapping) or not isinstance(jobs, Iterable):
        raise TypeError(f"EnqueueMany takes a list of Enqueue, not {type(jobs).__name__}")
    checked = tuple(jobs)
    for position, one in enumerate(checked):
        if not isinstance(one, Enqueue):
            raise TypeError(f"EnqueueMany takes a list of Enqueue; entry {position} is {type(one).__name__}")
    return checked
