"""What is read for a status: the whole namespace, past the damage of single queues."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from exqueue.actors import status
from exqueue.actors.beat import decode_beat
from exqueue.actors.damage import QueueDamage, known_damage, past_damage
from exqueue.actors.tables import present_outage
from exqueue.errors import StoreDamaged
from exqueue.messages import SystemStatus
from exqueue.persistence.values import MAX_BATCH

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.actors.beat import Beat
    from exqueue.clock import Clock
    from exqueue.persistence.base import Session
    from exqueue.persistence.values import Overview, StoredJob
    from exqueue.supervision import Board


class Survey:
    """Reads the status of a namespace.

    Args:
        node: that was asked.
        address: of the persistence.
        board: of its system.
        clock: of its system.
        session: to read with.
        call: makes a call of the persistence, see `exqueue.supervision.Actor.call`.
    """

    def __init__(
        self, node: str, address: str, board: Board, clock: Clock, session: Session, call: Callable[..., Any]
    ) -> None:
        self._node = node
        self._address = address
        self._board = board
        self._session = session
        self._call = call
        self._damage = QueueDamage(board, clock)

    def status(self) -> SystemStatus:
        """The namespace at this moment.

        Raises:
            Outage: the persistence does not answer, or refuses.
        """
        queues = self._call(self._session.queues)
        beats: dict[str, Beat] = {node: decode_beat(info) for node, info in self._call(self._session.nodes)}
        names = sorted({*queues, *(queue for beat in beats.values() for queue in beat.queues)})
        overview, damaged = past_damage(partial(self._call, self._session.overview), names)
        running = self._running(overview, damaged)
        self._damage.seen(damaged)
        told = {queue: reason for beat in beats.values() for queue, reason in beat.damaged.items()}
        wrong = told | known_damage(self._board) | {queue: damage.reason for queue, damage in damaged.items()}
        counted = {counts.queue: counts for counts in overview.queues}
        leader = None if overview.holder is None else overview.holder.node
        outage = present_outage(self._board)
        return SystemStatus(
            node=self._node,
            is_leader=leader == self._node,
            leader=leader,
            epoch=_epoch(overview),
            queues=tuple(
                status.queue_status(
                    counted.get(name) or status.uncounted(name), overview.now, leader, beats, wrong.get(name)
                )
                for name in names
            ),
            running=tuple(status.running_job(job, overview, beats) for job in running),
            nodes=tuple(beats),
            outage_since=None if outage is None else outage.since,
            outage_reason=None if outage is None else outage.reason,
            failed=status.what_failed(beats, wrong),
            address=self._address,
        )

    def _running(self, overview: Overview, damaged: dict[str, StoreDamaged]) -> list[StoredJob]:
        """The jobs in workers' hands; a queue where they can't be read joins those that are damaged."""
        running: list[StoredJob] = []
        for counts in overview.queues:
            try:
                if counts.running:
                    running += self._call(self._session.list_jobs, counts.queue, "running", MAX_BATCH, 0)
            except StoreDamaged as damage:
                if damage.queue != counts.queue:
                    raise
                damaged[counts.queue] = damage
        return running


def _epoch(overview: Overview) -> int:
    """Of the leadership that stands, else of the last one, which has claimed every queue."""
    if overview.holder is not None:
        return overview.holder.epoch
    return max((counts.epoch for counts in overview.queues), default=0)
