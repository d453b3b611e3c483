"""Where one repetition is measured: a store, a mode, a yardstick beside it, and a file for what the jobs write."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from benchmarks.rig.modes import modes
from benchmarks.rig.programs import Program, result_of
from benchmarks.rig.server import private_server
from exqueue.persistence.urls import open_persistence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.rig.modes import Mode
    from benchmarks.rig.server import Server

RAW_S: Final = 0.25
"""So long the yardstick is measured each time."""


@dataclass(frozen=True, slots=True)
class Place:
    """A new, empty store; ``records`` is the file of its jobs."""

    url: str
    namespace: str
    records: Path

    def given(self, **more: Any) -> dict[str, Any]:
        """The arguments of a task."""
        return {"url": self.url, "namespace": self.namespace, **more}

    def unfinished(self) -> int:
        """How many jobs are ready, waiting or running."""
        store = open_persistence(self.url, namespace=self.namespace)
        try:
            session = store.session(timeout=30)
            counts = session.overview(session.queues()).queues
            return sum(each.ready + each.waiting + each.running for each in counts)
        finally:
            store.close()


class Stage:
    """One store in one mode.

    Args:
        mode: who runs where.
        server: of Redis; ``None``: SQLite.
        folder: for files.
        yardstick: the program that measures raw calls.
        scale: by what share the numbers of jobs are cut down, 1 for a run that counts.
    """

    def __init__(self, mode: Mode, server: Server | None, folder: Path, yardstick: Program, scale: float) -> None:
        self.mode = mode
        self.cpu = mode.python_cpu
        self._server = server
        self._folder = folder
        self._yardstick = yardstick
        self._scale = scale

    @property
    def server(self) -> Server:
        """Of Redis.

        Raises:
            LookupError: this stage has a file.
        """
        if self._server is None:
            raise LookupError("this is measured on Redis only")
        return self._server

    @property
    def is_sqlite(self) -> bool:
        """Whether jobs are kept in a file."""
        return self._server is None

    def takes(self, modes: str) -> bool:
        """Whether what is measured in these modes is measured here; a file has only one."""
        return self.is_sqlite or self.mode.name in modes

    def scaled(self, number: int) -> int:
        """So many of them in this run; SQLite, which waits for the disk, gets a fifth."""
        return max(10, int(number * self._scale * (0.2 if self.is_sqlite else 1.0)))

    def seconds(self, full: float) -> float:
        """So long in this run."""
        return max(0.3, full * self._scale)

    def raw(self) -> float:
        """Raw calls a second, right now, one thread, in this mode."""
        return float(self._yardstick.ask())

    @contextlib.contextmanager
    def place(self) -> Iterator[Place]:
        """An empty store until the block ends."""
        name = f"bench-{secrets.token_hex(4)}"
        if self._server is not None:
            self._server.flush()
            self._server.pin(self.mode)
        url = f"sqlite:///{self._folder / name}.db" if self._server is None else self._server.url
        try:
            yield Place(url, name, self._folder / f"{name}.records")
        finally:
            for path in self._folder.glob(f"{name}*"):
                path.unlink()

    def result_of(self, task: str, place: Place, **arguments: Any) -> Any:
        """Run a task on this store to its end."""
        return result_of(task, place.given(**arguments), self.cpu, place.records)


@contextlib.contextmanager
def stages(store: str, scale: float) -> Iterator[tuple[Stage, ...]]:
    """The stages of one store: of Redis one a mode, of SQLite one, as there is no server to put anywhere.

    Args:
        store: ``redis`` or ``sqlite``.
        scale: see `Stage`.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="exqueue-bench-")))
        server = stack.enter_context(private_server()) if store == "redis" else None
        url = f"sqlite:///{folder / 'yardstick.db'}" if server is None else server.url
        here = modes() if server is not None else modes()[-1:]
        yardstick = Program("raw", {"url": url, "seconds": RAW_S}, here[0].python_cpu, folder / "none")
        stack.enter_context(yardstick)
        yield tuple(Stage(mode, server, folder, yardstick, scale) for mode in here)
