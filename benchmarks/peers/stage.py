"""Where one peer is measured: a store of its own, its programs, and the file in which its jobs leave their records."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.peers.environments import PROGRAMS, variables_of
from benchmarks.peers.processes import NotMeasured, WorkerProcess, await_truth
from benchmarks.rig import records
from benchmarks.rig.server import Server, private_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.peers.catalogue import Peer

BEGIN_WITHIN_S: Final = 20.0
OFFER_WITHIN_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Offered:
    """What one enqueueing program has done: ``jobs`` in ``seconds``, and one before that, to connect."""

    jobs: int
    seconds: float
    stored: int

    @property
    def rate(self) -> float:
        """Jobs a second."""
        return self.jobs / self.seconds


@dataclass(frozen=True, slots=True)
class Store:
    """A server, and where the programs of peers find it."""

    server: Server
    url: str


@contextlib.contextmanager
def store() -> Iterator[Store]:
    """A server of one's own that ends with the block, on a TCP port, as users have it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with private_server("--port", str(port), "--bind", "127.0.0.1") as server:
        yield Store(server, f"redis://127.0.0.1:{port}/0")


class Stage:
    """Runs the programs of one peer.

    Args:
        peer: who.
        command: how its program is started.
        cache: the folder of the environments.
        store: where it keeps jobs, unless it does so in a file.
        folder: an empty one for its files.
    """

    def __init__(self, peer: Peer, command: tuple[str, ...], cache: Path, store: Store, folder: Path) -> None:
        self.peer = peer
        self.server = store.server
        self.records = folder / "records"
        self._folder = folder
        self._command = command
        self._variables = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            **variables_of(peer, cache),
            "PEER_URL": f"sqlite:///{folder / 'store.db'}" if peer.store == "sqlite" else store.url,
            records.VARIABLE: str(self.records),
        }

    def clear(self) -> None:
        """Forget all jobs and records; no program may run."""
        if self.peer.store == "redis":
            self.server.flush()
        for path in self._folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def forget_records(self) -> None:
        """Begin counting anew; the workers keep the file open."""
        os.truncate(self.records, 0)

    def offer(self, command: str, **options: float) -> Offered:
        """Run an enqueueing program.

        Args:
            command: ``enqueue`` or ``bulk``.
            **options: of its command line.

        Raises:
            NotMeasured: it failed.
        """
        try:
            done = subprocess.run(
                self._line(command, options),
                env=self._variables,
                cwd=PROGRAMS / self.peer.folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=OFFER_WITHIN_S,
            )
        except subprocess.TimeoutExpired as late:
            raise NotMeasured(f"its program took longer than {OFFER_WITHIN_S:.0f} s to {command}") from late
        if done.returncode:
            raise NotMeasured(f"its program failed: {done.stderr.strip()[-200:]}")
        return Offered(**json.loads(done.stdout.splitlines()[-1]))

    def fill(self, jobs: int, sleep_s: float) -> int:
        """Store so many jobs in the quickest way there is; how many it has become."""
        command = "bulk" if self.peer.has_bulk else "enqueue"
        return self.offer(command, sleep=sleep_s, jobs=jobs).stored

    def start_worker(self, slots: int) -> WorkerProcess:
        """Start a worker; the caller ends it."""
        line = self._line("work", {"slots": slots})
        return WorkerProcess(line, self._variables, PROGRAMS / self.peer.folder, self._folder / "log")

    @contextlib.contextmanager
    def worker(self, slots: int) -> Iterator[WorkerProcess]:
        """A worker that ends with the block."""
        process = self.start_worker(slots)
        try:
            yield process
        finally:
            process.stop()

    def await_records(self, worker: WorkerProcess, jobs: int, within_s: float = BEGIN_WITHIN_S) -> None:
        """Return when so many jobs have left their records.

        Raises:
            NotMeasured: the worker ended, or it took longer.
        """
        await_truth(lambda: records.count(self.records) >= jobs or worker.has_ended, within_s)
        if (found := records.count(self.records)) < jobs:
            raise NotMeasured(f"{found} of {jobs} jobs ran within {within_s:.0f} s; its worker said: {worker.said}")

    def _line(self, command: str, options: dict[str, float] | dict[str, int]) -> list[str]:
        flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        return [*self._command, command, *flags]
