"""What was enqueued in a test, and how it differs from what was expected."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from exqueue.errors import ArgumentsError
from exqueue.job import define

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from exqueue.job import AnyJob

WITHIN_S: Final = 1.0
"""How far ``delay`` and ``at`` may be off: a program looks at its own clock a little earlier."""

MOST_SHOWN: Final = 10
"""How many jobs a message shows."""

_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A job that was enqueued.

    Args:
        id: of the job.
        job: the name of its class.
        queue: in which it waits.
        kwargs: as ``perform`` gets them, through the codec.
        enqueued_at: seconds since the Unix epoch.
        due_at: likewise; ``None`` for a job to run at once.
    """

    id: str
    job: str
    queue: str
    kwargs: Mapping[str, Any]
    enqueued_at: float
    due_at: float | None = None

    @property
    def delay(self) -> float:
        """Seconds from its enqueueing until it is due."""
        return 0.0 if self.due_at is None else max(0.0, self.due_at - self.enqueued_at)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a test looks for. ``None`` is anything; of ``kwargs`` only what is given is compared."""

    job: str
    kwargs: Mapping[str, object] = field(default_factory=dict)
    delay: float | None = None
    at: datetime | None = None
    id: str | None = None

    def differences(self, one: Enqueued) -> list[str]:
        """In what a job of this class is another one, a phrase each; empty when it is the wanted one."""
        found = []
        for name, wanted in self.kwargs.items():
            given = one.kwargs.get(name, _MISSING)
            if given is _MISSING:
                found.append(f"{name} is missing, wanted was {_shown(wanted)}")
            elif not bool(wanted == given):
                found.append(f"{name}={_shown(given)}, wanted was {_shown(wanted)}")
        if self.delay is not None and abs(one.delay - self.delay) > WITHIN_S:
            found.append(f"delay={one.delay:.10g}, wanted was {self.delay:.10g}")
        due_at = one.enqueued_at if one.due_at is None else one.due_at
        if self.at is not None and abs(due_at - self.at.timestamp()) > WITHIN_S:
            found.append(f"due {due_at - self.at.timestamp():+.1f} s from the time that was wanted, {self.at}")
        if self.id is not None and one.id != self.id:
            found.append(f"id={one.id!r}, wanted was {self.id!r}")
        return found

    def fits(self, one: Enqueued) -> bool:
        """Whether this is it."""
        return one.job == self.job and not self.differences(one)

    def __str__(self) -> str:
        """The job with what is wanted of it, as it would be called."""
        options = {"delay": self.delay, "at": self.at, "id": self.id}
        wanted = {**self.kwargs, **{name: value for name, value in options.items() if value is not None}}
        return f"{self.job}({', '.join(f'{name}={_shown(value)}' for name, value in wanted.items())})"

    def not_found_in(self, jobs: Sequence[Enqueued], what: str = "enqueued") -> str:
        """Why it is not there: in what those of its class differ, the nearest first, and which others there are."""
        same = sorted((one for one in jobs if one.job == self.job), key=lambda one: len(self.differences(one)))
        lines = [f"no {self} is {what}"]
        lines += [f"  {one.id}: {'; '.join(self.differences(one))}" for one in same[:MOST_SHOWN]]
        if len(same) > MOST_SHOWN:
            lines.append(f"  and {len(same) - MOST_SHOWN} more of {self.job}")
        others = sorted({one.job for one in jobs if one.job != self.job})
        if not same:
            lines.append(f"  no {self.job} is; {what} are: {', '.join(others) or 'none'}")
        return "\n".join(lines)


def wanted_of(
    job: AnyJob | str,
    mapping: Mapping[str, object] | None,
    named: Mapping[str, object],
    **options: Any,
) -> Wanted:
    """What a test looks for, refused where it could never be found: `refute_enqueued` would hold for ever.

    Raises:
        ArgumentsError: ``perform`` takes no argument of that name, or takes one that is named as an option.
    """
    kwargs = {**(mapping or {}), **named}
    if isinstance(job, str):
        return Wanted(job, kwargs, **options)
    definition = define(job)
    arguments = definition.arguments
    unknown = [] if arguments.takes_any else [name for name in kwargs if name not in arguments.accepted]
    if unknown:
        raise ArgumentsError(f"{definition.name} takes no {unknown[0]!r}: {definition.shown_signature}")
    clash = [name for name in ("delay", "at", "id") if name in arguments.accepted and options.get(name) is not None]
    if clash and mapping is None:
        raise ArgumentsError(
            f"{definition.name} itself takes {clash[0]!r}: give its arguments as a mapping, {{{clash[0]!r}: ...}}"
        )
    return Wanted(definition.name, kwargs, **options)


def _shown(value: object) -> str:
    shortened = reprlib.Repr()
    shortened.maxstring = shortened.maxother = 200
    return shortened.repr(value)
