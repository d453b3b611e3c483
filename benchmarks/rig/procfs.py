"""What the kernel knows of a process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
UTIME, STIME = 11, 12
"""Their places in /proc/PID/stat behind the name, which may hold spaces."""


def cpu_s(pid: int) -> float:
    """CPU seconds that the process has used, to the hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[UTIME]) + int(fields[STIME])) / TICKS_A_SECOND


def pss_bytes(pid: int) -> int:
    """Its memory; what it shares with other processes counts by its share."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
