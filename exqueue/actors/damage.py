"""Damage of one queue: said once, shown in the status, and kept from the questions that are asked of many queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from exqueue.actors.tables import damage_seen_table, damage_table
from exqueue.errors import StoreDamaged
from exqueue.supervision import safe_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from exqueue.clock import Clock
    from exqueue.supervision import Board

T = TypeVar("T")
A = TypeVar("A")

logger = safe_logger("exqueue")


def past_damage(
    ask: Callable[[tuple[T, ...]], A], asked: Iterable[T], queue_of: Callable[[T], str] = str
) -> tuple[A, dict[str, StoreDamaged]]:
    """Ask one thing of many queues: what is wrong with one of them keeps the answers of no other.

    Args:
        ask: is asked, once more without that queue whenever one of them is found damaged.
        asked: what to ask: a name of a queue each, or something of which
        queue_of: tells it.

    Returns:
        The answer for the sound queues, in the order given, and queue -> damage of the others.

    Raises:
        StoreDamaged: it is not one of these queues that is damaged.
        Outage: any other.
    """
    sound, damaged = tuple(asked), dict[str, StoreDamaged]()
    while True:
        try:
            return ask(sound), damaged
        except StoreDamaged as damage:
            rest = tuple(one for one in sound if queue_of(one) != damage.queue)
            if damage.queue is None or len(rest) == len(sound):
                raise
            sound, damaged[damage.queue] = rest, damage


def past_over(done: str, damaged: Mapping[str, StoreDamaged]) -> StoreDamaged:
    """What whoever asked for all queues is told when some were passed over: what was done, what is wrong, what to do.

    Args:
        done: what was done of it, or why nothing was.
        damaged: queue -> its damage; not empty.
    """
    named = " ".join(sentence(queue, damage.reason) for queue, damage in sorted(damaged.items()))
    return StoreDamaged(f"{done}. {named}", min(damaged))


class QueueDamage:
    """What this node knows of damaged queues: whoever meets the damage of one notes it, and that it is over.

    It stands on the board, so that an actor that crashed meanwhile is not missed.
    """

    def __init__(self, board: Board, clock: Clock) -> None:
        self._rows = damage_table(board)
        self._seen = damage_seen_table(board)
        self._clock = clock

    def met(self, queue: str, damage: StoreDamaged) -> None:
        """Say so, unless this very damage of the queue was said before."""
        since, known = self._rows.get(queue, (self._clock.time(), ""))
        if known != damage.reason:
            self._rows[queue] = (since, damage.reason)
            if self._seen.get(queue) != damage.reason:
                logger.error(
                    "%s The queue stands still until that is mended; others go on.", sentence(queue, damage.reason)
                )

    def seen(self, damaged: Mapping[str, StoreDamaged]) -> None:
        """A status was read, all of it but for what is damaged: say what nobody who works the queues has met.

        That may never be: who works a queue does not read all that a status shows.
        """
        for queue in set(self._seen.copy()) - set(damaged):
            self._seen.pop(queue, None)
            logger.info("all that is stored of queue %s can be read again", queue)
        for queue, damage in damaged.items():
            _, known = self._rows.get(queue, (0.0, ""))
            if damage.reason not in {known, self._seen.get(queue)}:
                logger.error("%s Its jobs may stand still until that is mended.", sentence(queue, damage.reason))
            if damage.reason != known:
                self._seen[queue] = damage.reason

    def over(self, queue: str) -> None:
        """The queue was answered for."""
        row = self._rows.pop(queue, None)
        if row is not None:
            logger.info("queue %s is in order again, after %.1f s", queue, self._clock.time() - row[0])

    def forget(self, queue: str) -> None:
        """Nobody here looks at the queue any more."""
        self._rows.pop(queue, None)


def sentence(queue: str, reason: str) -> str:
    """For people."""
    return f"queue {queue} is damaged: {reason}"


def known_damage(board: Board) -> dict[str, str]:
    """Queue -> reason, of what was met on this node."""
    return {queue: reason for queue, (_, reason) in damage_table(board).copy().items()}
