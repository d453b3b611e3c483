"""Sweeps: the queues that this node owns are compared with the persistence, which finds what signals have missed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from exqueue.actors.damage import past_damage
from exqueue.actors.protocol import Say, Swept, Wake
from exqueue.actors.tables import fetcher_of, owned_table
from exqueue.actors.watchdog import Watchdog
from exqueue.supervision import Crash

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.clock import Clock
    from exqueue.persistence.values import Owned, Verdict
    from exqueue.supervision import Board, Names


class Sweeper:
    """Asks about all owned queues at once, and tells each Fetcher what concerns it; restarts one that is stuck.

    Args:
        board: of the system.
        clock: of the system.
        names: who is told.
        ask: asks the persistence, see `exqueue.persistence.base.Session.sweep`.
    """

    def __init__(
        self, board: Board, clock: Clock, names: Names, ask: Callable[[tuple[Owned, ...]], tuple[Verdict, ...]]
    ) -> None:
        self._owned = owned_table(board)
        self._watchdog = Watchdog(board, clock, names.whereis)
        self._names = names
        self._ask = ask

    def sweep(self) -> None:
        """Make one round; it may meet an outage."""
        owned, due = tuple(self._owned.copy().values()), set()
        if not owned:
            return
        verdicts, damaged = past_damage(self._ask, owned, lambda one: one.queue)
        sound = (one for one in owned if one.queue not in damaged)
        for one, verdict in zip(sound, verdicts, strict=True):
            if verdict == "due":
                due.add(one.queue)
            if verdict != "fine":
                self._names.tell(fetcher_of(one.queue), Swept(one, verdict))
        for queue in damaged:
            # It looks for itself, meets the damage if it is in its way, and says so.
            self._names.tell(fetcher_of(queue), Wake())
        for queue in self._watchdog.stuck(due):
            self._restart(queue)

    def forget(self) -> None:
        """What was seen before an outage proves nothing after it."""
        self._watchdog.forget()

    def _restart(self, queue: str) -> None:
        line = f"queue {queue} has jobs to run and idle workers, its fetcher is connected and fetches nothing"
        self._names.tell("reporter", Say(logging.ERROR, f"{line}: it is restarted"))
        self._names.control(fetcher_of(queue), Crash("it fetched nothing although it could"))
