"""What a supervisor knows of a child before it exists, and how it restarts what fails. Values only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from exqueue.errors import ConfigError
from exqueue.supervision.actor import Actor

START_TIMEOUT_S = 30.0
"""How long a supervisor waits for a child's ``on_start``, which must not do anything slow."""

WORKER_SHUTDOWN_S = 5.0
"""How long the stop of a child may take that is no supervisor, unless its spec says otherwise."""


class Restart(Enum):
    """When a child that ended is started again."""

    PERMANENT = "permanent"
    """Always."""
    TRANSIENT = "transient"
    """Only after an abnormal exit."""
    TEMPORARY = "temporary"
    """Never; it is forgotten when it ends."""


class Strategy(Enum):
    """Which siblings are restarted with a child that failed."""

    ONE_FOR_ONE = "one_for_one"
    """None."""
    ONE_FOR_ALL = "one_for_all"
    """All."""
    REST_FOR_ONE = "rest_for_one"
    """Those that were started after it."""


@dataclass(frozen=True, slots=True)
class Intensity:
    """At most ``restarts`` in any ``period_s`` seconds; one more and the supervisor gives up."""

    restarts: int = 1
    period_s: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what OTP refuses.

        Raises:
            ConfigError: ``restarts`` is no whole number from 0, or ``period_s`` is not above 0 and finite.
        """
        if type(self.restarts) is not int or self.restarts < 0:
            message = f"restarts is a whole number from 0, got {self.restarts!r}"
            raise ConfigError(message)
        if not 0 < self.period_s < math.inf:
            message = f"period_s is a number of seconds above 0, got {self.period_s!r}"
            raise ConfigError(message)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Restart a child that gave up after ``first_s`` seconds, then twice as long, up to ``cap_s``; never escalate.

    After ``cap_s`` seconds of life the next delay is ``first_s`` again.
    """

    first_s: float = 1.0
    cap_s: float = 60.0

    def delay_s(self, attempt: int) -> float:
        """Seconds before restart number ``attempt`` (from 0)."""
        return float(min(self.cap_s, self.first_s * 2.0 ** min(attempt, 60)))


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How to start, restart and stop one child.

    Args:
        id: unique under its supervisor; the last part of the child's path.
        actor: its class.
        kwargs: passed to the class besides the context; values that may be shared, never another actor.
        restart: when it is started again.
        shutdown_s: how long a stop may take before its thread is abandoned; ``None``: `WORKER_SHUTDOWN_S`, or for a
            supervisor as long as its children need, ``math.inf``, which is all that a supervisor may be given.
        backoff: for a child whose failures must never take its supervisor down.
    """

    id: str
    actor: type[Actor]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    restart: Restart = Restart.PERMANENT
    shutdown_s: float | None = None
    backoff: Backoff | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be supervised.

        Raises:
            ConfigError: a field is not what it may be; the message names it.
        """
        for name, wanted, what in _FIELDS:
            given: object = getattr(self, name)
            if not isinstance(given, wanted):
                raise ConfigError(f"child {self.id}: {name} is {what}, got {given!r}")
        if not self.id or "/" in self.id:
            raise ConfigError(f"a child's id is a non-empty text without '/', got {self.id!r}")
        if not issubclass(self.actor, Actor):
            raise ConfigError(f"child {self.id}: actor is a subclass of Actor, got {self.actor!r}")
        if self.shutdown_s is None:
            return
        if not self.shutdown_s >= 0:
            message = f"child {self.id}: shutdown_s is a number of seconds from 0, or math.inf, got {self.shutdown_s!r}"
            raise ConfigError(message)
        if self.actor.is_supervisor and self.shutdown_s != math.inf:
            message = f"child {self.id}: shutdown_s of a supervisor is math.inf, else it could be given up before its "
            raise ConfigError(message + f"children are stopped, got {self.shutdown_s!r}")

    @property
    def patience_s(self) -> float:
        """How long its stop may take: `shutdown_s`, or what that stands for."""
        if self.shutdown_s is not None:
            return self.shutdown_s
        return math.inf if self.actor.is_supervisor else WORKER_SHUTDOWN_S


_FIELDS: Final[tuple[tuple[str, Any, str], ...]] = (
    ("id", str, "a text"),
    ("actor", type, "a subclass of Actor"),
    ("kwargs", Mapping, "a mapping"),
    ("restart", Restart, "a member of Restart"),
    ("shutdown_s", float | int | None, "a number of seconds"),
    ("backoff", Backoff | None, "a Backoff or None"),
)


def checked_children(specs: Sequence[object]) -> tuple[ChildSpec, ...]:
    """The specs of one supervisor's static children, in their order.

    Raises:
        ConfigError: one is no spec, or two have the same id.
    """
    checked: dict[str, ChildSpec] = {}
    for spec in specs:
        if not isinstance(spec, ChildSpec):
            raise ConfigError(f"children are ChildSpecs, got one {type(spec).__name__}")
        if spec.id in checked:
            raise ConfigError(f"two children have the id {spec.id!r}: each is unique under its supervisor")
        checked[spec.id] = spec
    return tuple(checked.values())
