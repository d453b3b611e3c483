"""Outages: said once in the log and shown in the status.

What passes by itself (it does not answer) is a WARNING; what only a person ends (it refuses) an ERROR for each reason.
A server that takes no writes while a failover is under way is a WARNING until that has lasted too long for one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from exqueue.actors.damage import QueueDamage
from exqueue.actors.tables import OutageRow, outage_table, outages_table
from exqueue.errors import StorageFull, StoreDamaged
from exqueue.supervision import safe_logger

if TYPE_CHECKING:
    import random

    from exqueue.errors import Outage
    from exqueue.supervision import Board, Runtime

logger = safe_logger("exqueue")

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0

FAILOVER_S = 10.0
"""How long a failover may take: until then what may pass is no refusal."""

SAID = "said: "
"""Before the refusal, in the table of the present outage."""

MET = "met: "
"""Before a refusal that may pass, in the same table."""

LISTENER = "listener"
"""The name of the actor that asks the persistence something every few seconds, whatever the others do."""


def pause_s(attempt: int, rng: random.Random) -> float:
    """Seconds before try number ``attempt`` (from 1): doubled each time up to `LONGEST_PAUSE_S`, half jitter."""
    full = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(attempt - 1, 16))
    return full * (0.5 + rng.random() / 2)


class Weather:
    """What one actor knows of an outage. The first of a system to meet one logs it, the last to see its end too.

    An actor whose predecessor crashed in an outage leaves it to the Listener to see the end: it may never ask anything.

    Args:
        name: of the actor.
        board: of the system.
        runtime: of the system.
        queue: that the actor owns. Damage of it is no outage: the others are answered.
    """

    def __init__(self, name: str, board: Board, runtime: Runtime, queue: str = "") -> None:
        self._name = name
        self._queue = queue
        self._damage = QueueDamage(board, runtime.clock)
        self._clock = runtime.clock
        self._outages = outages_table(board)
        self._outage = outage_table(board)
        self._attempt = 0
        self._is_damage = False
        self._rng = runtime.random()
        if name != LISTENER:
            self._hand_on()

    @property
    def is_stormy(self) -> bool:
        """Whether the last call of this actor met an outage."""
        return self._attempt > 0

    @property
    def is_damage(self) -> bool:
        """Whether the last call of this actor met a damaged entry: nothing was changed, and waiting mends nothing."""
        return self._is_damage

    def storm(self, outage: Outage) -> float:
        """Note that a call failed. Returns the seconds to wait before the next try."""
        self._attempt += 1
        self._is_damage = isinstance(outage, StoreDamaged)
        if isinstance(outage, StoreDamaged) and self._queue and outage.queue == self._queue:
            self._outage_is_over()
            self._damage.met(self._queue, outage)
            return pause_s(self._attempt, self._rng)
        is_local = isinstance(outage, StoreDamaged | StorageFull)
        refusal = self._refusal(outage)
        mine = OutageRow(self._clock.time(), outage.reason, is_local, bool(refusal))
        self._outages[self._name] = mine
        first = self._outage.setdefault("first", mine)
        # One atomic step: of two that meet it in the same moment only one says so.
        if self._outage.setdefault(f"{SAID}{refusal}", mine) is mine:
            if refusal:
                logger.error("the persistence refuses, jobs wait until a person acts: %s", outage.reason)
            else:
                what = "takes no writes for now" if outage.refusal else "does not answer"
                logger.warning("the persistence %s, jobs wait until it does: %s", what, outage.reason)
        self._outage["now"] = replace(mine, since=first.since)
        return pause_s(self._attempt, self._rng)

    def _refusal(self, outage: Outage) -> str:
        """Why a person must act; empty as long as it may pass by itself."""
        if not outage.may_pass:
            return outage.refusal
        now = self._clock.time()
        has_lasted_s = now - self._outage.setdefault(f"{MET}{outage.refusal}", now)
        return outage.refusal if has_lasted_s >= FAILOVER_S else ""

    def calm(self) -> None:
        """Note that a call was answered, whatever was said."""
        self._attempt = 0
        self._is_damage = False
        if self._queue:
            self._damage.over(self._queue)
        self._outage_is_over()

    def _outage_is_over(self) -> None:
        if self._outages.pop(self._name, None) is not None and not self._outages:
            first = self._outage.pop("first", None)
            said = [word for word in list(self._outage) if word.startswith(SAID)]
            for word in (*said, *(word for word in list(self._outage) if word.startswith(MET))):
                self._outage.pop(word, None)
            if first is not None:
                how = "answers again" if said == [SAID] else "answers again and refuses no more"
                logger.info("the persistence %s, after %.1f s", how, self._clock.time() - first.since)

    def leave(self) -> None:
        """This actor ends, or asks nothing any more: whether the outage is over is for the others to see.

        Where there are none it is for the Listener, which always asks again: else the end would never be said, nor the
        next outage.
        """
        self._attempt = 0
        self._is_damage = False
        self._damage.forget(self._queue)
        self._hand_on()

    def _hand_on(self) -> None:
        row = self._outages.pop(self._name, None)
        if row is not None and not self._outages:
            self._outages[LISTENER] = row
