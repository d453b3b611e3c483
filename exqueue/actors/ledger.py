"""Which deaths are still to be said, and which are said without the persistence knowing it: the Reporter's books."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from exqueue.actors.settings import VERB_TIMEOUT_S
from exqueue.actors.tables import (
    DeathKey,
    deaths_table,
    found_deaths_table,
    lead_table,
    outages_table,
    unmarked_table,
    unswept_table,
)
from exqueue.errors import Outage, StoreDamaged
from exqueue.messages import JobDied
from exqueue.persistence.values import MAX_BATCH, Mark
from exqueue.record import decode_trail_if_readable, peek_if_readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from exqueue.actors.settings import NodeSettings
    from exqueue.clock import Clock
    from exqueue.persistence.values import Unreported
    from exqueue.supervision import Board

FOUND_AT_ONCE: Final = 100
"""How many deaths are read at once: each comes with its trail, of up to 190 KB."""

LOOK_AFTER_S: Final = 1.0
"""How long after a claim a queue is looked through: a node that stops in good order marks what it said until then."""

FOUND_KEPT: Final = 10_000
"""How many of the deaths that were found late are remembered as said."""


@dataclass(frozen=True, slots=True)
class Unmarkable:
    """A queue whose marks can't be removed, and why."""

    queue: str
    reason: str


class Ledger:
    """A death is in one of three states: on the board to be said, said and not marked so yet, or done with.

    All that is known stands on the board, so that a Reporter that crashes loses none of it. What stood on the board of
    a node that is gone is found by its mark in the persistence. The calls block, for at most `VERB_TIMEOUT_S` each.

    Args:
        board: of this system.
        settings: of it.
        clock: of this node.
        call: the way to the persistence, `Actor.call`.
    """

    def __init__(self, board: Board, settings: NodeSettings, clock: Clock, call: Callable[..., Any]) -> None:
        self._node = settings.config.node
        self._session = settings.persistence.session(timeout=VERB_TIMEOUT_S, pooled=True)
        self._clock = clock
        self._call = call
        self._deaths = deaths_table(board)
        self._unmarked = unmarked_table(board)
        self._unswept = unswept_table(board)
        self._found = found_deaths_table(board)
        self._outages = outages_table(board)
        self._lead = lead_table(board)

    @property
    def has_unmarked(self) -> bool:
        """Whether the persistence does not know of some deaths that they are in the log."""
        return bool(self._unmarked)

    @property
    def is_balanced(self) -> bool:
        """Whether there is nothing to tell the persistence, nor to ask it."""
        return not (self._unmarked or self._unswept)

    @property
    def wait_s(self) -> float:
        """Seconds until `balance` has something to do, if there is anything at all."""
        if self._unmarked or not self._unswept:
            return 0.0
        return min(self._unswept.copy().values(), default=0.0) + LOOK_AFTER_S - self._clock.monotonic()

    # -- what is to be said
    def to_say(self) -> Iterator[tuple[DeathKey, JobDied]]:
        """The deaths that are not in the log yet, each until it is `said`."""
        for key in list(self._deaths):
            died: JobDied | None = self._deaths.get(key)
            if died is None:
                continue
            if key in self._unmarked or key in self._found:
                # It was found by its mark, and said, before the Fetcher heard that it was buried.
                self._deaths.pop(key, None)
                continue
            yield key, died

    def said(self, key: DeathKey, died: JobDied) -> None:
        """The death is in the log."""
        self._unmarked[key] = True
        if died.found_after_crash:
            self._found[key] = True
            while len(self._found) > FOUND_KEPT:
                self._found.pop(next(iter(self._found)))
        self._deaths.pop(key, None)

    def leave_to_others(self) -> None:
        """Drop the deaths that another node has said: it may have led, and found them, since this one does not.

        Raises:
            Outage: that is not to be found out now.
        """
        if not self._deaths or self._is_leading() or self._is_outage():
            return
        known = list(self._deaths)
        for queue in dict.fromkeys(key.queue for key in known):
            page = self._call(self._session.unreported, queue, MAX_BATCH)
            if len(page) == MAX_BATCH:
                continue
            left = {DeathKey(queue, one.mark.id, one.mark.run) for one in page}
            for key in known:
                if key.queue == queue and key not in left:
                    self._deaths.pop(key, None)

    def _is_leading(self) -> bool:
        return "fence" in self._lead and self._clock.boottime() <= self._lead.get("lease_until", 0.0)

    # -- what the persistence is told and asked
    def balance(self) -> Unmarkable | None:
        """Mark as reported what was said, and look for what nobody has said in the queues that were claimed.

        Returns:
            A queue whose marks are damaged: they stay as they are, and its deaths may be said once more.

        Raises:
            Outage: some of it is still to be done.
        """
        if self._is_outage():
            raise Outage("another actor has met an outage", sent=False)
        queue = ""
        try:
            for queue, keys in self._unmarked_by_queue().items():
                for at in range(0, len(keys), MAX_BATCH):
                    self._mark(queue, keys[at : at + MAX_BATCH])
            for queue, since in self._to_sweep():
                self._sweep(queue, since)
        except StoreDamaged as damage:
            self._unswept.pop(queue, None)
            for key in self._unmarked_by_queue().get(queue, ()):
                self._unmarked.pop(key, None)
            return Unmarkable(queue, damage.reason)
        return None

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _is_outage(self) -> bool:
        """Whether it is known that asking would be in vain, and perhaps take long."""
        return any(not row.is_local for row in self._outages.copy().values())

    def _unmarked_by_queue(self) -> dict[str, list[DeathKey]]:
        found: dict[str, list[DeathKey]] = {}
        for key in list(self._unmarked):
            found.setdefault(key.queue, []).append(key)
        return found

    def _mark(self, queue: str, keys: list[DeathKey]) -> None:
        self._call(self._session.reported, queue, [Mark(key.id, key.run) for key in keys])
        for key in keys:
            self._unmarked.pop(key, None)

    def _to_sweep(self) -> list[tuple[str, float]]:
        """Queues to look through now, with when they were claimed; none while somebody else may look there."""
        if "fence" not in self._lead:
            self._unswept.clear()
        if not self._is_leading():
            return []
        now = self._clock.monotonic()
        return [(queue, since) for queue, since in self._unswept.copy().items() if now - since >= LOOK_AFTER_S]

    def _sweep(self, queue: str, since: float) -> None:
        # Before it is read: who claims it once more meanwhile has it read once more.
        self._unswept.pop(queue, None)
        page = None
        try:
            page = self._call(self._session.unreported, queue, FOUND_AT_ONCE)
        finally:
            if page is None or len(page) >= FOUND_AT_ONCE:
                self._unswept.setdefault(queue, since)
        for one in sorted(page, key=lambda one: one.job.died_at or 0.0):
            key = DeathKey(queue, one.mark.id, one.mark.run)
            if key in self._unmarked or key in self._found:
                self._unmarked[key] = True
            elif key not in self._deaths:
                self._deaths[key] = self._event(one)

    def _event(self, found: Unreported) -> JobDied:
        """What the store knows of a death."""
        job = found.job
        header, trail = peek_if_readable(job.record), decode_trail_if_readable(job.trail)
        error = trail.errors[-1] if trail.errors else None
        return JobDied(
            id=job.id,
            job="" if header is None else header.job,
            queue=job.queue,
            node=self._node if error is None else error.node,
            attempts=trail.failures,
            recoveries=job.recoveries,
            reason=trail.reason or "why is not known: its trail can't be read",
            error=error,
            at=self._clock.time() if job.died_at is None else job.died_at,
            found_after_crash=True,
        )
