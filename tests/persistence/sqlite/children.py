"""Real processes beside the test: each runs a program on the same file and talks to the test line by line."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROLOGUE = """
import os, signal, sys, time
from exqueue.persistence.sqlite import open_sqlite
from exqueue.persistence.values import *
from tests.persistence.conformance.play import Client, Owner, done
path = sys.argv[1]
store = open_sqlite("sqlite:///" + path, "default")
session = store.session(timeout=10.0)
def say(*words):
    print(*words, flush=True)
"""
ROOT = Path(__file__).parents[3]
END_WITHIN_S = 60


class Child:
    """A process that runs ``PROLOGUE`` and then a program; its standard input is a pipe, and so is its output."""

    def __init__(self, program: str, path: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROLOGUE + program, str(path), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.pid = self._process.pid

    def heard(self) -> str:
        """The next line that it says; empty when it has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def tell(self) -> None:
        """Let it go on where it reads a line."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """Kill it, and leave it unreaped; harmless when it has ended."""
        self._process.kill()

    def finish(self) -> tuple[int, list[str]]:
        """Wait for its end: its exit code, and what it still said."""
        assert self._process.stdout is not None
        said = self._process.stdout.read()
        return self._process.wait(END_WITHIN_S), said.split("\n")[:-1]

    def end(self) -> None:
        """Leave nothing of it."""
        self.kill()
        # Closes the pipes and reaps it.
        self._process.__exit__(None, None, None)


@contextlib.contextmanager
def child(program: str, path: Path, *arguments: str) -> Iterator[Child]:
    """A child that does not outlive the block."""
    started = Child(program, path, *arguments)
    try:
        yield started
    finally:
        started.end()
