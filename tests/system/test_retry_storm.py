"""Thousands of jobs that fail in the same moment do not come back in the same moment."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from exqueue import Enqueue, EnqueueMany, ListJobs, StartWorker
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    from exqueue import SystemRef

COUNT = 10_000
PAGE = 1_000
DELAYS = range(15, 25)


def test_fault_029_ten_thousand_that_failed_together_are_spread(system: SystemRef) -> None:
    """Each waits for 15 to 24 s, drawn by chance: no second gets many more than its share. All failures are counted."""

    class Failing:
        def perform(self) -> None:
            raise ConnectionError("the other service is down")

    system.ask(EnqueueMany(Enqueue(Failing) for _ in range(COUNT)), timeout=60)
    system.ask(StartWorker(Failing, concurrency=10))
    eventually(lambda: queue_status(system, "Failing").waiting == COUNT, within=60)

    delays: Counter[int] = Counter()
    for offset in range(0, COUNT, PAGE):
        for job in system.ask(ListJobs("waiting", "Failing", limit=PAGE, offset=offset)):
            assert job.due_at is not None
            assert job.failures == 1
            # The store counts the delay from when the batch of its run was settled, a little later.
            delays[int(job.due_at - job.errors[0].at)] += 1
    assert delays.total() == COUNT
    assert set(DELAYS) <= delays.keys()
    assert max(delays.values()) < 2 * COUNT / len(DELAYS)
    status = queue_status(system, "Failing")
    assert (status.failed, status.dead, status.ready, status.running) == (COUNT, 0, 0, 0)
