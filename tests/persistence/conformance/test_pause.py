"""Pausing a queue: stored, so that it holds over owners, sessions and leaderships."""

import pytest

from exqueue.errors import StaleCall
from exqueue.persistence.base import Persistence, Session
from exqueue.persistence.values import Fence
from tests.persistence.conformance.play import SOON_S, Client, Owner, done, ids, listed, pass_time


def is_paused(session: Session) -> bool:
    """Whether the overview says so of the queue ``q``."""
    return session.overview(["q"]).queues[0].paused


def test_a_paused_queue_hands_out_nothing(session: Session, owner: Owner, client: Client) -> None:
    """What is ready and what went back stays; the answer and the overview say why."""
    client.push("a")
    assert not owner.exchange().paused
    client.pause()
    answer = owner.exchange(want=5)
    assert (answer.jobs, answer.paused, is_paused(session)) == ((), True, True)
    assert listed(session, "ready") == ["a"]


def test_a_resumed_queue_goes_on(session: Session, owner: Owner, client: Client) -> None:
    """Nothing has changed meanwhile."""
    client.push("a")
    client.pause()
    client.resume()
    answer = owner.exchange(want=5)
    assert (ids(answer.jobs), answer.paused, is_paused(session)) == (["a"], False, False)


def test_what_runs_may_end_while_the_queue_is_paused(session: Session, owner: Owner, client: Client) -> None:
    """Pausing stops fetching, never settling."""
    client.push("a", "b")
    job = owner.fetch_one()
    client.pause()
    answer = owner.exchange(done(job), want=1)
    assert (answer.jobs, answer.refused) == ((), ())
    assert session.get_jobs("a", ["q"]) == ()


def test_a_call_from_before_the_pause_is_answered_again(owner: Owner, client: Client) -> None:
    """What was handed out was handed out; only the news of the pause is new."""
    client.push("a")
    jobs = owner.fetch(1)
    client.pause()
    again = owner.ask(owner.call, want=1)
    assert (again.jobs, again.paused) == (jobs, True)


def test_a_pause_holds_over_owners_and_sessions(store: Persistence, owner: Owner, client: Client) -> None:
    """A new leadership and another connection find the queue paused."""
    client.push("a")
    client.pause()
    other = store.session(timeout=10.0)
    try:
        later = Owner(other, fence=Fence(2, "two"))
        assert later.exchange(want=1).paused
        assert is_paused(other)
        Client(other, caller="another").resume()
        assert ids(later.fetch(1)) == ["a"]
    finally:
        other.close()


def test_jobs_may_be_pushed_while_the_queue_is_paused(session: Session, client: Client) -> None:
    """Pausing is the owner's business."""
    client.pause()
    client.push("a")
    assert listed(session, "ready") == ["a"]


def test_waiting_jobs_join_the_line_while_the_queue_is_paused(session: Session, owner: Owner, client: Client) -> None:
    """So the owner is not told again and again that something is due."""
    client.pause()
    client.push("a", delay=SOON_S)
    pass_time(session, SOON_S)
    assert owner.exchange(want=5).next_due is None
    assert listed(session, "ready") == ["a"]


def test_a_queue_may_be_paused_before_its_first_job(session: Session, client: Client) -> None:
    """A paused queue exists, and stays paused when it is first claimed."""
    client.pause()
    assert session.queues() == ("q",)
    client.push("a")
    assert Owner(session).exchange(want=1).jobs == ()


def test_a_late_pause_does_not_undo_a_resume(session: Session, owner: Owner) -> None:
    """A copy of an earlier command is stale; a copy of the last one changes nothing."""
    session.set_paused("q", "me", 1, True)
    session.set_paused("q", "me", 2, False)
    with pytest.raises(StaleCall):
        session.set_paused("q", "me", 1, True)
    session.set_paused("q", "me", 2, False)
    session.set_paused("q", "me", 2, True)
    assert not owner.exchange().paused


def test_only_the_named_queue_is_paused(session: Session, client: Client) -> None:
    """Its neighbours go on."""
    other = Owner(session, "other")
    Client(session, "other").push("a")
    client.pause()
    assert ids(other.fetch(1)) == ["a"]
