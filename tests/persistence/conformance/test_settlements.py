"""How a run may end, what each end does to the job, and that only its own run can end it."""

from collections.abc import Callable

import pytest

from exqueue.persistence.base import Session
from exqueue.persistence.values import Bury, Done, Fetched, GiveBack, Recovered, Retry, Settlement
from tests.persistence.conformance.play import (
    FAR_S,
    Client,
    Owner,
    bury,
    done,
    everything,
    give_back,
    ids,
    listed,
    recovered,
    retry,
)

ENDS: list[Callable[[str, bytes], Settlement]] = [
    Done,
    GiveBack,
    Recovered,
    lambda job_id, run: Retry(job_id, run, 0.0, b"trail"),
    lambda job_id, run: Bury(job_id, run, b"trail"),
]
NAMES = ["done", "give back", "recovered", "retry", "bury"]


def fetched(owner: Owner, client: Client, job_id: str = "a") -> Fetched:
    """Push a job and fetch it."""
    client.push(job_id)
    return owner.fetch_one()


def test_done_removes_the_job_and_all_that_belongs_to_it(session: Session, owner: Owner, client: Client) -> None:
    """Success leaves nothing behind: a later job of the same id has neither trail nor recoveries."""
    owner.settle(recovered(fetched(owner, client)))
    owner.settle(retry(owner.fetch_one(), trail=b"failed once"))
    again = owner.fetch_one()
    assert (again.recoveries, again.trail) == (1, b"failed once")
    owner.settle(done(again))
    assert session.get_jobs("a", ["q"]) == ()
    fresh = fetched(owner, client)
    assert (fresh.recoveries, fresh.trail) == (0, None)


def test_retry_lets_the_job_wait_with_its_new_trail(session: Session, owner: Owner, client: Client) -> None:
    """The job waits for the delay, by the persistence's clock."""
    before = session.overview(()).now
    owner.settle(retry(fetched(owner, client), FAR_S, b"first"))
    (job,) = session.list_jobs("q", "waiting", 10, 0)
    assert (job.id, job.trail, job.state) == ("a", b"first", "waiting")
    assert before + FAR_S - 1.0 <= (job.due_at or 0.0) <= session.overview(()).now + FAR_S
    assert owner.fetch(5) == ()


def test_retry_without_a_trail_keeps_the_stored_one(owner: Owner, client: Client) -> None:
    """``None`` is no trail to store, not an empty one."""
    owner.settle(retry(fetched(owner, client), trail=b"first"))
    owner.settle(retry(owner.fetch_one(), trail=None))
    job = owner.fetch_one()
    assert job.trail == b"first"
    owner.settle(retry(job, trail=b""))
    assert owner.fetch_one().trail == b""


def test_retry_without_delay_may_be_handed_out_at_once(owner: Owner, client: Client) -> None:
    """A job that need not wait is due in the exchange that settles it."""
    job = fetched(owner, client)
    (again,) = owner.exchange(retry(job), want=1).jobs
    assert again.id == "a"


def test_bury_makes_the_job_dead_with_its_new_trail(session: Session, owner: Owner, client: Client) -> None:
    """A dead job stays where it is until a person comes."""
    before = session.overview(()).now
    owner.settle(bury(fetched(owner, client), b"the end"))
    (job,) = session.list_jobs("q", "dead", 10, 0)
    assert (job.id, job.trail, job.state) == ("a", b"the end", "dead")
    assert before - 1.0 <= (job.died_at or 0.0) <= session.overview(()).now
    assert owner.fetch(5) == ()


def test_bury_without_a_trail_keeps_the_stored_one(session: Session, owner: Owner, client: Client) -> None:
    """``None`` is no trail to store."""
    owner.settle(retry(fetched(owner, client), trail=b"first"))
    owner.settle(bury(owner.fetch_one(), None))
    assert session.list_jobs("q", "dead", 10, 0)[0].trail == b"first"


def test_give_back_counts_nothing(session: Session, owner: Owner, client: Client) -> None:
    """An interrupted run is neither a failure nor a recovery, however often."""
    job = fetched(owner, client)
    for _ in range(5):
        owner.settle(give_back(job))
        job = owner.fetch_one()
        assert (job.recoveries, job.trail) == (0, None)
    counts = session.overview(["q"]).queues[0]
    assert (counts.processed, counts.failed, counts.suspects) == (0, 0, 0)


def test_recovered_counts_one_recovery(session: Session, owner: Owner, client: Client) -> None:
    """A lost thread is a recovery, and no failure; the job goes back before the fresh ones."""
    job = fetched(owner, client)
    client.push("b")
    owner.settle(recovered(job))
    assert listed(session, "ready") == ["a", "b"]
    assert owner.fetch_one().recoveries == 1
    assert session.overview(["q"]).queues[0].failed == 0


