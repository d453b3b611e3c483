"""All measures: their names for the command line, where they are taken, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.measures import draining, enqueueing, growing, resting, waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.rig.figures import Reading
    from benchmarks.stage import Stage

OFTEN: Final = 5
SELDOM: Final = 3
"""Of what takes long and is no goal."""

BOTH: Final = ("redis", "sqlite")
REDIS: Final = ("redis",)


@dataclass(frozen=True, slots=True)
class Measure:
    """One of them.

    Args:
        name: on the command line.
        take: one repetition.
        repetitions: how many in each mode.
        stores: on which it is taken.
        modes: in which on Redis.
    """

    name: str
    take: Callable[[Stage], list[Reading]]
    repetitions: int = OFTEN
    stores: tuple[str, ...] = BOTH
    modes: str = "AB"

    def times(self, store: str) -> int:
        """How often it is taken there: SQLite, which has one mode and waits for the disk, is left with `SELDOM`."""
        if store not in self.stores:
            return 0
        return self.repetitions if store == "redis" else min(SELDOM, self.repetitions)


MEASURES: Final = (
    Measure("enqueue", enqueueing.one_by_one),
    Measure("threads", enqueueing.from_eight_threads),
    Measure("bulk", enqueueing.in_batches),
    Measure("drain-1", draining.with_one_worker),
    Measure("drain-10", draining.with_ten_workers),
    Measure("drain-50", draining.with_fifty_workers),
    Measure("short-jobs", draining.short_jobs, SELDOM),
    Measure("mixed", draining.mixed, SELDOM, modes="B"),
    Measure("latency", waiting.latency),
    Measure("queues", draining.many_queues, SELDOM, modes="B"),
    Measure("enqueue-payloads", enqueueing.payloads, SELDOM, modes="B"),
    Measure("drain-payloads", draining.payloads, SELDOM, modes="B"),
    Measure("first-job", waiting.first_job, SELDOM, modes="B"),
    Measure("node-memory", resting.node_memory, SELDOM, modes="B"),
    Measure("idle", resting.idle, 1, modes="B"),
    Measure("job-memory", resting.waiting_job, 1, REDIS, "B"),
    Measure("due", waiting.due_at_once, 1),
    # The server by itself on a CPU: otherwise a call of a script is as long as whatever interrupts it.
    Measure("growth", growing.growth, 1, modes="A"),
)


def chosen(names: list[str]) -> tuple[Measure, ...]:
    """Those of these names, in their own order; all when none is named.

    Raises:
        LookupError: one is not known; the message says which are.
    """
    known = [measure.name for measure in MEASURES]
    if unknown := sorted(set(names) - set(known)):
        raise LookupError(f"there is no measure {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(measure for measure in MEASURES if not names or measure.name in names)
