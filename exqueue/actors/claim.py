"""A Fetcher's claim on its queue: what it holds there, and what others may know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.actors.tables import owned_table, seats_table, unswept_table
from exqueue.persistence.values import Owned

if TYPE_CHECKING:
    from exqueue.clock import Clock
    from exqueue.persistence.values import Fence
    from exqueue.supervision import Board


class Claim:
    """The seat under which a Fetcher calls, and the number of the last call that was answered.

    On the board stand the seat, for Workers, and what is owned, for the sweep.

    Args:
        queue: that is claimed.
        board: of the system.
        clock: of the system.
    """

    def __init__(self, queue: str, board: Board, clock: Clock) -> None:
        self._queue = queue
        self._board = board
        self._clock = clock
        self._seats = seats_table(board)
        self._owned_rows = owned_table(board)
        self._unswept = unswept_table(board)
        self.is_held = False
        self.seat = 0
        self.number = 0

    def begin(self) -> int:
        """Before the persistence is asked: from now on no Worker begins what was handed out under another seat.

        Returns the seat to claim with: the same again as long as it is not known whether that was answered.
        """
        self.conceal()
        if self.seat == 0:
            self.seat = self._board.next_number("seat")
        self._seats[self._queue] = self.seat
        return self.seat

    def granted(self, fence: Fence, number: int) -> None:
        """The queue is claimed; ``number``: of its last call."""
        self.is_held = True
        self.answered(fence, number)
        self._unswept[self._queue] = self._clock.monotonic()

    def answered(self, fence: Fence, number: int) -> None:
        """The call of this number was answered."""
        self.number = number
        self._owned_rows[self._queue] = self.owned(fence)

    def give_up(self) -> None:
        """It counts no more: the next one is made with a new seat."""
        self.is_held = False
        self.seat = 0

    def withdraw(self) -> None:
        """As `give_up`, and first of all nothing is begun under it any more."""
        self._seats.pop(self._queue, None)
        self.conceal()
        self.give_up()

    def conceal(self) -> None:
        """The sweep is to pass the queue over."""
        self._owned_rows.pop(self._queue, None)

    def owned(self, fence: Fence) -> Owned:
        """What the persistence knows of the queue, if nothing was lost."""
        return Owned(self._queue, fence, self.seat, self.number)
