"""Thousands of jobs that fail in the same moment do not come back in the same moment."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from exqueue import Enqueue, EnqueueMany, ListJobs, StartWorker
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    import pytest

    from exqueue import SystemRef

COUNTS = {"memory": 2_000, "redis": 10_000, "sqlite": 2_000}
"""The node draws the delays; so many jobs prove it once, and that a store keeps them takes fewer."""
PAGE = 1_000
DELAYS = range(15, 25)


def test_fault_029_ten_thousand_that_failed_together_are_spread(
    system: SystemRef, request: pytest.FixtureRequest
) -> None:
    """Each waits for 15 to 24 s, drawn by chance: no second gets many more than its share. All failures are counted."""
    count = COUNTS[request.node.callspec.params["url"]]

    class Failing:
        def perform(self) -> None:
            raise ConnectionError("the other service is down")

    system.ask(EnqueueMany(Enqueue(Failing) for _ in range(count)), timeout=60)
    system.ask(StartWorker(Failing, concurrency=10))
    eventually(lambda: queue_status(system, "Failing").waiting == count, within=60)

    delays: Counter[int] = Counter()
    for offset in range(0, count, PAGE):
        for job in system.ask(ListJobs("waiting", "Failing", limit=PAGE, offset=offset)):
            assert job.due_at is not None
            assert job.failures == 1
            # The store counts the delay from when the batch of its run was settled, a little later.
            delays[int(job.due_at - job.errors[0].at)] += 1
    assert delays.total() == count
    assert set(DELAYS) <= delays.keys()
    assert max(delays.values()) < 2 * count / len(DELAYS)
    status = queue_status(system, "Failing")
    assert (status.failed, status.dead, status.ready, status.running) == (count, 0, 0, 0)
