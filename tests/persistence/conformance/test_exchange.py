"""The numbers of an exchange: the next call is applied, the last is answered again, anything else is stale."""

import pytest

from exqueue.errors import ConfigError, StaleCall
from exqueue.persistence.base import Session
from exqueue.persistence.values import MAX_BATCH, Done
from tests.persistence.conformance.play import (
    Client,
    Owner,
    done,
    everything,
    give_back,
    ids,
    listed,
    retry,
)


def test_no_more_jobs_are_handed_out_than_wanted(session: Session, owner: Owner, client: Client) -> None:
    """``want`` is the most; the rest stays ready."""
    client.push("a", "b", "c")
    assert owner.fetch(0) == ()
    assert ids(owner.fetch(2)) == ["a", "b"]
    assert listed(session, "ready") == ["c"]
    assert ids(owner.fetch(2)) == ["c"]
    assert owner.fetch(2) == ()


def test_one_exchange_settles_and_fetches(session: Session, owner: Owner, client: Client) -> None:
    """What ended is settled before the next jobs are chosen, in the same step."""
    client.push("a", "b")
    job = owner.fetch_one()
    answer = owner.exchange(done(job), want=1)
    assert (ids(answer.jobs), answer.refused) == (["b"], ())
    assert listed(session, "running") == ["b"]


def test_the_last_call_again_is_answered_again_and_applied_once(session: Session, owner: Owner, client: Client) -> None:
    """A lost reply is heard by asking again: the same jobs, runs and refusals, and nothing is done a second time."""
    client.push("a", "b", "c", "d")
    first = owner.fetch_one()
    settlements = [done(first), Done("nobody", b"1|1|1|1"), done(first)]
    answer = owner.exchange(*settlements, want=2)
    before = everything(session)
    again = owner.ask(owner.call, settlements, want=2)
    assert answer.refused == (1, 2)
    assert (again.jobs, again.refused, again.paused) == (answer.jobs, answer.refused, answer.paused)
    assert everything(session) == before
    assert session.overview(["q"]).queues[0].processed == 1


def test_the_answer_given_again_keeps_the_order_of_the_hand_out(owner: Owner, client: Client) -> None:
    """Returned jobs by place, then fresh ones: also when it is told a second time."""
    names = [f"job-{number}" for number in (5, 3, 9, 1, 7, 2)]
    client.push(*names)
    jobs = owner.fetch(4)
    owner.settle(*(give_back(job) for job in reversed(jobs)))
    answer = owner.exchange(want=6)
    assert ids(answer.jobs) == names
    assert owner.ask(owner.call, want=6).jobs == answer.jobs


def test_the_last_call_again_obeys_nothing_that_it_says_differently(
    session: Session, owner: Owner, client: Client
) -> None:
    """Only the number counts: a copy with other settlements or another ``want`` changes nothing."""
    client.push("a", "b", "c")
    (job,) = owner.fetch(1)
    before = everything(session)
    assert ids(owner.ask(owner.call, [done(job)], want=3).jobs) == ["a"]
    assert everything(session) == before


def test_a_run_that_ended_since_is_not_answered_again(session: Session, owner: Owner, client: Client) -> None:
    """The answer given again lists the runs of that call which are still running."""
    client.push("a", "b")
    a, b = owner.fetch(2)
    owner.settle(done(a))
    assert owner.ask(owner.call).jobs == ()
    assert Owner(session, seat=1).ask(owner.call).jobs == ()
    assert listed(session, "running") == [b.id]


@pytest.mark.parametrize("offset", [-1, 2, 50])
def test_any_other_call_is_stale(session: Session, owner: Owner, client: Client, offset: int) -> None:
    """A late call and a call from the future settle, fetch and promote nothing."""
    client.push("a", "b", "c")
    job = owner.fetch_one()
    owner.exchange()
    owner.exchange()
    before = everything(session)
    with pytest.raises(StaleCall):
        owner.ask(owner.call + offset, [done(job)], want=2)
    assert everything(session) == before
    owner.settle(done(job))


