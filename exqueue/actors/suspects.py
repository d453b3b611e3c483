"""Leave to run a suspect: a job that was lost with its node twice runs while no other suspect does on this node.

What was lost so often that it is not run any more needs none: it is poison, and buried at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.actors.protocol import Wake
from exqueue.actors.tables import fetcher_of, jobs_table, suspects_table, waiting_suspects_table
from exqueue.options import JobOptions
from exqueue.persistence.values import Leave

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from exqueue.actors.tables import RunKey
    from exqueue.supervision import Board


class SuspectLeave:
    """The leave of one queue. Intentions are written before the others' are read, so two never both go ahead."""

    def __init__(self, queue: str, board: Board, tell: Callable[[str, object], bool]) -> None:
        self._queue = queue
        self._rows = suspects_table(board)
        self._waiting = waiting_suspects_table(board)
        self._jobs = jobs_table(board)
        self._tell = tell

    def wanted(self, *, is_wanted: bool) -> None:
        """Note whether a suspect of this queue is held back until there is leave to run it."""
        if is_wanted:
            self._waiting[self._queue] = True
        else:
            self._waiting.pop(self._queue, None)

    def take(self) -> Leave:
        """Get leave for all poison, and for a suspect unless one of any queue runs here or is being asked for."""
        return Leave(self._take(), self._poison_from())

    def _poison_from(self) -> int:
        """The highest limit of all classes here, of which any may be a job's: only who runs it can tell which."""
        limits: list[int] = [registered.options.max_recoveries for registered in list(self._jobs.values())]
        return max((JobOptions().max_recoveries, *limits))

    def _take(self) -> bool:
        if self._rows.get(self._queue) is not None:
            return False
        self._rows[self._queue] = None
        if any(queue != self._queue for queue in list(self._rows)):
            del self._rows[self._queue]
            return False
        return True

    def hold(self, key: RunKey) -> None:
        """The suspect was handed out: nobody else gets leave until `ended`."""
        self._rows[self._queue] = key

    def ended(self, key: RunKey) -> None:
        """The thread of this run has ended: all whose suspects wait may try, this queue among them."""
        if self._rows.get(self._queue) == key:
            del self._rows[self._queue]
            for queue in list(self._waiting):
                self._tell(fetcher_of(queue), Wake())

    def give_back(self) -> None:
        """Take the intention back; a suspect that runs keeps its row until its thread has ended."""
        if self._rows.get(self._queue, self) is None:
            del self._rows[self._queue]

    def keep_if_in(self, runs: Container[RunKey], running: Container[RunKey]) -> None:
        """Forget, after a claim, a suspect that neither the persistence lists nor a thread here executes."""
        key = self._rows.get(self._queue, self)
        if key is None or (key is not self and key not in runs and key not in running):
            del self._rows[self._queue]
