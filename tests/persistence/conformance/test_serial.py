"""A serial queue: one job at a time, and nothing else while its head is not gone."""

from collections.abc import Callable

import pytest

from exqueue.persistence.base import Session
from exqueue.persistence.values import Fence, Fetched, QueueCounts, Settlement
from tests.persistence.conformance.play import (
    FAR_S,
    ONE,
    SOON_S,
    Client,
    Owner,
    bury,
    done,
    eventually,
    give_back,
    ids,
    listed,
    recovered,
    retry,
)

TWO = Fence(2, "two")


@pytest.fixture
def owner(serial_owner: Owner) -> Owner:
    """In this file the queue is worked serially."""
    return serial_owner


def counts_of(session: Session) -> QueueCounts:
    """The counts of the queue ``q``."""
    return session.overview(["q"]).queues[0]


def test_one_job_is_handed_out_whatever_is_wanted(session: Session, owner: Owner, client: Client) -> None:
    """A serial exchange hands out the first, which becomes the head."""
    client.push("a", "b", "c")
    assert ids(owner.fetch(5)) == ["a"]
    assert counts_of(session).head == "a"
    assert owner.fetch(5) == ()


def test_the_next_job_comes_after_the_head_is_done(session: Session, owner: Owner, client: Client) -> None:
    """Done clears the head in the step that hands out the next one."""
    client.push("a", "b")
    (b,) = owner.exchange(done(owner.fetch_one()), want=1).jobs
    assert (b.id, counts_of(session).head) == ("b", "b")
    owner.settle(done(b))
    assert counts_of(session).head is None


def test_a_head_that_waits_for_its_retry_holds_up_the_queue(session: Session, owner: Owner, client: Client) -> None:
    """Nothing else is offered while the head waits, and it comes next when it is due."""
    client.push("a", "b")
    owner.settle(retry(owner.fetch_one(), SOON_S))
    assert (owner.fetch(5), counts_of(session).head) == ((), "a")
    assert ids(eventually(lambda: owner.fetch(5))) == ["a"]


def test_a_head_that_failed_comes_again_before_what_was_pushed_since(owner: Owner, client: Client) -> None:
    """The head is retried in place, however often."""
    client.push("a", "b")
    job = owner.fetch_one()
    for _ in range(3):
        (job,) = owner.exchange(retry(job), want=1).jobs
        assert job.id == "a"
    assert ids(owner.exchange(done(job), want=1).jobs) == ["b"]


@pytest.mark.parametrize("end", [give_back, recovered])
def test_a_head_that_went_back_comes_again(
    session: Session, owner: Owner, client: Client, end: Callable[[Fetched], Settlement]
) -> None:
    """Whether it was interrupted or its thread was lost: the head stays the head."""
    client.push("a", "b")
    job = owner.fetch_one()
    owner.settle(end(job))
    assert counts_of(session).head == "a"
    assert owner.fetch_one().id == "a"


def test_a_head_is_kept_through_a_claim(session: Session, owner: Owner, client: Client) -> None:
    """The next leader goes on with the job that the last one did not finish."""
    client.push("a", "b")
    owner.fetch_one()
    later = Owner(session, fence=TWO, serial=True)
    assert counts_of(session).head == "a"
    job = later.fetch_one()
    assert (job.id, job.recoveries) == ("a", 1)
    assert ids(later.exchange(done(job), want=1).jobs) == ["b"]


def test_a_waiting_head_is_kept_through_a_claim(session: Session, owner: Owner, client: Client) -> None:
    """Also a head that waits for its retry still holds up the queue of the next leader."""
    client.push("a", "b")
    owner.settle(retry(owner.fetch_one(), FAR_S))
    later = Owner(session, fence=TWO, serial=True)
    assert later.fetch(5) == ()
    assert counts_of(session).head == "a"


def test_a_dead_head_halts_the_queue(session: Session, owner: Owner, client: Client) -> None:
    """Nothing is offered until a person comes, and the overview says so."""
    client.push("a", "b")
    assert owner.exchange(bury(owner.fetch_one()), want=5).jobs == ()
    assert (counts_of(session).head, counts_of(session).head_dead) == ("a", True)
    later = Owner(session, fence=TWO, serial=True)
    assert later.fetch(5) == ()


def test_a_dead_head_that_is_retried_returns_to_the_head(session: Session, owner: Owner, client: Client) -> None:
    """It runs before everything else, and the queue goes on after it."""
    client.push("a", "b")
    owner.settle(bury(owner.fetch_one()))
    client.push("c")
    assert client.retry_dead("a") == ("a",)
    assert (counts_of(session).head, counts_of(session).head_dead) == ("a", False)
    assert listed(session, "ready") == ["a", "b", "c"]
    job = owner.fetch_one()
    assert job.id == "a"
    assert ids(owner.exchange(done(job), want=1).jobs) == ["b"]


