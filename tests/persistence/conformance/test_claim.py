"""Claiming a queue: fences, seats, and what becomes of the runs."""

import pytest

from exqueue.errors import Fenced, StaleCall
from exqueue.persistence.base import Session
from exqueue.persistence.values import Claimed, Fence, RunningEntry
from tests.persistence.conformance.play import (
    ONE,
    SOON_S,
    Client,
    Owner,
    bury,
    done,
    eventually,
    everything,
    give_back,
    ids,
    listed,
    recovered,
    retry,
)

TWO = Fence(2, "two")


def test_a_first_claim_takes_the_queue(session: Session) -> None:
    """A queue that nobody claimed is anyone's; it then bears the epoch."""
    assert session.claim("q", Fence(7, "seven"), 3) == Claimed(0, ())
    assert session.overview(["q"]).queues[0].epoch == 7


@pytest.mark.parametrize("fence", [Fence(4, "five"), Fence(5, "another"), Fence(1, "")])
def test_an_older_or_foreign_fence_is_refused_with_the_epoch(session: Session, client: Client, fence: Fence) -> None:
    """A lower epoch, or the same with another token, changes nothing and hears the queue's epoch."""
    owner = Owner(session, fence=Fence(5, "five"), seat=4)
    client.push("a")
    owner.fetch_one()
    before = everything(session)
    with pytest.raises(Fenced) as refused:
        session.claim("q", fence, 9)
    assert refused.value.epoch == 5
    assert everything(session) == before
    assert owner.exchange().refused == ()


def test_an_ex_owner_can_do_nothing(session: Session, owner: Owner, client: Client) -> None:
    """After a claim with a new fence the old one settles, fetches and promotes nothing, and hears the epoch."""
    client.push("a", "b")
    client.push("c", delay=SOON_S)
    job = owner.fetch_one()
    session.claim("q", TWO, 1)
    eventually(lambda: Owner(session, fence=TWO, seat=1).sweep() == "due")
    before = everything(session)
    for call in (owner.call, owner.call + 1):
        with pytest.raises(Fenced) as refused:
            owner.ask(call, [done(job)], want=5)
        assert refused.value.epoch == 2
    assert everything(session) == before


def test_a_fence_above_the_queues_must_claim_first(session: Session, owner: Owner, client: Client) -> None:
    """An exchange with a fence that the queue does not know yet is refused with the queue's own epoch."""
    client.push("a")
    with pytest.raises(Fenced) as refused:
        session.exchange("q", TWO, 1, 1, [], 1, serial=False)
    assert refused.value.epoch == 1
    assert listed(session, "ready") == ["a"]


@pytest.mark.parametrize("fence", [ONE, Fence(0, "")])
def test_an_exchange_with_a_queue_that_nobody_claimed_is_refused(
    session: Session, client: Client, fence: Fence
) -> None:
    """Nobody's queue has epoch 0, which is no fence that anyone could have."""
    client.push("a")
    with pytest.raises(Fenced) as refused:
        session.exchange("q", fence, 0, 1, [], 1, serial=False)
    assert refused.value.epoch == 0


def test_a_claim_with_another_fence_puts_back_what_ran(session: Session, owner: Owner, client: Client) -> None:
    """What ran goes back by place, before everything fresh, with one recovery more; nothing runs then."""
    client.push("a", "b", "c", "d")
    owner.fetch(3)
    assert session.claim("q", TWO, 1) == Claimed(0, ())
    assert {state: ids(jobs) for state, jobs in everything(session).items()} == {
        "ready": ["a", "b", "c", "d"],
        "waiting": [],
        "running": [],
        "dead": [],
    }
    jobs = Owner(session, fence=TWO).fetch(4)
    assert [(job.id, job.recoveries) for job in jobs] == [("a", 1), ("b", 1), ("c", 1), ("d", 0)]


def test_what_goes_back_keeps_the_place_of_its_first_fetch(session: Session, owner: Owner, client: Client) -> None:
    """The order of first fetch outlives any number of returns, whichever run is recovered first."""
    client.push("a", "b", "c")
    a, b, _ = owner.fetch(3)
    owner.settle(give_back(b))
    owner.settle(give_back(a))
    assert ids(owner.fetch(1)) == ["a"]
    assert ids(owner.fetch(1)) == ["b"]
    session.claim("q", TWO, 1)
    assert listed(session, "ready") == ["a", "b", "c"]


def test_a_claim_leaves_what_does_not_run(session: Session, owner: Owner, client: Client) -> None:
    """Ready, waiting and dead jobs are no concern of a claim."""
    client.push("a", "b", "c", "d")
    jobs = owner.fetch(3)
    owner.settle(bury(jobs[0]), retry(jobs[1], delay=900.0), give_back(jobs[2]))
    before = everything(session)
    session.claim("q", TWO, 1)
    assert everything(session) == before