@pytest.mark.parametrize("seat", [0, 4, 6])
def test_another_seat_is_stale(session: Session, client: Client, seat: int) -> None:
    """Only the seat that claimed last may exchange, whatever the number of its call."""
    owner = Owner(session, seat=5)
    client.push("a", "b")
    job = owner.fetch_one()
    before = everything(session)
    owner.seat = seat
    for call in (owner.call, owner.call + 1):
        with pytest.raises(StaleCall):
            owner.ask(call, [done(job)], want=2)
    assert everything(session) == before


def test_a_call_that_was_refused_may_be_sent_rightly(owner: Owner, client: Client) -> None:
    """A stale call is not counted: the next one is still the next one."""
    client.push("a")
    with pytest.raises(StaleCall):
        owner.ask(owner.call + 2, want=1)
    assert owner.fetch_one().id == "a"


def test_a_new_seat_does_not_hear_the_answer_of_the_old_one(session: Session, owner: Owner, client: Client) -> None:
    """Runs are named by seat and call, so the first call of a new seat never lists those of another."""
    client.push("a", "b")
    owner.fetch_one()
    later = Owner(session, seat=2)
    assert ids(later.fetch(1)) == ["b"]
    assert ids(later.ask(1).jobs) == ["b"]


def test_refusals_are_those_of_the_last_call_only(owner: Owner, client: Client) -> None:
    """The next call has refusals of its own."""
    client.push("a")
    job = owner.fetch_one()
    assert owner.exchange(done(job), done(job)).refused == (1,)
    assert owner.exchange().refused == ()
    assert owner.ask(owner.call).refused == ()


def test_each_run_has_a_name_of_its_own(owner: Owner, client: Client) -> None:
    """No two runs of a job are named alike, so that none can settle another."""
    client.push("a")
    seen = set()
    for _ in range(5):
        job = owner.fetch_one()
        assert job.run not in seen
        seen.add(job.run)
        owner.settle(give_back(job))


def test_a_run_handed_out_again_by_its_own_exchange_is_a_new_run(owner: Owner, client: Client) -> None:
    """A job that is given back and fetched in one exchange runs under a new name; the old one is over."""
    client.push("a")
    old = owner.fetch_one()
    (new,) = owner.exchange(give_back(old), want=1).jobs
    assert new.run != old.run
    assert owner.exchange(done(old)).refused == (0,)
    owner.settle(done(new))


@pytest.mark.parametrize("want", [-1, MAX_BATCH + 1])
def test_a_want_out_of_bounds_is_refused_before_anything_is_done(
    session: Session, owner: Owner, client: Client, want: int
) -> None:
    """Bounds are checked first: nothing is settled, and the call is not counted."""
    client.push("a", "b")
    job = owner.fetch_one()
    before = everything(session)
    with pytest.raises(ConfigError):
        owner.ask(owner.call + 1, [done(job)], want)
    assert everything(session) == before
    owner.settle(done(job))


def test_too_many_settlements_are_refused_before_anything_is_done(
    session: Session, owner: Owner, client: Client
) -> None:
    """More than `MAX_BATCH` settlements settle nothing, and the call is not counted."""
    client.push("a")
    job = owner.fetch_one()
    with pytest.raises(ConfigError):
        owner.ask(owner.call + 1, [done(job)] * (MAX_BATCH + 1))
    assert listed(session, "running") == ["a"]
    owner.settle(done(job))


def test_nothing_waits_when_nothing_is_delayed(owner: Owner, client: Client) -> None:
    """``next_due`` is ``None`` when there is no waiting job."""
    client.push("a")
    assert owner.exchange().next_due is None


def test_next_due_tells_the_seconds_until_the_earliest(owner: Owner, client: Client) -> None:
    """It is the earliest of all that waits, pushed or retried."""
    client.push("a", delay=500.0)
    client.push("b")
    job = owner.fetch_one()
    assert 490.0 < (owner.exchange(retry(job, 900.0)).next_due or 0.0) <= 500.0
    client.push("c", delay=100.0)
    answer = owner.exchange()
    assert 90.0 < (answer.next_due or 0.0) <= 100.0
    assert 90.0 < (owner.ask(owner.call).next_due or 0.0) <= 100.0
