"""Who waits at a bell with a time-out."""

from __future__ import annotations

from exqueue.testing.simulation.scheduler import Bell, Scheduler


def test_the_time_that_is_over_first_counts() -> None:
    """A bell that rings in the same moment, before who has waited has its turn, changes nothing."""
    scheduler = Scheduler(0)
    bell = Bell(scheduler)
    answers: list[bool] = []
    scheduler.spawn(lambda: answers.append(scheduler.wait_at(bell, 1.0)), "waits")
    # Due later in the same moment: what is due first has been made ready by then.
    scheduler.sleep(0.5)
    scheduler.after(0.5, bell.ring)
    scheduler.sleep(1.0)
    assert answers == [False]
    assert bell.waiting == []
    scheduler.end()
