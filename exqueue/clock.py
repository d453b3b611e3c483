"""Time, as one object that a test or a simulation can replace."""

from __future__ import annotations

import time
from typing import Protocol

_LEASE_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """Three ways to tell the time, all in seconds."""

    def time(self) -> float:
        """Wall clock since the Unix epoch: for people and records, never for deadlines."""
        ...

    def monotonic(self) -> float:
        """Never goes back; may stand still while the machine sleeps: for time-outs and timers."""
        ...

    def boottime(self) -> float:
        """Never goes back and counts a suspended machine's sleep too: for leases, which end meanwhile elsewhere."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def time(self) -> float:
        """See `Clock.time`."""
        return time.time()

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    def boottime(self) -> float:
        """See `Clock.boottime`; the monotonic clock where the system has no boot-time clock."""
        return time.clock_gettime(_LEASE_CLOCK)
