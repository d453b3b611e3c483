"""Time that stands still until a test moves it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from exqueue.checks import is_seconds, shown
from exqueue.errors import ConfigError

MAX_ADVANCE_S = 100 * 365 * 86_400.0
"""The most seconds of one `VirtualClock.advance`: a hundred years."""


class VirtualClock:
    """The clock of a system on the bench, see `exqueue.clock.Clock`. It begins at the time of the machine.

    Only the system goes by it: ``time.time()`` in the code of a job goes on as ever.
    """

    def __init__(self) -> None:
        self._began_at = self._now = time.time()

    def time(self) -> float:
        """Seconds since the Unix epoch."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since this clock began."""
        return self._now - self._began_at

    def boottime(self) -> float:
        """Seconds since this clock began: the machine never sleeps."""
        return self._now - self._began_at

    def now(self) -> datetime:
        """The time of this clock, in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def advance(self, seconds: float | timedelta) -> None:
        """Let so much time pass at once.

        Args:
            seconds: 0 to `MAX_ADVANCE_S`, or as a ``timedelta``.

        Raises:
            ConfigError: it is no such time.
        """
        if isinstance(seconds, timedelta):
            seconds = seconds.total_seconds()
        if not is_seconds(seconds, MAX_ADVANCE_S):
            raise ConfigError(f"a clock is advanced by 0 to {MAX_ADVANCE_S:.0f} seconds, not {shown(seconds)}")
        self._now += seconds

    def advance_to(self, at: float) -> None:
        """Let time pass until ``at``, in seconds since the Unix epoch; one that is past changes nothing."""
        self._now = max(self._now, at)
