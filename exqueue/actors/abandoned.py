"""Threads of a queue that could not be ended and were abandoned: too many of them, and it fetches no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.actors.tables import abandoned_count, abandoned_table
from exqueue.supervision import safe_logger

if TYPE_CHECKING:
    from exqueue.supervision import Board

logger = safe_logger("exqueue")


class AbandonedThreads:
    """Those of one queue.

    Args:
        queue: the queue.
        board: of the system.
        most: past so many (`exqueue.config.SystemConfig.max_abandoned`) the queue fetches nothing.
    """

    def __init__(self, queue: str, board: Board, most: int) -> None:
        self._queue = queue
        self._board = board
        self._rows = abandoned_table(board)
        self._most = most
        self._is_said = False

    def __contains__(self, urn: object) -> bool:
        return urn in self._rows

    def are_too_many(self) -> bool:
        """Whether the queue has to wait until some of them have ended; said once, and again when it goes on."""
        # A look at an empty table, nearly always.
        count = abandoned_count(self._board, self._queue) if self._rows else 0
        too_many = count > self._most
        if too_many and not self._is_said:
            logger.error(
                "queue %s fetches nothing more: %d of its threads could not be ended and still run, and max_abandoned "
                "is %d. It goes on when they have ended; a restart of this process ends them at once",
                self._queue,
                count,
                self._most,
            )
        if self._is_said and not too_many:
            logger.info("queue %s fetches again: %d of its abandoned threads still run", self._queue, count)
        self._is_said = too_many
        return too_many
