"""Cancelling: a job that does not run is removed, wherever it is, and leaves nothing behind."""

import pytest

from exqueue.errors import StaleCall
from exqueue.persistence.base import Session
from exqueue.persistence.values import Fence
from tests.persistence.conformance.play import (
    FAR_S,
    PREPARED,
    SOON_S,
    Client,
    Owner,
    bring_into,
    bury,
    done,
    everything,
    ids,
    listed,
    pass_time,
    recovered,
    retry,
)

REMOVABLE = {"ready": "ready", "returned": "ready", "suspect": "ready", "waiting": "waiting", "dead": "dead"}


@pytest.mark.parametrize(("state", "told"), REMOVABLE.items())
def test_a_job_that_does_not_run_is_removed(
    session: Session, owner: Owner, client: Client, state: str, told: str
) -> None:
    """The state that it was in is told, and nothing of it is left."""
    bring_into(state, owner, client, "a")
    assert client.cancel("a") == told
    assert session.get_jobs("a", ["q"]) == ()
    counts = session.overview(["q"]).queues[0]
    assert (counts.ready, counts.waiting, counts.dead, counts.suspects, counts.oldest_ready) == (0, 0, 0, 0, None)
    assert owner.fetch(5, suspect=True) == ()
    assert owner.sweep() == "fine"


def test_a_running_job_is_left_alone(session: Session, owner: Owner, client: Client) -> None:
    """Who runs it must be asked; nothing is changed."""
    client.push("a")
    job = owner.fetch_one()
    before = everything(session)
    assert client.cancel("a") == "running"
    assert everything(session) == before
    owner.settle(done(job))


def test_a_job_that_is_not_there_is_told_as_such(session: Session, client: Client) -> None:
    """There is nothing to cancel, neither in a queue that is there nor in one that is not."""
    client.push("b")
    assert client.cancel("a") is None
    assert Client(session, "nowhere").cancel("a") is None
    assert session.queues() == ("q",)
    assert listed(session, "ready") == ["b"]


@pytest.mark.parametrize("state", [state for state in PREPARED if state != "running"])
def test_an_id_may_be_pushed_again_after_a_cancel(session: Session, owner: Owner, client: Client, state: str) -> None:
    """The new job is a fresh one, is handed out once, and stands where it was pushed."""
    bring_into(state, owner, client, "a")
    client.cancel("a")
    client.push("b", "a")
    assert listed(session, "ready") == ["b", "a"]
    assert [(job.id, job.trail, job.recoveries) for job in owner.fetch(9, suspect=True)] == [
        ("b", None, 0),
        ("a", None, 0),
    ]
    assert owner.fetch(9) == ()


def test_an_id_may_be_cancelled_and_pushed_many_times(session: Session, owner: Owner, client: Client) -> None:
    """However often an entry of the line was made void, the job is there once, where it was pushed last."""
    client.push("first")
    for _ in range(4):
        client.push("a")
        assert client.cancel("a") == "ready"
    client.push("b", "a", "c")
    client.cancel("b")
    client.push("b")
    assert listed(session, "ready") == ["first", "a", "c", "b"]
    assert session.overview(["q"]).queues[0].ready == 4
    assert ids(owner.fetch(2)) == ["first", "a"]
    assert ids(owner.fetch(9)) == ["c", "b"]


def test_a_page_of_the_line_counts_no_cancelled_jobs(session: Session, client: Client) -> None:
    """Offset and limit are those of the jobs that are there."""
    client.push("a", "b", "c", "d", "e")
    client.cancel("a")
    client.cancel("c")
    assert ids(session.list_jobs("q", "ready", 2, 0)) == ["b", "d"]
    assert ids(session.list_jobs("q", "ready", 2, 1)) == ["d", "e"]
    assert session.overview(["q"]).queues[0].oldest_ready == b"b!"


def test_a_cancelled_job_that_waits_again_is_not_ready(session: Session, owner: Owner, client: Client) -> None:
    """A void entry of an id in the line does not hand out the job of that id which waits."""
    client.push("a", "b")
    client.cancel("a")
    client.push("a", delay=FAR_S)
    assert ids(owner.fetch(9)) == ["b"]
    assert listed(session, "waiting") == ["a"]


def test_a_cancelled_job_that_comes_back_late_is_handed_out_once(
    session: Session, owner: Owner, client: Client
) -> None:
    """A void entry counts for one of an id only: the job that joins the line behind it has an entry of its own."""
    client.push("a", "b")
    client.cancel("a")
    client.push("a", delay=SOON_S)
    pass_time(session, SOON_S)
    assert ids(owner.fetch(1)) == ["b"]
    assert ids(owner.fetch(9)) == ["a"]
    assert owner.fetch(9) == ()


def test_a_job_revived_behind_its_cancelled_namesake_is_handed_out_once(
    session: Session, owner: Owner, client: Client
) -> None:
    """Also a job that died and was retried keeps apart from the void entry."""
    client.push("x", "a", "y")
    x = owner.fetch_one()
    client.cancel("a")
    client.push("a")
    y, a = owner.fetch(9)
    assert (y.id, a.id) == ("y", "a")
    owner.settle(done(x), bury(a), done(y))
    client.push("b")
    client.retry_dead("a")
    assert ids(owner.fetch(9)) == ["b", "a"]


def test_a_cancel_sent_twice_cancels_once(session: Session) -> None:
    """The second copy answers the same and leaves the new job of that id alone."""
    client = Client(session)
    client.push("a")
    assert session.cancel("q", "me", 1, "a") == "ready"
    client.push("a")
    assert session.cancel("q", "me", 1, "a") == "ready"
    assert listed(session, "ready") == ["a"]


def test_a_cancel_that_found_nothing_finds_nothing_later(session: Session, client: Client) -> None:
    """``None`` is an answer that is kept, too, even for a queue that was not there yet."""
    assert session.cancel("q", "me", 1, "a") is None
    client.push("a")
    assert session.cancel("q", "me", 1, "a") is None
    assert listed(session, "ready") == ["a"]


def test_a_cancel_that_comes_late_is_refused(session: Session, client: Client) -> None:
    """A lower number than the last changes nothing."""
    client.push("a", "b")
    assert session.cancel("q", "me", 2, "a") == "ready"
    with pytest.raises(StaleCall):
        session.cancel("q", "me", 1, "b")
    assert listed(session, "ready") == ["b"]


def test_fault_026_a_cancelled_job_does_not_come_back_with_a_claim(
    session: Session, owner: Owner, client: Client
) -> None:
    """What was given back and cancelled is gone for the next leader, too."""
    bring_into("returned", owner, client, "a")
    client.cancel("a")
    later = Owner(session, fence=Fence(2, "two"))
    assert later.fetch(5, suspect=True) == ()


def test_a_late_outcome_of_a_cancelled_job_is_refused(session: Session, owner: Owner, client: Client) -> None:
    """A run that is over brings no job back."""
    client.push("a")
    job = owner.fetch_one()
    owner.settle(retry(job, FAR_S))
    client.cancel("a")
    assert owner.exchange(bury(job), retry(job), recovered(job)).refused == (0, 1, 2)
    assert session.get_jobs("a", ["q"]) == ()
