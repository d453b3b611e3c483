"""Real programs: scripts written to a directory, run by this interpreter, ended within a deadline."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEADLINE_S = 30.0
"""After this long a program that has not ended hangs."""

ROOT = Path(__file__).parents[2]

# From Python 3.12 on each fork of a program with threads is warned of: it is what is tried here.
VARIABLES = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore:This process"}

PRELUDE = """
import logging, os, signal, sys, threading, time
from pathlib import Path
import exqueue
from exqueue import *
HERE = Path(__file__).parent
URL, NAMESPACE = os.environ["URL"], os.environ["NAMESPACE"]
def start(**options):
    return ExqueueSystem.start(URL, **{"namespace": NAMESPACE, "node": f"node-{os.getpid()}", **options})
def say(*what):
    os.write(1, (" ".join(map(str, what)) + "\\n").encode())
def note(what):
    with (HERE / "notes").open("a") as file:
        file.write(f"{what}\\n")
def wait(condition, seconds=15):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise SystemExit("not true in time")
        time.sleep(0.005)
class Note:
    def perform(self, *, text):
        note(text)
"""
"""What every script here begins with: a job that notes something, and what it takes to start a system and to tell."""


@dataclass(frozen=True)
class Ended:
    """How a program ended. ``exit_s``: seconds from the last thing that it said to its end."""

    code: int
    out: str
    err: str
    exit_s: float

    @property
    def lines(self) -> list[str]:
        """What it said."""
        return self.out.splitlines()


class Program:
    """One script, running as a process of its own; killed at the latest when the block ends.

    Args:
        folder: where its file and what it notes are kept.
        script: what follows `PRELUDE`.
        url: of its persistence.
        namespace: of its system.
        command: what runs the script; ``None``: this interpreter.
        variables: further ones of its environment.
    """

    def __init__(
        self,
        folder: Path,
        script: str,
        url: str,
        namespace: str,
        *,
        command: Sequence[str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        file = folder / "program.py"
        file.write_text(PRELUDE + textwrap.dedent(script))
        self._said: list[bytes] = []
        self._said_at = time.monotonic()
        with (folder / "err").open("wb") as err:
            self._process = subprocess.Popen(
                [*((sys.executable, str(file)) if command is None else command)],
                cwd=folder,
                env={**os.environ, **VARIABLES, "URL": url, "NAMESPACE": namespace, **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=err,
                # It does not get a Ctrl-C of the terminal.
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def notes(self) -> list[str]:
        """What its jobs have noted, in order."""
        file = self.folder / "notes"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def err(self) -> str:
        """What stands on its standard error by now."""
        return (self.folder / "err").read_text()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def await_line(self, beginning: str) -> str:
        """Wait until it says a line with this beginning; returns the rest of the line."""
        until = time.monotonic() + DEADLINE_S
        while True:
            for line in b"".join(self._said).decode().splitlines(keepends=True):
                if line.startswith(beginning) and line.endswith("\n"):
                    return line[len(beginning) :].strip()
            assert self._read(until), f"it did not say {beginning!r}; it said {self._said} and {self.err}"

    def end(self, within: float = DEADLINE_S) -> Ended:
        """Wait for its end."""
        until = time.monotonic() + within
        while self._read(until):
            pass
        try:
            code = self._process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGABRT)
            raise AssertionError(f"it hangs; it said {self._said} and {self.err}") from None
        exit_s = time.monotonic() - self._said_at
        return Ended(code, b"".join(self._said).decode(), self.err, exit_s)

    def _read(self, until: float) -> bool:
        """Read what it says next; ``False`` when it has closed its output or says nothing in time."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(max(0.0, until - time.monotonic())):
                return False
        said = os.read(self._process.stdout.fileno(), 65536)
        if said:
            self._said.append(said)
            self._said_at = time.monotonic()
        return bool(said)