def test_a_dead_head_that_is_deleted_lets_the_queue_go_on(session: Session, owner: Owner, client: Client) -> None:
    """Deleting clears the head."""
    client.push("a", "b")
    owner.settle(bury(owner.fetch_one()))
    assert client.delete_dead("a") == ("a",)
    assert counts_of(session).head is None
    assert owner.fetch_one().id == "b"


@pytest.mark.parametrize("state", ["waiting", "dead", "ready"])
def test_a_head_that_is_cancelled_lets_the_queue_go_on(
    session: Session, owner: Owner, client: Client, state: str
) -> None:
    """Cancelling clears the head, wherever it is."""
    client.push("a", "b")
    job = owner.fetch_one()
    ends: dict[str, Settlement] = {"waiting": retry(job, FAR_S), "dead": bury(job), "ready": give_back(job)}
    owner.settle(ends[state])
    assert client.cancel("a") == state
    assert counts_of(session).head is None
    assert owner.fetch_one().id == "b"


def test_a_running_head_is_not_cancelled(session: Session, owner: Owner, client: Client) -> None:
    """A job that runs stays the head until its run ends."""
    client.push("a", "b")
    owner.fetch_one()
    assert client.cancel("a") == "running"
    assert counts_of(session).head == "a"
    assert owner.fetch(5) == ()


def test_the_id_of_a_head_that_is_gone_is_a_job_like_any(owner: Owner, client: Client) -> None:
    """A new job of the same id joins the end of the line."""
    client.push("a", "b")
    owner.settle(retry(owner.fetch_one(), FAR_S))
    client.cancel("a")
    client.push("a")
    b = owner.fetch_one()
    assert b.id == "b"
    assert ids(owner.exchange(done(b), want=1).jobs) == ["a"]


def test_nothing_is_offered_while_something_runs_from_before(session: Session, client: Client) -> None:
    """A queue that becomes serial first lets everything end that was handed out before."""
    wide = Owner(session)
    client.push("a", "b", "c")
    a, b = wide.fetch(2)
    owner = Owner(session, seat=2, serial=True)
    assert owner.fetch(5) == ()
    assert owner.exchange(done(b), want=5).jobs == ()
    assert ids(owner.exchange(done(a), want=5).jobs) == ["c"]


def test_the_order_is_that_of_the_first_fetch(session: Session, client: Client) -> None:
    """What went back before the queue became serial goes first, by place."""
    wide = Owner(session)
    client.push("a", "b", "c")
    a, b = wide.fetch(2)
    wide.settle(give_back(b), give_back(a))
    owner = Owner(session, seat=2, serial=True)
    for expected in ("a", "b", "c"):
        job = owner.fetch_one()
        assert job.id == expected
        owner.settle(done(job))


def test_what_waits_or_is_dead_from_before_is_not_ahead(session: Session, client: Client) -> None:
    """Only a head holds up the line: delayed jobs and those that died earlier do not."""
    wide = Owner(session)
    client.push("a", "b", "c")
    a, b = wide.fetch(2)
    wide.settle(retry(a, FAR_S), bury(b))
    owner = Owner(session, seat=2, serial=True)
    assert owner.fetch_one().id == "c"


def test_a_delayed_job_joins_the_end_of_the_line(owner: Owner, client: Client) -> None:
    """A job that becomes due is ready like any other; it is not put before those that are ready."""
    client.push("a", delay=SOON_S)
    client.push("b", "c")
    b = owner.fetch_one()
    eventually(lambda: owner.exchange().next_due is None)
    (c,) = owner.exchange(done(b), want=1).jobs
    assert (b.id, c.id) == ("b", "c")
    assert ids(owner.exchange(done(c), want=1).jobs) == ["a"]


def test_a_queue_that_is_serial_no_longer_has_no_head(session: Session, owner: Owner, client: Client) -> None:
    """An exchange that is not serial heeds no head, and the overview shows none."""
    client.push("a", "b", "c")
    owner.settle(bury(owner.fetch_one()))
    wide = Owner(session, fence=ONE, seat=2)
    b, c = wide.fetch(5)
    assert (b.id, c.id) == ("b", "c")
    assert ids(wide.exchange(give_back(c), give_back(b), want=5).jobs) == ["b", "c"]
    assert (counts_of(session).head, counts_of(session).head_dead) == (None, False)


def test_the_answer_of_a_serial_exchange_is_given_again(owner: Owner, client: Client) -> None:
    """The same call again hands out the same job, not another one."""
    client.push("a", "b")
    jobs = owner.fetch(1)
    assert owner.ask(owner.call, want=1).jobs == jobs