def test_a_claim_that_recovers_a_job_again_makes_it_a_suspect(session: Session, owner: Owner, client: Client) -> None:
    """Recoveries add up over leaderships."""
    client.push("a")
    owner.fetch_one()
    second = Owner(session, fence=TWO)
    second.fetch_one()
    third = Owner(session, fence=Fence(3, "three"))
    assert third.fetch() == ()
    assert third.fetch_one(suspect=True).recoveries == 2


def test_a_claim_sent_twice_recovers_once(session: Session, owner: Owner, client: Client) -> None:
    """The second copy of a claim finds its own fence and seat, and changes nothing."""
    client.push("a")
    owner.fetch_one()
    for _ in range(2):
        assert session.claim("q", TWO, 1) == Claimed(0, ())
    assert Owner(session, fence=TWO).fetch_one().recoveries == 1


def test_a_claim_that_comes_late_under_its_own_seat_only_reads(session: Session, owner: Owner, client: Client) -> None:
    """The same seat again changes nothing: it tells the last call and what runs."""
    client.push("a", "b")
    jobs = owner.fetch(2)
    claimed = session.claim("q", ONE, 1)
    assert claimed.call == 1
    assert set(claimed.runs) == {RunningEntry(job.id, job.run) for job in jobs}
    owner.settle(*(done(job) for job in jobs))


def test_a_higher_seat_takes_over_and_begins_at_call_zero(session: Session, owner: Owner, client: Client) -> None:
    """What runs is listed and left alone; only the new seat may call, from 1 on."""
    client.push("a", "b")
    job = owner.fetch_one()
    owner.exchange()
    later = Owner(session, seat=2)
    assert later.claimed == Claimed(0, (RunningEntry("a", job.run),))
    with pytest.raises(StaleCall):
        owner.exchange()
    assert later.exchange(done(job), want=1).refused == ()
    assert ids(session.list_jobs("q", "running", 9, 0)) == ["b"]


def test_a_lower_seat_is_stale(session: Session, client: Client) -> None:
    """A late claim of an earlier owner does not take its seat back."""
    owner = Owner(session, seat=5)
    client.push("a")
    owner.fetch_one()
    before = everything(session)
    with pytest.raises(StaleCall):
        session.claim("q", ONE, 4)
    assert everything(session) == before
    owner.exchange()


def test_seat_zero_just_reads_under_the_same_fence(session: Session, client: Client) -> None:
    """A leader that claims what its own node works already disturbs nothing."""
    owner = Owner(session, seat=5)
    client.push("a")
    job = owner.fetch_one()
    assert session.claim("q", ONE, 0) == Claimed(1, (RunningEntry("a", job.run),))
    owner.settle(done(job))


def test_seat_zero_recovers_under_another_fence(session: Session, owner: Owner, client: Client) -> None:
    """A leader claims what it does not work, too: so nobody's running jobs hang. Any seat may follow."""
    client.push("a")
    owner.fetch_one()
    assert session.claim("q", TWO, 0) == Claimed(0, ())
    assert Owner(session, fence=TWO, seat=1).fetch_one().recoveries == 1


def test_another_fence_may_come_with_a_lower_seat(session: Session, client: Client) -> None:
    """Seats are counted by each system for itself: they are compared only under one fence."""
    Owner(session, seat=50)
    client.push("a")
    assert Owner(session, fence=TWO, seat=1).fetch_one().id == "a"


def test_the_same_epoch_after_a_fallback_is_told_apart_by_its_token(session: Session, client: Client) -> None:
    """A store that went back may issue an epoch twice; the first to claim with it has it."""
    first = Owner(session, fence=Fence(3, "first"))
    client.push("a")
    with pytest.raises(Fenced) as refused:
        session.claim("q", Fence(3, "second"), 1)
    assert refused.value.epoch == 3
    assert first.fetch_one().id == "a"


def test_a_run_from_before_a_claim_settles_nothing(session: Session, owner: Owner, client: Client) -> None:
    """A superseded run can't finish, fail, bury or return the job, under whatever fence it is told."""
    client.push("a")
    old = owner.fetch_one()
    later = Owner(session, fence=TWO, seat=2)
    new = later.fetch_one()
    assert new.run != old.run
    answer = later.exchange(done(old), retry(old), bury(old), give_back(old), recovered(old))
    assert answer.refused == (0, 1, 2, 3, 4)
    assert listed(session, "running") == ["a"]
    later.settle(done(new))


def test_claims_of_one_queue_do_not_touch_another(session: Session) -> None:
    """Fence, seat and runs are the queue's own."""
    mail, image = Owner(session, "mail"), Owner(session, "image", seat=9)
    for name in ("mail", "image"):
        Client(session, name).push("a")
    job = image.fetch_one()
    session.claim("mail", TWO, 1)
    with pytest.raises(Fenced):
        mail.exchange()
    image.settle(done(job))
