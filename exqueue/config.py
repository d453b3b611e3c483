"""What may be set: the rules for names, the options of a job and of a system. Each refuses what it does not allow."""

from __future__ import annotations

import difflib
import functools
import inspect
import os
import re
import reprlib
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal, TypedDict, TypeGuard

from exqueue.errors import ConfigError, NotSupportedYet

DEFAULT_URL = "sqlite:///exqueue.db"
"""Where jobs are kept when neither a URL nor ``$EXQUEUE_URL`` says so: a file in the present directory."""

MAX_NAME = 128
"""The most characters of the name of a job, a queue or a node."""

MAX_NAMESPACE = 64
"""The most characters of a namespace."""

MAX_CONCURRENCY = 1_000
"""The most workers of one queue."""

MIN_RECOVERIES, MAX_RECOVERIES = 3, 100
"""The bounds of ``max_recoveries``: below three an innocent job could be buried for another one's poison."""

MAX_BACKOFF_S = 365 * 86_400.0
"""The longest delay before a retry: one year."""

MAX_TIMEOUT_S = 365 * 86_400.0
"""The longest time-out of a system or of one call: one year."""

MAX_PAYLOAD = 512 * 1024 * 1024
"""The most bytes that ``max_payload`` may allow: the longest string that Redis keeps."""

MAX_ABANDONED = 10_000
"""The most threads that ``max_abandoned`` may allow."""

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")

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


def shown(value: object) -> str:
    """Show a setting and its type in an error message, shortened. Not for the arguments of jobs."""
    return f"{reprlib.repr(value)} ({type(value).__name__})"


def check_name(name: object, what: str, *, longest: int = MAX_NAME, hint: str = "") -> str:
    """Return ``name`` when it is ``[A-Za-z0-9_.-]`` and 1 to ``longest`` characters long.

    Args:
        name: what was given.
        what: what it names, for the message: ``"queue"``.
        longest: the most characters.
        hint: what to do about it, added to the message.

    Raises:
        ConfigError: it is not a string, or not such a name.
    """
    if isinstance(name, str) and len(name) <= longest and _NAME.fullmatch(name):
        return name
    raise ConfigError(
        f"{what} must be 1 to {longest} characters out of letters A-Z a-z, digits, '_', '.' and '-', "
        f"not {shown(name)}{hint and '; '}{hint}"
    )


def check_int(value: object, what: str, lowest: int, highest: int | None = None) -> int:
    """Return ``value`` when it is a whole number (no bool, no float) from ``lowest`` to ``highest``.

    Raises:
        ConfigError: it is not.
    """
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and lowest <= value
        and (highest is None or value <= highest)
    ):
        return value
    allowed = f"of at least {lowest}" if highest is None else f"from {lowest} to {highest}"
    raise ConfigError(f"{what} must be a whole number {allowed}, not {shown(value)}")


def is_seconds(value: object, highest: float) -> TypeGuard[float]:
    """Whether ``value`` is a number of seconds from 0 to ``highest``: int or float, no bool, not NaN, not endless."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= highest


def is_async(function: object) -> bool:
    """Whether calling it gives a coroutine: an ``async def``, a part of one, or an object whose ``__call__`` is one."""
    while isinstance(function, functools.partial):
        function = function.func
    called = type(function).__call__ if callable(function) else None
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


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


def new_node_name() -> str:
    """Return a name for this run of this process, ``<hostname>-<pid>-<random>``; never the same one again.

    A node that comes back under its old name could not be told from the one that died.
    """
    tail = f"-{os.getpid()}-{secrets.token_hex(4)}"
    host = _NOT_IN_A_NAME.sub("-", socket.gethostname()) or "node"
    return host[: MAX_NAME - len(tail)] + tail


@dataclass(frozen=True, slots=True)
class SystemConfig:
    """The settings of one system; times in seconds.

    Args:
        url: of the persistence.
        namespace: separates systems that share a persistence; a name of 1 to `MAX_NAMESPACE` characters.
        node: this process, for people; a name. Left out (or ``None``), a new one, see `new_node_name`.
        lock_ttl: after how long without a sign of life another node may lead; more than 0.
        shutdown_timeout: how long running jobs may go on when the system stops; 0 or more.
        ask_timeout: how long ``ask`` waits unless told otherwise; more than 0.
        max_payload: bytes of one stored job, 1 to `MAX_PAYLOAD`.
        max_abandoned: abandoned threads of one queue past which it stops fetching, 0 to `MAX_ABANDONED`.

    Raises:
        ConfigError: a value is not allowed. No time may pass `MAX_TIMEOUT_S`.
    """

    url: str
    namespace: str = field(default="default", kw_only=True)
    node: str = field(default_factory=new_node_name, kw_only=True)
    lock_ttl: float = field(default=10.0, kw_only=True)
    shutdown_timeout: float = field(default=25.0, kw_only=True)
    ask_timeout: float = field(default=10.0, kw_only=True)
    max_payload: int = field(default=1_048_576, kw_only=True)
    max_abandoned: int = field(default=10, kw_only=True)

    def __post_init__(self) -> None:
        _check_url(self.url)
        check_name(self.namespace, "namespace", longest=MAX_NAMESPACE)
        object.__setattr__(self, "node", _checked_node(self.node))
        check_timeout(self.lock_ttl, "lock_ttl", zero=False)
        check_timeout(self.shutdown_timeout, "shutdown_timeout", zero=True)
        check_timeout(self.ask_timeout, "ask_timeout", zero=False)
        check_int(self.max_payload, "max_payload", 1, MAX_PAYLOAD)
        check_int(self.max_abandoned, "max_abandoned", 0, MAX_ABANDONED)


def url_of_environment() -> str:
    """Return ``$EXQUEUE_URL``, and without that `DEFAULT_URL`.

    Raises:
        ConfigError: it is set and empty.
    """
    url = os.environ.get("EXQUEUE_URL", DEFAULT_URL)
    if not url.strip():
        raise ConfigError(f"$EXQUEUE_URL is empty: unset it, which means {DEFAULT_URL}, or set it to a URL")
    return url


def _check_url(url: object) -> None:
    if not isinstance(url, str):
        raise ConfigError(f"url must be a text such as redis://localhost:6379/0, not {shown(url)}")
    if not url.strip():
        raise ConfigError("url must be a text such as redis://localhost:6379/0, not an empty one")


def _checked_node(node: object) -> str:
    return new_node_name() if node is None else check_name(node, "node")


def check_report(report: object) -> None:
    """Refuse what can't be called with a death.

    Raises:
        ConfigError: it can't be called, or is an ``async def``, which nobody would await.
    """
    if report is not None and not callable(report):
        raise ConfigError(f"report is a callable that takes a JobDied, got {shown(report)}")
    if is_async(report):
        raise ConfigError("report is called in a thread of its own: give a plain function, not an async one")


def check_timeout(value: object, what: str, *, zero: bool) -> float:
    """Return ``value`` when it is a time-out of at most `MAX_TIMEOUT_S` seconds, of 0 only where ``zero`` allows it.

    Raises:
        ConfigError: it is not.
    """
    if is_seconds(value, MAX_TIMEOUT_S) and (zero or value):
        return value
    lowest = "0" if zero else "more than 0"
    raise ConfigError(f"{what} must be seconds, {lowest} to {MAX_TIMEOUT_S:.0f}, not {shown(value)}")


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
