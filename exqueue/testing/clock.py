"""The clock of a test: the machine's, and ahead of it by what the test lets pass."""

from __future__ import annotations

from datetime import UTC, datetime

from exqueue.checks import is_seconds, shown
from exqueue.clock import Clock, SystemClock
from exqueue.errors import ConfigError

MOST_ADVANCED_S = 100 * 366 * 86_400.0
"""The most that one `MovableClock.advance` may let pass: a century."""


class MovableClock:
    """See `exqueue.clock.Clock`. It goes on by itself, so that times which a program took from the machine's fit it.

    A library that freezes or moves the time of the machine (``time.time``) freezes or moves this one too.

    Args:
        right: what it goes by.

    Attributes:
        ahead_s: seconds by which it is ahead.
    """

    def __init__(self, right: Clock | None = None) -> None:
        self._right: Clock = SystemClock() if right is None else right
        self.ahead_s = 0.0

    def time(self) -> float:
        """See `Clock.time`."""
        return self._right.time() + self.ahead_s

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return self._right.monotonic() + self.ahead_s

    def boottime(self) -> float:
        """See `Clock.boottime`."""
        return self._right.boottime() + self.ahead_s

    def now(self) -> datetime:
        """The present by this clock, in UTC: for ``at=``."""
        return datetime.fromtimestamp(self.time(), UTC)

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass at once, 0 to `MOST_ADVANCED_S`. Runs nothing.

        Raises:
            ConfigError: it is no such number.
        """
        check_advance(seconds)
        self.ahead_s += seconds


def check_advance(seconds: object) -> None:
    """Refuse what no time can be advanced by.

    Raises:
        ConfigError: it is no number from 0 to `MOST_ADVANCED_S`.
    """
    if not is_seconds(seconds, MOST_ADVANCED_S):
        raise ConfigError(f"time passes forwards: seconds are 0 to {MOST_ADVANCED_S:.0f}, not {shown(seconds)}")
