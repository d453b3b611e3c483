"""Jobs that only a newer version can read: how many of a queue were met lately, for the status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exqueue import execution

if TYPE_CHECKING:
    from exqueue.clock import Clock
    from exqueue.supervision import Board, Table


@dataclass(frozen=True, slots=True)
class NewerRow:
    """How many were met since ``since`` (monotonic), and how many in the round before; what the last one said."""

    since: float
    count: int
    before: int
    reason: str


def newer_table(board: Board) -> Table:
    """Queue -> `NewerRow`. Written by its Fetcher; read by the Listener."""
    return board.table("newer records")


class NewerRecords:
    """Counts those of one queue. Each is put off and met again every `PUT_OFF_S`, so one round meets all there are.

    Their ids are not kept: they may be any number.
    """

    def __init__(self, queue: str, board: Board, clock: Clock) -> None:
        self._queue = queue
        self._rows = newer_table(board)
        self._clock = clock

    def met(self, reason: str) -> bool:
        """Count one. Returns whether none was counted before."""
        now = self._clock.monotonic()
        row: NewerRow | None = self._rows.get(self._queue)
        if row is None or now - row.since >= 2 * execution.PUT_OFF_S:
            self._rows[self._queue] = NewerRow(now, 1, 0, reason)
            return True
        if now - row.since >= execution.PUT_OFF_S:
            self._rows[self._queue] = NewerRow(now, 1, row.count, reason)
        else:
            self._rows[self._queue] = NewerRow(row.since, row.count + 1, row.before, reason)
        return False


def sentences(board: Board, now: float) -> tuple[str, ...]:
    """What a person has to mend, a sentence for each queue that has such jobs. ``now``: monotonic."""
    return tuple(
        f"queue {queue}: jobs that wait for a newer Exqueue: {max(row.count, row.before)}; install it on the nodes "
        f"that work the queue, they are offered again each minute: {row.reason}"
        for queue, row in newer_table(board).copy().items()
        if now - row.since < 2 * execution.PUT_OFF_S
    )
