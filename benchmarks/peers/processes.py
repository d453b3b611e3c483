"""Workers as processes, each in a session of its own, so that all of their children are found, counted and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.rig.procfs import TICKS_A_SECOND, UTIME, pss_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

STOP_WITHIN_S: Final = 1.0
POLL_S: Final = 0.02
CPU_FIELDS: Final = slice(UTIME, UTIME + 4)
"""Its own user and system time, and those of its children that have ended."""
SAID: Final = 200
"""So many characters of a worker's last line are shown."""


class NotMeasured(Exception):
    """A figure cannot be had; the message says why."""


def await_truth(happened: Callable[[], bool], within_s: float) -> bool:
    """Look until ``happened()`` is true; whether it was so in time."""
    deadline = time.monotonic() + within_s
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


class WorkerProcess:
    """A peer's worker, running.

    Args:
        command: how it is started.
        variables: its whole environment.
        folder: where it runs.
        log: the file for what it says.
    """

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], folder: Path, log: Path) -> None:
        self._log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                command,
                env=variables,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """The last line of its log."""
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1][-SAID:] if lines else "nothing"

    @property
    def has_ended(self) -> bool:
        """Whether its first process is gone."""
        return self._process.poll() is not None

    def cpu_s(self) -> float:
        """CPU seconds of all of its processes up to now, and of those of their children that have ended."""
        return sum(sum(map(int, stat[CPU_FIELDS])) for _, stat in self._members()) / TICKS_A_SECOND

    def pss_bytes(self) -> int:
        """Memory of all of its processes; what they share with others counts by its share."""
        return sum(pss_bytes(pid) for pid, stat in self._members() if stat[0] != "Z")

    def kill(self) -> None:
        """End all of its processes with SIGKILL, and wait for them."""
        while members := [pid for pid, stat in self._members() if stat[0] != "Z"]:
            for pid in members:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            self._process.poll()
            time.sleep(0)
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end, by SIGTERM; who has not ended in time is killed, since it is measured no more."""
        if not self.has_ended:
            self._process.terminate()
        await_truth(lambda: self.has_ended, STOP_WITHIN_S)
        self.kill()

    def _members(self) -> Iterator[tuple[int, list[str]]]:
        """The processes of its session, each with its fields of /proc/PID/stat from the state on."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    stat = (entry / "stat").read_text().rpartition(")")[2].split()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if int(stat[3]) == self._process.pid:
                    yield int(entry.name), stat
