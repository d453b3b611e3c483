"""What was enqueued in a test, what a test expects of it, and how the two differ."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass, field
from pprint import pformat
from typing import TYPE_CHECKING, Any, Final

from exqueue.errors import ArgumentsError
from exqueue.job import define
from exqueue.messages import Enqueue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from exqueue.job import AnyJob

OPTIONS: Final = ("delay", "at", "id")
"""What may be expected of a job beside its arguments, unless an argument has that name."""

MOST_SHOWN: Final = 10
"""So many jobs are compared with the one that was expected."""

MOST_CHARACTERS: Final = 2_000
"""A longer value is cut."""


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A job that was enqueued in this test.

    Args:
        job: the name of its class.
        kwargs: its arguments, as they come out of the store again.
        id: of the job.
        queue: in which it was stored.
        delay: as it was given, in seconds.
        at: as it was given.
    """

    job: str
    kwargs: Mapping[str, Any]
    id: str
    queue: str
    delay: float | None = None
    at: datetime | None = None

    def __str__(self) -> str:
        """Arguments and options on one line."""
        options = {name: getattr(self, name) for name in OPTIONS if getattr(self, name) is not None}
        return _listed({**self.kwargs, **options})


@dataclass(frozen=True, slots=True)
class Expected:
    """What a job must be like: those of its arguments and options that are named here. Any ``==`` will do.

    Make one with `expected`.
    """

    job: str
    kwargs: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)

    def differences(self, job: Enqueued) -> list[str]:
        """In what a job of this name is another one, a text each; empty when it fits."""
        found = [
            _difference(name, wanted, job.kwargs[name]) if name in job.kwargs else f"{name}: was not given"
            for name, wanted in self.kwargs.items()
            if name not in job.kwargs or wanted != job.kwargs[name]
        ]
        options = ((name, wanted, getattr(job, name)) for name, wanted in self.options.items())
        return found + [_difference(name, wanted, was) for name, wanted, was in options if wanted != was]

    def __str__(self) -> str:
        """The name, and what was said of it."""
        said = _listed({**self.kwargs, **self.options})
        return self.job + (f" with {said}" if said else "")


def expected(job: AnyJob | str | Enqueue, given: Mapping[str, Any]) -> Expected:
    """What a test says that it expects.

    Args:
        job: as in `Enqueue`; or a whole `Enqueue`, of which all arguments, and those options that are set, count.
        given: arguments of the job, and options where no argument has their name.

    Raises:
        ArgumentsError: the job takes no argument of that name: a misspelt one would never be found.
    """
    if isinstance(job, Enqueue):
        options = {name: getattr(job, name) for name in OPTIONS if getattr(job, name) is not None}
        return _checked(job, dict(job.kwargs) | dict(given), options)
    message = Enqueue(job)
    taken = frozenset() if message.definition is None else message.definition.arguments.accepted
    options = {name: value for name, value in given.items() if name in OPTIONS and name not in taken}
    return _checked(message, {name: value for name, value in given.items() if name not in options}, options)


def _checked(message: Enqueue, kwargs: dict[str, Any], options: dict[str, Any]) -> Expected:
    definition = message.definition
    if definition is not None and not definition.arguments.takes_any:
        foreign = [name for name in kwargs if name not in definition.arguments.accepted]
        if foreign:
            named = ", ".join(map(repr, foreign))
            raise ArgumentsError(f"{definition.name} takes no {named}: {definition.shown_signature}")
    return Expected(message.name, kwargs, options)


def name_of(job: AnyJob | str) -> str:
    """Under which name its jobs are stored."""
    return job if isinstance(job, str) else define(job).name


def none_was(wanted: Expected, jobs: Sequence[Enqueued]) -> str:
    """Why a test fails that expects one, with what was enqueued instead: the most similar first."""
    alike = sorted((job for job in jobs if job.job == wanted.job), key=lambda job: len(wanted.differences(job)))
    lines = [f"expected to be enqueued, and was not: {wanted}"]
    if alike:
        lines.append(f"{wanted.job} was enqueued {_times(len(alike))}, the most similar first:")
    for job in alike[:MOST_SHOWN]:
        lines.append(f"  {job}")
        lines.extend(_indented(difference) for difference in wanted.differences(job))
    lines.extend([f"  ... and {len(alike) - MOST_SHOWN} more"] if len(alike) > MOST_SHOWN else [])
    return "\n".join([*lines, _others(wanted.job, jobs)])


def some_were(unwanted: Expected, found: Sequence[Enqueued]) -> str:
    """Why a test fails that expects none."""
    shown = [f"  {job}" for job in found[:MOST_SHOWN]]
    return "\n".join([f"expected not to be enqueued, and was {_times(len(found))}: {unwanted}", *shown])


def _others(name: str, jobs: Sequence[Enqueued]) -> str:
    others = Counter(job.job for job in jobs if job.job != name)
    if others:
        listed = ", ".join(f"{other} ({_times(count)})" for other, count in others.items())
        return f"other jobs that were enqueued: {listed}"
    return "no other jobs were enqueued" if any(job.job == name for job in jobs) else "nothing at all was enqueued"


def _difference(name: str, wanted: object, was: object) -> str:
    one, other = _pretty(wanted), _pretty(was)
    if len(one) == len(other) == 1:
        return f"{name}: expected {one[0]}, was {other[0]}"
    return "\n".join([f"{name}: expected (-), was (+):", *difflib.ndiff(one, other)])


def _pretty(value: object) -> list[str]:
    text = pformat(value)
    return (text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} ...").splitlines()


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={' '.join(_pretty(value))}" for name, value in values.items())


def _indented(text: str) -> str:
    return "\n".join(f"      {line}" for line in text.splitlines())


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
