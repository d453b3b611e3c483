"""Programs of `benchmarks.tasks` as processes of their own, each on the CPU that the mode gives to Python."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from benchmarks.rig.records import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
STOP_WITHIN_S = 40.0
POLL_S = 0.01


class ProgramFailed(Exception):
    """A program ended before it had done its part; the message holds what it said."""


class Program:
    """A running task. It answers in lines of JSON, and takes a line for each further answer if it is of that kind.

    Args:
        task: the name of a function in `benchmarks.tasks`.
        arguments: its keyword arguments.
        cpu: where it runs.
        records: the file in which its jobs leave their records.
    """

    def __init__(self, task: str, arguments: dict[str, Any], cpu: int, records: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.tasks", str(cpu), task, json.dumps(arguments)],
            cwd=ROOT,
            env=os.environ | {VARIABLE: str(records), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise ProgramFailed("it has no pipes")
        self._orders, self._lines = self._process.stdin, self._process.stdout
        self._task = task

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def answer(self) -> Any:
        """Wait for its next line.

        Raises:
            ProgramFailed: it ended instead.
        """
        line = self._lines.readline()
        if not line:
            raise ProgramFailed(f"{self._task} ended with {self._process.wait()}; it said why on standard error")
        return json.loads(line)

    def ask(self) -> Any:
        """Have it do its task once more."""
        self._orders.write("\n")
        self._orders.flush()
        return self.answer()

    def await_truth(self, happened: Callable[[], bool], within_s: float) -> None:
        """Look until ``happened()`` is true.

        Raises:
            ProgramFailed: it is not within so many seconds, or the program ended.
        """
        deadline = time.monotonic() + within_s
        while not happened():
            if self._process.poll() is not None:
                raise ProgramFailed(f"{self._task} ended with {self._process.returncode}")
            if time.monotonic() > deadline:
                raise ProgramFailed(f"{self._task} was not done within {within_s:g} s")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """End it by SIGTERM, and by SIGKILL if that does not help."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextlib.contextmanager
def worker(arguments: dict[str, Any], cpu: int, records: Path) -> Iterator[Program]:
    """A node that works its queues until the block ends, given when it has started them."""
    with Program("work", arguments, cpu, records) as program:
        program.answer()
        yield program


def result_of(task: str, arguments: dict[str, Any], cpu: int, records: Path) -> Any:
    """Run a task to its end; its one answer."""
    with Program(task, arguments, cpu, records) as program:
        return program.answer()
