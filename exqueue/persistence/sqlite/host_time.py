"""The times that decide something in a store that the processes of one host share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exqueue.clock import Clock

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

WALL = "wall"
"""What stands for a boot where the system has no name for it: leases then go by the wall clock."""


@dataclass(frozen=True, slots=True)
class HostTime:
    """The host's clocks.

    Args:
        clock: where both are read.
        boot: what names the present boot of the host; a time of another boot has passed.
    """

    clock: Clock
    boot: str

    def now(self) -> float:
        """Seconds since the Unix epoch: for what is due, and for people."""
        return self.clock.time()

    def lease_now(self) -> float:
        """Seconds on the clock of leases, which jumps with nobody's setting of the time."""
        return self.clock.time() if self.boot == WALL else self.clock.boottime()


def boot_id() -> str:
    """The name of this boot; `WALL` where there is none or no clock that goes with it."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return WALL
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip() or WALL
    except OSError:
        return WALL
