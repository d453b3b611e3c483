"""A store that is as it should be has no findings, whatever state its jobs, its queue and its lock are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.persistence.inspection.check import check
from exqueue.persistence.values import Done, Fence
from tests.persistence.conformance.play import Owner, bury, done, give_back, retry
from tests.persistence.fsck.shop import QUEUE, Pusher, end_all, fill, trail

if TYPE_CHECKING:
    from exqueue.persistence.base import Persistence, Session


def assert_sound(store: Persistence, jobs: int) -> None:
    """Nothing is found, and so many jobs were looked at."""
    report = check(store)
    assert report.is_sound, report
    assert report.jobs == jobs


def test_an_empty_store_is_sound(store: Persistence, session: Session) -> None:
    """There is nothing that could be wrong."""
    session.queues()
    report = check(store)
    assert (report.queues, report.jobs, report.findings, report.leader) == (0, 0, (), None)


def test_jobs_in_every_state_are_sound(store: Persistence, session: Session) -> None:
    """Waiting, to be tried again, ready, given back, suspect, running, dead and not reported, and a husk."""
    fill(session)
    assert_sound(store, 9)


def test_a_takeover_leaves_the_store_sound(store: Persistence, session: Session) -> None:
    """What ran goes back; before all is fetched, and after."""
    fill(session)
    fence = session.acquire("node-2", "another", 60.0, 0)
    assert isinstance(fence, Fence)
    assert_sound(store, 9)
    assert check(store).leader == "node-2"
    Owner(session, QUEUE, fence=fence)
    assert_sound(store, 9)
    session.release(fence)
    end_all(session)
    assert_sound(store, 9)


def test_a_new_seat_leaves_the_runs_of_the_one_before_sound(store: Persistence, session: Session) -> None:
    """They are listed and go on."""
    fence = session.acquire("node", "token", 60.0, 0)
    assert isinstance(fence, Fence)
    Pusher(session).push("a", "b", "c")
    Owner(session, QUEUE, fence=fence).fetch(2)
    later = Owner(session, QUEUE, fence=fence, seat=2)
    assert_sound(store, 3)
    later.fetch(1)
    assert_sound(store, 3)


def test_the_head_of_a_serial_queue_is_sound_wherever_it_is(store: Persistence, session: Session) -> None:
    """Running, waiting for its retry, back, dead, revived, and gone."""
    fence = session.acquire("node", "token", 60.0, 0)
    assert isinstance(fence, Fence)
    owner = Owner(session, QUEUE, fence=fence, serial=True)
    Pusher(session).push("a", "b")
    job = owner.fetch_one()
    assert_sound(store, 2)
    owner.settle(retry(job, 0.0, trail()))
    assert_sound(store, 2)
    job = owner.fetch_one()
    owner.settle(give_back(job))
    assert_sound(store, 2)
    owner.settle(bury(owner.fetch_one(), trail(buried=True)))
    assert_sound(store, 2)
    assert session.retry_dead(QUEUE, "person", 1, ["a"]) == ("a",)
    assert_sound(store, 2)
    owner.settle(done(owner.fetch_one()))
    assert_sound(store, 1)


def test_what_people_do_leaves_the_store_sound(store: Persistence, session: Session) -> None:
    """Pausing, cancelling in each state, pushing again under the id of what was cancelled, deleting."""
    owner = fill(session)
    session.set_paused(QUEUE, "person", 2, True)
    for n, job_id in enumerate(("back1", "suspect1", "later1", "failed1", "ready1", "gone1"), 3):
        session.cancel(QUEUE, "person", n, job_id)
    assert_sound(store, 4)
    Pusher(session, "other").push("x")
    Pusher(session, QUEUE)
    session.delete_dead(QUEUE, "person", 20, ["dead1"])
    session.set_paused(QUEUE, "person", 21, False)
    assert_sound(store, 4)
    (run,) = session.list_jobs(QUEUE, "running", 10, 0)
    assert run.run is not None
    owner.settle(Done(run.id, run.run))
    assert_sound(store, 3)


def test_an_id_that_was_cancelled_and_pushed_again_is_sound(store: Persistence, session: Session) -> None:
    """Its first entry is to be skipped, and its second is its own."""
    fence = session.acquire("node", "token", 60.0, 0)
    assert isinstance(fence, Fence)
    owner, pusher = Owner(session, QUEUE, fence=fence), Pusher(session)
    pusher.push("a", "b")
    session.cancel(QUEUE, "person", 1, "a")
    pusher.push("a")
    assert_sound(store, 2)
    owner.fetch(1)
    assert_sound(store, 2)
    owner.fetch(5)
    assert_sound(store, 2)
