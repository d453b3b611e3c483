"""What a supervisor knows of a child before it exists, and how it restarts what fails. Values only."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from exqueue.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exqueue.supervision.actor import Actor

START_TIMEOUT_S = 30.0
"""How long a supervisor waits for a child's ``on_start``, which must not do anything slow."""


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
        shutdown_s: how long a stop may take before its thread is abandoned; ``math.inf`` for supervisors.
        backoff: for a child whose failures must never take its supervisor down.
    """

    id: str
    actor: type[Actor]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    restart: Restart = Restart.PERMANENT
    shutdown_s: float = 5.0
    backoff: Backoff | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be supervised.

        Raises:
            ConfigError: the id is empty or has a ``/``, ``shutdown_s`` is negative or no number.
        """
        if not self.id or "/" in self.id:
            message = f"a child's id is a non-empty text without '/', got {self.id!r}"
            raise ConfigError(message)
        if not self.shutdown_s >= 0:
            message = f"shutdown_s is a number of seconds from 0, or math.inf, got {self.shutdown_s!r}"
            raise ConfigError(message)
