"""Jobs that wait: for their first run or for the next, and how they join the line."""

import pytest

from exqueue.persistence.base import Session
from exqueue.persistence.values import MAX_BATCH, MAX_PROMOTED
from tests.persistence.conformance.play import (
    FAR_S,
    SOON_S,
    Client,
    Owner,
    eventually,
    ids,
    listed,
    pass_time,
    retry,
)


def test_a_delayed_job_is_handed_out_when_it_is_due(session: Session, owner: Owner, client: Client) -> None:
    """It waits, and joins the line in an exchange after its time."""
    client.push("a", delay=SOON_S)
    assert listed(session, "waiting") == ["a"]
    assert ids(eventually(lambda: owner.fetch(1))) == ["a"]


def test_a_delayed_job_is_not_handed_out_before(session: Session, owner: Owner, client: Client) -> None:
    """It is due by the persistence's clock, and not when the line is empty."""
    client.push("a", delay=FAR_S)
    assert owner.fetch(5) == ()
    assert listed(session, "waiting") == ["a"]


def test_a_job_may_be_due_at_a_time(session: Session, owner: Owner, client: Client) -> None:
    """``at`` is a moment on the persistence's clock, told as ``due_at``."""
    at = session.overview(()).now + SOON_S
    client.push("a", at=at)
    (job,) = session.list_jobs("q", "waiting", 10, 0)
    assert job.due_at == pytest.approx(at, abs=0.002)
    assert ids(eventually(lambda: owner.fetch(1))) == ["a"]
    assert session.overview(()).now >= at - 0.002


def test_a_job_of_the_past_is_ready_at_once(session: Session, client: Client) -> None:
    """Neither a moment that has gone by nor a delay of nothing makes a job wait."""
    client.push("a", at=session.overview(()).now - 10.0)
    client.push("b", at=0.0)
    client.push("c", delay=-5.0)
    assert listed(session, "ready") == ["a", "b", "c"]


def test_at_goes_before_delay(session: Session, client: Client) -> None:
    """Where both are given the moment counts."""
    now = session.overview(()).now
    client.push("a", at=now - 1.0, delay=FAR_S)
    client.push("b", at=now + FAR_S, delay=0.0)
    assert (listed(session, "ready"), listed(session, "waiting")) == (["a"], ["b"])


def test_waiting_jobs_join_in_the_order_in_which_they_fall_due(session: Session, owner: Owner, client: Client) -> None:
    """Not the order of pushing, but that of their times, counts."""
    now = session.overview(()).now
    client.push("third", at=now + SOON_S)
    client.push("first", at=now + SOON_S - 0.02)
    client.push("second", at=now + SOON_S - 0.01)
    assert listed(session, "waiting") == ["first", "second", "third"]
    pass_time(session, SOON_S)
    assert ids(owner.fetch(9)) == ["first", "second", "third"]


def test_jobs_of_one_time_join_in_the_order_of_their_ids(session: Session, owner: Owner, client: Client) -> None:
    """The order is the same each time, on every backend."""
    at = session.overview(()).now + SOON_S
    client.push("c", "a", "b", at=at)
    pass_time(session, SOON_S)
    assert ids(owner.fetch(9)) == ["a", "b", "c"]


def test_what_becomes_due_joins_behind_what_is_ready(session: Session, owner: Owner, client: Client) -> None:
    """Due is ready, not urgent."""
    client.push("a", delay=SOON_S)
    client.push("b")
    pass_time(session, SOON_S)
    assert ids(owner.fetch(9)) == ["b", "a"]


def test_a_bounded_number_joins_in_one_exchange(session: Session, owner: Owner, client: Client) -> None:
    """At most `MAX_PROMOTED` a call, the earliest first; ``next_due`` is then 0.0: exchange again at once."""
    names = [f"job-{number:04}" for number in range(MAX_BATCH)]
    client.push(*names, delay=SOON_S)
    client.push("later", delay=FAR_S)
    pass_time(session, SOON_S)
    answer = owner.exchange(want=MAX_BATCH)
    assert (ids(answer.jobs), answer.next_due) == (names[:MAX_PROMOTED], 0.0)
    answer = owner.exchange(want=MAX_BATCH)
    assert ids(answer.jobs) == names[MAX_PROMOTED : 2 * MAX_PROMOTED]
    assert FAR_S - 60.0 < (answer.next_due or 0.0) <= FAR_S


def test_jobs_join_the_line_whatever_is_wanted(session: Session, owner: Owner, client: Client) -> None:
    """An owner without an idle worker promotes as well, so that the order is that of the times."""
    client.push("a", delay=SOON_S)
    pass_time(session, SOON_S)
    answer = owner.exchange(want=0)
    assert (answer.next_due, listed(session, "ready")) == (None, ["a"])


def test_a_retried_job_is_handed_out_when_it_is_due(session: Session, owner: Owner, client: Client) -> None:
    """The delay of a retry is waited out like any other."""
    client.push("a")
    answer = owner.exchange(retry(owner.fetch_one(), SOON_S), want=1)
    assert (answer.jobs, listed(session, "waiting")) == ((), ["a"])
    assert 0.0 < (answer.next_due or 0.0) <= SOON_S
    assert ids(eventually(lambda: owner.fetch(1))) == ["a"]


def test_a_waiting_job_waits_through_a_claim(session: Session, owner: Owner, client: Client) -> None:
    """Whoever owns the queue then hands it out."""
    client.push("a", delay=SOON_S)
    later = Owner(session, seat=2)
    assert ids(eventually(lambda: later.fetch(1))) == ["a"]
