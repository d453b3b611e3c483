"""The options of a job class: which there are, what each may be, and how `StartWorker` overrides them."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, TypedDict

from exqueue.checks import check_int, is_async, is_seconds, shown
from exqueue.errors import ConfigError, NotSupportedYet

MAX_CONCURRENCY = 1_000
"""The most workers of one queue."""

MIN_RECOVERIES, MAX_RECOVERIES = 3, 100
"""The bounds of ``max_recoveries``: below three an innocent job could be buried for another one's poison."""

MAX_BACKOFF_S = 365 * 86_400.0
"""The longest delay before a retry: one year."""

Backoff = float | Sequence[float] | Callable[[int], float]
"""Seconds before each retry; or one entry a retry, the last one repeated; or ``f(failure_number) -> seconds``."""


class RunOptions(TypedDict, total=False):
    """How a job is run: set on the class or decorator, and overridden in `StartWorker`. See `JobOptions`."""

    concurrency: int
    serial: bool
    max_retries: int
    backoff: Backoff | None
    max_recoveries: int
    isolation: Literal["thread"]


class DefineOptions(RunOptions, total=False):
    """What may be set on a job class or in ``@job(...)``."""

    name: str
    queue: str
    aliases: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """How the jobs of a class are run.

    Args:
        concurrency: workers of the queue, 1 to `MAX_CONCURRENCY`.
        serial: whether each job starts only after the one before has succeeded; one at a time, whatever
            ``concurrency`` says.
        max_retries: how often a job that failed is tried again before it is dead, at least 0.
        backoff: see `Backoff`, each delay 0 to `MAX_BACKOFF_S` seconds; ``None``: see `exqueue.retry.default_delay`.
        max_recoveries: how often a job may be lost with its node before it counts as poison, `MIN_RECOVERIES` to
            `MAX_RECOVERIES`.

    Raises:
        ConfigError: a value is not allowed.
    """

    concurrency: int = 1
    serial: bool = False
    max_retries: int = 25
    backoff: Backoff | None = None
    max_recoveries: int = 3

    def __post_init__(self) -> None:
        check_int(self.concurrency, "concurrency", 1, MAX_CONCURRENCY)
        if not isinstance(self.serial, bool):
            raise ConfigError(f"serial must be True or False, not {shown(self.serial)}")
        check_int(self.max_retries, "max_retries", 0)
        check_int(self.max_recoveries, "max_recoveries", MIN_RECOVERIES, MAX_RECOVERIES)
        # A list that its owner changes later must not change how jobs are retried.
        object.__setattr__(self, "backoff", _checked_backoff(self.backoff))


RUN_OPTIONS: Final = tuple(one.name for one in fields(JobOptions))
"""The names of the options of how a job is run, all of which `StartWorker` may override."""

DEFINE_ONLY: Final = ("name", "queue", "aliases")
"""What is set on the class or decorator only: the process that enqueues never sees `StartWorker`."""

_NOT_YET: Final = ("timeout", "slow_after")


def with_options(base: JobOptions, given: Mapping[str, object]) -> JobOptions:
    """Return ``base`` with the options that are ``given``.

    Raises:
        NotSupportedYet: an option of the design that this version does not have.
        ConfigError: an unknown option, one that belongs to the class or decorator, or a value that is not allowed.
    """
    chosen: dict[str, Any] = {}
    for option, value in given.items():
        if option in RUN_OPTIONS:
            chosen[option] = value
        elif option == "isolation":
            _check_isolation(value)
        elif option in _NOT_YET:
            if value is not None:
                raise NotSupportedYet(f"{option}= is not supported yet; leave it out, or give None")
        elif option in DEFINE_ONLY:
            raise ConfigError(
                f"{option}= is set on the job class or in @exqueue.job(...) only: "
                "whoever enqueues the job has to find it there"
            )
        else:
            raise _unknown_option(option, (*RUN_OPTIONS, "isolation"))
    return replace(base, **chosen) if chosen else base


def check_known_options(given: Mapping[str, object]) -> None:
    """Refuse what is an option neither of the definition nor of how a job is run.

    Raises:
        ConfigError: names the unknown option and the nearest known one.
    """
    known = (*DEFINE_ONLY, *RUN_OPTIONS, "isolation")
    for option in given:
        if option not in known and option not in _NOT_YET:
            raise _unknown_option(option, known)


def option_names() -> tuple[str, ...]:
    """Every option of how a job is run that may stand on a class, those that are not supported yet included."""
    return (*RUN_OPTIONS, "isolation", *_NOT_YET)


def _check_isolation(value: object) -> None:
    if value == "thread":
        return
    if value == "process":
        raise NotSupportedYet('isolation="process" is not supported yet; leave it out, or give "thread"')
    raise NotSupportedYet(f'isolation must be "thread" (nothing else is supported yet), not {shown(value)}')


def _checked_backoff(backoff: object) -> Backoff | None:
    """Return what was given, a sequence as a tuple."""
    if backoff is None or is_seconds(backoff, MAX_BACKOFF_S):
        return backoff
    if callable(backoff):
        _check_backoff_function(backoff)
        return backoff
    if isinstance(backoff, Sequence) and not isinstance(backoff, str | bytes | bytearray) and backoff:
        for position, seconds in enumerate(backoff):
            if not is_seconds(seconds, MAX_BACKOFF_S):
                raise ConfigError(
                    f"backoff[{position}] must be seconds, 0 to {MAX_BACKOFF_S:.0f}, not {shown(seconds)}"
                )
        return tuple(backoff)
    raise ConfigError(
        f"backoff must be seconds (0 to {MAX_BACKOFF_S:.0f}), a sequence of such with at least one entry, "
        f"or f(failure_number) -> seconds, not {shown(backoff)}"
    )


def _check_backoff_function(backoff: Callable[..., object]) -> None:
    if is_async(backoff):
        raise ConfigError("backoff must be a plain function f(failure_number) -> seconds, not an async one")
    try:
        signature = inspect.signature(backoff)
    except (TypeError, ValueError):
        return  # a built-in without a signature: the first retry tells
    try:
        signature.bind(1)
    except TypeError as error:
        raise ConfigError(
            f"backoff must take one argument, f(failure_number) -> seconds; this one takes {signature} "
            "(on a class it must be a @staticmethod)"
        ) from error


def _unknown_option(option: str, known: Sequence[str]) -> ConfigError:
    near = difflib.get_close_matches(option, known, n=1)
    meant = f"did you mean {near[0]}=? " if near else ""
    return ConfigError(f"there is no option {option}=; {meant}known are {', '.join(known)}")
