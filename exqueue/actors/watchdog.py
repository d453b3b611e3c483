"""Fetchers that could fetch and do not: what no crash and no hang tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.actors.tables import (
    RunTables,
    damage_table,
    fetcher_of,
    lead_table,
    outages_table,
    owned_table,
    queues_table,
    quiescing_of,
    worker_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from exqueue.clock import Clock
    from exqueue.supervision import Board

LOOKS = 3
"""At so many looks in a row a Fetcher must have been found idle with a backlog, before it counts as stuck."""

LOOKED_FOR_S = 8.0
"""And for so long: one that was only slow to have a turn has had it by then."""


class Watchdog:
    """Remembers which Fetchers made no call between two looks although their queue has something for them.

    Nobody can find out why: that a message got lost, a timer, a Worker's word. Their successor asks for all of it anew.

    Args:
        board: of the system.
        clock: tells the monotonic time.
        is_there: whether an actor answers to a name.
    """

    def __init__(self, board: Board, clock: Clock, is_there: Callable[[str], object]) -> None:
        self._board = board
        self._clock = clock
        self._is_there = is_there
        self._suspects: dict[str, tuple[object, int, float]] = {}

    def forget(self) -> None:
        """What was seen before an outage proves nothing after it."""
        self._suspects.clear()

    def stuck(self, due: Container[str]) -> tuple[str, ...]:
        """Note one look; return the queues whose Fetcher has been stuck for too long.

        Args:
            due: the queues that have a job to hand out, as the persistence says.
        """
        now, found = self._clock.monotonic(), []
        owned = owned_table(self._board)
        for queue in tuple(queues_table(self._board)):
            belief = owned.get(queue)
            if not (queue in due or belief is None) or not self._could_fetch(queue):
                self._suspects.pop(queue, None)
                continue
            seen, looks, since = self._suspects.get(queue, (None, 0, now))
            if seen != belief:
                looks, since = 0, now
            self._suspects[queue] = belief, looks + 1, since
            if looks + 1 >= LOOKS and now - since >= LOOKED_FOR_S:
                del self._suspects[queue]
                found.append(queue)
        return tuple(found)

    def _could_fetch(self, queue: str) -> bool:
        board, lead, fetcher = self._board, lead_table(self._board), fetcher_of(queue)
        if lead.get("fence") is None or self._clock.boottime() > lead.get("lease_until", 0.0):
            return False
        if fetcher in outages_table(board) or queue in damage_table(board) or quiescing_of(board, queue) is not None:
            return False
        if not self._is_there(fetcher):
            return False
        return self._has_idle_workers(queue)

    def _has_idle_workers(self, queue: str) -> bool:
        settings, tables = queues_table(self._board).get(queue), RunTables(self._board, queue)
        if settings is None:
            return False
        busy = {row.worker for row in list(tables.running.values())}
        if settings.serial and busy:
            return False
        workers = (worker_of(queue, number) for number in range(1, settings.concurrency + 1))
        idle = sum(1 for worker in workers if worker not in busy and self._is_there(worker))
        return idle > len(tables.handed)
