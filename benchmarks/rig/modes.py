"""The two ways in which server and Python share this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Mode:
    """Which CPU the server has, and which one all Python programs have together."""

    name: str
    server_cpu: int
    python_cpu: int


A: Final = Mode("A", server_cpu=1, python_cpu=0)
"""A CPU for each: they work at the same time, and wake each other across CPUs."""

B: Final = Mode("B", server_cpu=0, python_cpu=0)
"""One CPU for both: nearest to a machine whose CPUs wake each other fast."""

MODES: Final = (A, B)


def pin(pid: int, cpu: int) -> None:
    """Let all threads of a process run on this CPU only; one that has just ended is passed over."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            os.sched_setaffinity(int(task.name), {cpu})
        except ProcessLookupError:
            continue
