"""How a run ended, told to the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from exqueue.persistence.sqlite.queue import DEAD, RUNNING, WAITING, state_of_return, with_one_more
from exqueue.persistence.values import Bury, Done, GiveBack, Recovered, Retry, Settlement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.persistence.sqlite.connection import Step
    from exqueue.persistence.sqlite.queue import QueueRow

_BURY: Final = """
    UPDATE jobs SET state = ?, rank = ?, unreported = run, run = NULL, trail = coalesce(?, trail)
    WHERE queue = ? AND id = ? AND run = ?
"""
# A job that does not run has no run, so that none of these finds it.
_DONE: Final = "DELETE FROM jobs WHERE queue = ? AND id = ? AND run = ?"
_FAIL: Final = """
    UPDATE jobs SET state = ?, rank = ?, run = NULL, trail = coalesce(?, trail)
    WHERE queue = ? AND id = ? AND run = ?
"""
_RECOVERED: Final = f"SELECT recovered FROM jobs WHERE queue = ? AND id = ? AND run = ? AND state = {RUNNING}"  # noqa: S608
_PUT_BACK: Final = "UPDATE jobs SET state = ?, run = NULL, recovered = ? WHERE queue = ? AND id = ?"


@dataclass(frozen=True, slots=True)
class Settled:
    """What was applied: the positions that were refused, and how many jobs were done and how many failed."""

    refused: tuple[int, ...]
    processed: int
    failed: int


def settle(step: Step, queue: QueueRow, settlements: Sequence[Settlement]) -> Settled:
    """Apply those that name the job's running run; a serial head that is done is cleared in ``queue``."""
    refused: list[int] = []
    processed = failed = 0
    for at, ended in enumerate(settlements):
        if not _settle(step, queue, ended):
            refused.append(at)
        elif isinstance(ended, Done):
            processed += 1
            if queue.head == ended.id:
                queue.head = None
        elif isinstance(ended, Bury) or (isinstance(ended, Retry) and ended.trail is not None):
            failed += 1
    queue.moved.running -= len(settlements) - len(refused)
    return Settled(tuple(refused), processed, failed)


def _settle(step: Step, queue: QueueRow, ended: Settlement) -> bool:
    of_run = (queue.key, ended.id, ended.run)
    match ended:
        case Done():
            return step.db.execute(_DONE, of_run).rowcount > 0
        case Retry(delay=delay, trail=trail):
            values = (WAITING, step.now + max(0.0, delay), trail, *of_run)
            retried = step.db.execute(_FAIL, values).rowcount
            queue.moved.waiting += retried
            return retried > 0
        case Bury(trail=trail):
            buried = step.db.execute(_BURY, (DEAD, step.now, trail, *of_run)).rowcount
            queue.moved.dead += buried
            return buried > 0
        case GiveBack() | Recovered():
            row = step.db.execute(_RECOVERED, of_run).fetchone()
            if row is None:
                return False
            times = with_one_more(row[0], step.now) if isinstance(ended, Recovered) else row[0]
            back = (state_of_return(times, step.now), times, queue.key, ended.id)
            step.db.execute(_PUT_BACK, back)
            queue.moved.ready += 1
            return True
        case _:
            assert_never(ended)
