"""Outages: a state to wait out, said once in the log and shown in the status."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from exqueue.actors.tables import OutageRow, outages_table
from exqueue.supervision import safe_logger

if TYPE_CHECKING:
    from exqueue.clock import Clock
    from exqueue.errors import Outage
    from exqueue.supervision import Board

logger = safe_logger("exqueue")

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0


def pause_s(attempt: int, rng: random.Random) -> float:
    """Seconds before try number ``attempt`` (from 1): doubled each time up to `LONGEST_PAUSE_S`, half jitter."""
    full = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(attempt - 1, 16))
    return full * (0.5 + rng.random() / 2)


class Weather:
    """What one actor knows of an outage. The first of a system to meet one logs it, the last to leave it too."""

    def __init__(self, name: str, board: Board, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._outages = outages_table(board)
        self._attempt = 0
        self._rng = random.Random()

    @property
    def is_stormy(self) -> bool:
        """Whether the last call of this actor met an outage."""
        return self._attempt > 0

    def storm(self, outage: Outage) -> float:
        """Note that a call failed. Returns the seconds to wait before the next try."""
        self._attempt += 1
        is_first = not self._outages
        if self._name not in self._outages:
            self._outages[self._name] = OutageRow(self._clock.time(), outage.reason)
            if is_first:
                logger.warning("the persistence does not answer, jobs wait until it does: %s", outage.reason)
        return pause_s(self._attempt, self._rng)

    def calm(self) -> None:
        """Note that a call was answered."""
        if self._attempt == 0:
            return
        self._attempt = 0
        row = self._outages.pop(self._name, None)
        if row is not None and not self._outages:
            logger.info("the persistence answers again, after %.1f s", self._clock.time() - row.since)
