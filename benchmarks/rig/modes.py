"""The two ways in which server and Python share this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mode:
    """Which CPU the server has, and which one all Python programs have together."""

    name: str
    server_cpu: int
    python_cpu: int


def modes() -> tuple[Mode, ...]:
    """Those that this process is allowed CPUs for.

    A: a CPU for each; they work at the same time, and wake each other across CPUs. B: one CPU for both, nearest to a
    machine whose CPUs wake each other fast. B is the last one, and on a single CPU the only one.
    """
    first, *others = sorted(os.sched_getaffinity(0))
    apart = tuple(Mode("A", server_cpu=other, python_cpu=first) for other in others[:1])
    return (*apart, Mode("B", server_cpu=first, python_cpu=first))


def pin(pid: int, cpu: int) -> None:
    """Let all threads of a process run on this CPU only; one that has just ended is passed over."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            os.sched_setaffinity(int(task.name), {cpu})
        except ProcessLookupError:
            continue
