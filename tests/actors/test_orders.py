"""Which dead jobs a command on all of them is for, page by page."""

from __future__ import annotations

import pytest

from exqueue.actors import orders
from exqueue.actors.orders import Roll
from exqueue.persistence.values import Overview, QueueCounts, StoredJob


@pytest.fixture(autouse=True)
def _pages_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "MAX_BATCH", 2)


def dead(name: str, died_at: float) -> StoredJob:
    """A dead job."""
    return StoredJob(name, "q", "dead", b"", None, 0, died_at=died_at)


def roll(**dead_of: int) -> Roll:
    """A command given at the time 100, with so many dead jobs in each queue."""
    counts = (
        QueueCounts(
            queue=queue, ready=0, waiting=0, running=0, dead=count, paused=False, head=None, head_dead=False,
            oldest_ready=None, suspects=0, processed=0, failed=0, epoch=0,
        )
        for queue, count in dead_of.items()
    )  # fmt: skip
    return Roll(Overview(100.0, None, tuple(counts)))


def test_only_queues_with_dead_jobs_are_looked_at() -> None:
    """The others cost no call."""
    it = roll(empty=0, full=1)
    assert it.queue == "full"
    assert it.take([dead("a", 99.0)]) == ["a"]
    assert it.queue == "full"
    assert it.take([]) == []
    assert it.queue is None


def test_what_died_again_in_the_same_moment_hides_nothing() -> None:
    """It stands before others that are meant: they are looked for on the next page."""
    it = roll(q=4)
    assert it.take([dead("a", 90.0), dead("b", 90.0)]) == ["a", "b"]
    assert it.take([dead("a", 100.0), dead("b", 100.0)]) == []
    assert (it.queue, it.offset) == ("q", 2)
    assert it.take([dead("c", 100.0), dead("d", 100.1)]) == ["c"]
    assert (it.queue, it.offset) == ("q", 0)


def test_an_id_in_two_queues_is_two_jobs() -> None:
    """What was taken from one queue says nothing of the next."""
    it = roll(one=1, other=1)
    assert it.take([dead("a", 90.0)]) == ["a"]
    assert it.take([dead("a", 101.0)]) == []
    assert it.queue == "other"
    assert it.take([dead("a", 90.0)]) == ["a"]
