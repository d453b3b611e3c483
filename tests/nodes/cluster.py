"""Several nodes as processes, and the diary in which their jobs write."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from exqueue import ExqueueSystem
from tests.nodes.program import Plan
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exqueue import SystemRef

ROOT = Path(__file__).parents[2]
END_WITHIN_S = 30.0


@dataclass(frozen=True)
class Entry:
    """A line of the diary."""

    what: str
    number: int
    node: str
    at: float
    job: str


class Node:
    """One process."""

    def __init__(self, plan: Plan, before: Sequence[str] = ()) -> None:
        self.name = plan.node
        self._log_path = Path(plan.folder) / f"log-{plan.node}"
        with self._log_path.open("a") as log:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-m", "tests.nodes.program", plan.dumps()],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def await_ready(self) -> None:
        """Wait until its workers stand."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n", self.log

    @property
    def log(self) -> str:
        """What it has logged."""
        return self._log_path.read_text()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; harmless when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)

    def end(self) -> int:
        """Wait until it has ended; returns its exit code."""
        try:
            return self.process.wait(END_WITHIN_S)
        finally:
            if self.process.stdout is not None:
                self.process.stdout.close()


class Cluster:
    """The nodes of one test. At the end of the block every one of them is killed."""

    def __init__(self, url: str, namespace: str, folder: Path) -> None:
        self._url = url
        self._namespace = namespace
        self._folder = folder
        self._nodes: list[Node] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for node in self._nodes:
            node.send(signal.SIGKILL)
            node.end()

    def start(
        self,
        name: str,
        jobs: Mapping[str, Mapping[str, object]],
        *,
        url: str | None = None,
        before: Sequence[str] = (),
        **options: object,
    ) -> Node:
        """Start a node and wait until its workers stand. ``before``: a command that runs it."""
        node = self.launch(name, jobs, url=url, before=before, **options)
        node.await_ready()
        return node

    def launch(
        self,
        name: str,
        jobs: Mapping[str, Mapping[str, object]],
        *,
        url: str | None = None,
        before: Sequence[str] = (),
        **options: object,
    ) -> Node:
        """As `start`, but wait for nothing: the node may die before it is ready."""
        plan = Plan(
            url=self._url if url is None else url,
            namespace=self._namespace,
            node=name,
            folder=str(self._folder),
            jobs={job: dict(given) for job, given in jobs.items()},
            options=options,
        )
        node = Node(plan, before)
        self._nodes.append(node)
        return node

    def office(self) -> SystemRef:
        """Start a system in this process that only enqueues and looks."""
        return ExqueueSystem.start(self._url, namespace=self._namespace, node="office")

    def release(self, node: str) -> None:
        """Let the jobs that are held on this node, now or later, go on."""
        (self._folder / f"release-{node}").touch()

    def hold_log(self, node: str) -> None:
        """Let this node hang, from now on, before it writes an ERROR; ``held`` in the diary tells that it does."""
        (self._folder / f"hold-log-{node}").touch()

    def release_log(self, node: str) -> None:
        """Let it write what it is held at, and go on."""
        (self._folder / f"release-log-{node}").touch()

    def diary(self, what: str, *, node: str | None = None) -> list[Entry]:
        """What the jobs wrote, in order."""
        path = self._folder / "diary"
        lines = path.read_text().splitlines() if path.exists() else []
        entries = [
            Entry(kind, int(number), where, float(at), job)
            for kind, number, where, at, job in (line.split(" ") for line in lines)
        ]
        return [entry for entry in entries if entry.what == what and node in (None, entry.node)]

    def await_diary(self, what: str, count: int, *, node: str | None = None, within: float = 10.0) -> list[Entry]:
        """Wait until so many lines are there, and return them."""
        eventually(lambda: len(self.diary(what, node=node)) >= count, within)
        return self.diary(what, node=node)