def test_recoveries_outlive_failures(owner: Owner, client: Client) -> None:
    """A retry and a burial keep the count of recoveries: it says something about the job, not about the run."""
    owner.settle(recovered(fetched(owner, client)))
    owner.settle(retry(owner.fetch_one()))
    assert owner.fetch_one().recoveries == 1


def test_what_was_given_back_goes_first_by_place(owner: Owner, client: Client) -> None:
    """Returned jobs go before fresh ones, in the order of their first fetch."""
    client.push("a", "b", "c", "d", "e")
    a, b, c, _ = owner.fetch(4)
    owner.settle(give_back(c), give_back(a), recovered(b))
    assert ids(owner.fetch(9)) == ["a", "b", "c", "e"]


def test_a_retried_job_joins_the_end_of_the_line(owner: Owner, client: Client) -> None:
    """A failure gives up the place (but in a serial queue)."""
    client.push("a", "b", "c")
    owner.settle(retry(owner.fetch_one()))
    assert ids(owner.fetch(9)) == ["b", "c", "a"]


def test_settlements_are_counted(session: Session, owner: Owner, client: Client) -> None:
    """``processed`` counts `Done`; ``failed`` `Bury` and `Retry` with a trail; what is postponed counts nothing."""
    client.push("a", "b", "c", "d", "e", "f", "g")
    a, b, c, d, e, f, g = owner.fetch(7)
    ends = (retry(c, FAR_S, b"trail"), bury(d), give_back(e), recovered(f), retry(g, FAR_S))
    owner.settle(done(a), done(b), *ends)
    counts = session.overview(["q"]).queues[0]
    assert (counts.processed, counts.failed) == (2, 2)


@pytest.mark.parametrize("end", ENDS, ids=NAMES)
def test_a_settlement_of_another_run_is_refused(
    session: Session, owner: Owner, client: Client, end: Callable[[str, bytes], Settlement]
) -> None:
    """A run that is over ends nothing: not the run that followed it, not the job, and it is not counted."""
    old = fetched(owner, client)
    owner.settle(give_back(old))
    new = owner.fetch_one()
    before, counts = everything(session), session.overview(["q"]).queues
    assert owner.exchange(end("a", old.run)).refused == (0,)
    assert owner.exchange(end("a", new.run + b"0"), end("a", b"")).refused == (0, 1)
    assert everything(session) == before
    assert session.overview(["q"]).queues == counts


@pytest.mark.parametrize("end", ENDS, ids=NAMES)
@pytest.mark.parametrize("first", ENDS, ids=NAMES)
def test_a_run_ends_once(
    session: Session,
    owner: Owner,
    client: Client,
    first: Callable[[str, bytes], Settlement],
    end: Callable[[str, bytes], Settlement],
) -> None:
    """No job ends both finished and failed: after the first end every other is refused, in the same call or later."""
    job = fetched(owner, client)
    assert owner.exchange(first("a", job.run), end("a", job.run)).refused == (1,)
    before = everything(session)
    assert owner.exchange(end("a", job.run)).refused == (0,)
    assert everything(session) == before


@pytest.mark.parametrize("end", ENDS, ids=NAMES)
def test_a_settlement_of_a_job_that_does_not_run_is_refused(
    session: Session, owner: Owner, client: Client, end: Callable[[str, bytes], Settlement]
) -> None:
    """A job that was never there is not brought to life by its end."""
    assert owner.exchange(end("ghost", b"1|1|1|1")).refused == (0,)
    assert session.get_jobs("ghost", ["q"]) == ()


def test_refusals_name_the_positions(owner: Owner, client: Client) -> None:
    """Only the wrong ones are refused; the others of the same call are applied."""
    client.push("a", "b")
    a, b = owner.fetch(2)
    answer = owner.exchange(Done("x", a.run), done(a), Done("b", a.run), bury(b), Done("", b""))
    assert answer.refused == (0, 2, 4)


def test_a_settlement_of_a_job_that_was_pushed_again_is_refused(owner: Owner, client: Client) -> None:
    """The late outcome of an earlier job of the same id is not that of the new one."""
    old = fetched(owner, client)
    owner.settle(done(old))
    client.push("a")
    assert owner.exchange(bury(old)).refused == (0,)
    assert owner.fetch_one().id == "a"


def test_the_runs_of_an_earlier_seat_are_settled_by_the_next(session: Session, owner: Owner, client: Client) -> None:
    """Under the same fence a run goes on over a restart of the owner, and ends under its own name."""
    job = fetched(owner, client)
    later = Owner(session, seat=2)
    later.settle(done(job))
    assert session.get_jobs("a", ["q"]) == ()
