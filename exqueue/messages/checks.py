"""What the messages refuse when they are built, each refusal saying what was given and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, get_args

from exqueue.checks import check_name, is_seconds, shown
from exqueue.errors import ConfigError
from exqueue.persistence.values import MAX_BATCH, State

if TYPE_CHECKING:
    from exqueue.job import JobDefinition

MAX_DELAY_S: Final = 100 * 365 * 86_400.0
"""The longest delay of a new job: a hundred years."""

MAX_OFFSET: Final = 10**12
"""The highest offset of a list."""

STATES: Final[tuple[State, ...]] = get_args(State)
"""The states that a stored job can be in."""


def check_queue(queue: str | None) -> None:
    """Refuse what is neither ``None`` nor the name of a queue.

    Raises:
        ConfigError: see `exqueue.checks.check_name`.
    """
    if queue is not None:
        check_name(queue, "queue")


def queue_of_name(name: str, queue: str | None) -> str:
    """Return the queue of a job given by its name: the one asked for, else the one of that name.

    Raises:
        ConfigError: either is no name.
    """
    check_name(name, "the name of a job")
    return name if queue is None else check_name(queue, "queue")


def queue_of_class(definition: JobDefinition, queue: str) -> str:
    """Return the queue of a class, which ``queue`` may name once more, but not change.

    Raises:
        ConfigError: it is another one.
    """
    if queue != definition.queue:
        raise ConfigError(
            f"{definition.name} has the queue {definition.queue!r}, not {shown(queue)}: set queue on the class; "
            "queue= is for jobs given by their name"
        )
    return queue


def check_due(delay: float | None, at: datetime | None) -> None:
    """Refuse a delay or a time at which no job could be run, and both together.

    Raises:
        ConfigError: the value is not allowed.
        TypeError: ``delay`` is no number, or ``at`` no datetime.
    """
    if delay is not None and at is not None:
        raise ConfigError("give either delay or at, not both")
    if at is None:
        _check_delay(delay)
    else:
        _check_at(at)


def plain_kwargs(kwargs: object) -> dict[str, object]:
    """Return a mapping of another class as a plain dict.

    Raises:
        TypeError: it is no mapping.
    """
    if not isinstance(kwargs, Mapping):
        raise TypeError(f"kwargs must be a mapping of argument names to values, not {type(kwargs).__name__}")
    return dict(kwargs)


def check_page(state: object, limit: object, offset: object) -> None:
    """Refuse a state that no job can be in, and a piece of a list that can't be had.

    Raises:
        ConfigError: the value is not allowed.
        TypeError: a number is no int.
    """
    if state not in STATES:
        raise ConfigError(f"state must be one of {', '.join(STATES)}, not {shown(state)}")
    _check_whole(limit, "limit", 1, MAX_BATCH)
    _check_whole(offset, "offset", 0, MAX_OFFSET)


def _check_whole(value: object, what: str, lowest: int, highest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{what} must be a whole number from {lowest} to {highest}, not {shown(value)}")
    if not lowest <= value <= highest:
        raise ConfigError(f"{what} must be from {lowest} to {highest}, not {value}")


def _check_delay(delay: object) -> None:
    if is_seconds(delay, MAX_DELAY_S):
        return
    allowed = f"delay must be seconds, 0 to {MAX_DELAY_S:.0f}"
    if isinstance(delay, timedelta):
        raise TypeError(f"{allowed}, not a timedelta: give delay.total_seconds()")
    if isinstance(delay, bool) or not isinstance(delay, int | float):
        raise TypeError(f"{allowed}, not {shown(delay)}")
    raise ConfigError(f"{allowed}, not {delay}")


def _check_at(at: object) -> None:
    if not isinstance(at, datetime):
        raise TypeError(f"at must be a timezone-aware datetime, not {shown(at)}")
    if at.utcoffset() is None:
        raise ConfigError(f"at must be timezone-aware, as in datetime.now(tz=UTC), not {at.isoformat()} without one")
