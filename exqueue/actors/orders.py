"""Commands under way: what must be the same when a call is sent again, and which dead jobs are meant by all."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from exqueue.actors.protocol import WhatIsLeft
from exqueue.messages import DeleteAllDead, DeleteDead, RetryAllDead, RetryDead
from exqueue.persistence.values import MAX_BATCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.errors import StoreDamaged
    from exqueue.messages import OperatorMessage
    from exqueue.persistence.values import Overview, StoredJob
    from exqueue.supervision import Reply


IN_TURN: Final = (RetryDead, DeleteDead, RetryAllDead, DeleteAllDead, WhatIsLeft)
"""What waits behind a command on all dead jobs: what is about them too, and whoever wants to know when all is done."""


class Batch(NamedTuple):
    """Dead jobs of one queue under the number of their call."""

    queue: str
    n: int
    ids: list[str]


class Roll:
    """The jobs that were dead when a command on all dead ones was begun, queue by queue, each of them once.

    A job that is revived may be dead again at once: for this command it is done. What dies later is none of its
    business: nobody who gave the command has seen it.

    Args:
        overview: of the queues that are meant, when the command was begun.
    """

    def __init__(self, overview: Overview) -> None:
        self._until = overview.now
        self._queues = deque(counts.queue for counts in overview.queues if counts.dead)
        # Times alone do not tell: they are coarse, and the persistence's clock may be set back.
        self._taken: set[str] = set()
        self.offset = 0

    @property
    def queue(self) -> str | None:
        """Where to look next, from `offset` on; ``None`` when all queues are done."""
        return self._queues[0] if self._queues else None

    def take(self, page: Sequence[StoredJob]) -> list[str]:
        """Those of a page of at most `MAX_BATCH` dead jobs that are meant, in the order in which they died."""
        meant = [job.id for job in page if _died_at(job) <= self._until and job.id not in self._taken]
        self._taken.update(meant)
        if meant:
            # They leave the line, and what stood behind them moves up.
            self.offset = 0
        elif page and _died_at(page[-1]) <= self._until:
            self.offset += MAX_BATCH
        else:
            self.pass_over()
        return meant

    def pass_over(self) -> None:
        """Leave what is left of this queue, and go on with the next."""
        self._queues.popleft()
        self._taken.clear()
        self.offset = 0


def _died_at(job: StoredJob) -> float:
    return job.died_at or 0.0


class GivenUp(Exception):
    """Whoever gave the order has withdrawn it before it was begun."""


class Order:
    """A command under way, with what must be the same when its call is sent again after an answer got lost.

    ``n``: the number of the call, 0 until it is first sent: numbers are drawn in the order of sending. ``queue``: where
    the job was found (a second look would find it changed already). ``roll``, ``batch``, ``count`` and ``damaged``:
    of a command on all dead jobs, which are meant, what is under way, how many are done, and which queues could not be
    looked into.

    Whoever gave it may give up until `begin`; once ``is_begun`` it is carried out to its end.
    """

    __slots__ = ("batch", "count", "damaged", "is_begun", "message", "n", "queue", "reply", "roll")

    def __init__(self, message: OperatorMessage | WhatIsLeft, reply: Reply[Any] | None) -> None:
        self.message = message
        self.n = 0
        self.reply = reply
        self.queue: str | None = None
        self.roll: Roll | None = None
        self.batch: Batch | None = None
        self.count = 0
        self.damaged: dict[str, StoreDamaged] = {}
        self.is_begun = False

    @property
    def is_given_up(self) -> bool:
        """Whether nobody waits any more for what was not begun."""
        return not self.is_begun and self.reply is not None and not self.reply.is_free

    @property
    def how_far(self) -> str:
        """For whoever waits for it when it can't go on."""
        what = type(self.message).__name__
        return f"{what} is done for {self.count} jobs" if self.is_begun else f"{what} is not carried out"

    def begin(self) -> None:
        """Before each call that changes something.

        Raises:
            GivenUp: whoever gave the order was told that it is not carried out.
        """
        if not self.is_begun and self.reply is not None and not self.reply.begin():
            raise GivenUp
        self.is_begun = True

    def take_back(self) -> None:
        """Undo the only `begin`: nothing was changed, and whoever gives up now can be told so."""
        self.is_begun = False
        if self.reply is not None:
            self.reply.give_back()
