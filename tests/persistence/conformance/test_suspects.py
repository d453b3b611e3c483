"""Suspects: jobs that were lost with their node or thread twice run only with leave, one in a call."""

import pytest

from exqueue.persistence.base import Session
from exqueue.persistence.values import Fence
from tests.persistence.conformance.play import (
    SOON_S,
    Client,
    Owner,
    bring_into,
    bury,
    done,
    eventually,
    give_back,
    ids,
    listed,
    recovered,
    retry,
)


def suspects(session: Session) -> int:
    """How many suspects the queue ``q`` has."""
    return session.overview(["q"]).queues[0].suspects


def test_the_first_recovery_changes_nothing(session: Session, owner: Owner, client: Client) -> None:
    """A job that was lost once is as good as any."""
    client.push("a")
    owner.settle(recovered(owner.fetch_one()))
    answer = owner.exchange(want=1)
    assert (ids(answer.jobs), answer.suspect_waits, suspects(session)) == (["a"], False, 0)


def test_a_suspect_is_held_back_without_leave(session: Session, owner: Owner, client: Client) -> None:
    """It stays ready, and the answer says that it waits for leave."""
    bring_into("suspect", owner, client, "a")
    answer = owner.exchange(want=5)
    assert (answer.jobs, answer.suspect_waits) == ((), True)
    assert owner.ask(owner.call, want=5).suspect_waits
    assert (listed(session, "ready"), suspects(session)) == (["a"], 1)


def test_a_suspect_is_handed_out_with_leave(session: Session, owner: Owner, client: Client) -> None:
    """With leave it runs, and its recoveries are told. It is a suspect still, but waits no more."""
    bring_into("suspect", owner, client, "a")
    answer = owner.exchange(want=5, suspect=True)
    (job,) = answer.jobs
    assert (job.id, job.recoveries, answer.suspect_waits, suspects(session)) == ("a", 2, False, 1)
    owner.settle(done(job))
    assert suspects(session) == 0


def test_others_go_on_beside_a_suspect(owner: Owner, client: Client) -> None:
    """What is no suspect is handed out, fresh or returned, whether the suspect waits or runs."""
    bring_into("suspect", owner, client, "a")
    client.push("b", "c")
    b = owner.fetch_one()
    assert b.id == "b"
    owner.settle(give_back(b))
    assert ids(owner.fetch(2, suspect=True)) == ["a", "b"]
    assert ids(owner.fetch(2)) == ["c"]


def test_one_suspect_is_handed_out_in_a_call(owner: Owner, client: Client) -> None:
    """Leave is for one: of two suspects the one with the lower place goes, and the other waits."""
    for job_id in ("a", "b"):
        bring_into("suspect", owner, client, job_id)
    answer = owner.exchange(want=5, suspect=True)
    assert (ids(answer.jobs), answer.suspect_waits) == (["a"], True)
    assert ids(owner.fetch(5, suspect=True)) == ["b"]


def test_a_suspect_with_leave_has_its_place_in_the_line(owner: Owner, client: Client) -> None:
    """Among what went back the lowest place goes first, suspect or not."""
    client.push("a", "b", "c")
    a, b, c = owner.fetch(3)
    owner.settle(give_back(a), recovered(b), give_back(c))
    a, b, c = owner.fetch(3)
    owner.settle(give_back(a), recovered(b), give_back(c))
    assert ids(owner.fetch(2, suspect=True)) == ["a", "b"]
    assert ids(owner.fetch(2, suspect=True)) == ["c"]


def test_an_interrupted_suspect_stays_one(owner: Owner, client: Client) -> None:
    """Giving back neither adds a recovery nor takes one away."""
    bring_into("suspect", owner, client, "a")
    owner.settle(give_back(owner.fetch_one(suspect=True)))
    assert owner.fetch(5) == ()
    assert owner.fetch_one(suspect=True).recoveries == 2


def test_a_suspect_that_failed_is_held_back_when_it_is_due_again(
    session: Session, owner: Owner, client: Client
) -> None:
    """Waiting for a retry does not clear a suspect; others of the line go on beside it."""
    bring_into("suspect", owner, client, "a")
    owner.settle(retry(owner.fetch_one(suspect=True), SOON_S))
    client.push("b", "c")
    eventually(lambda: owner.exchange().next_due is None)
    assert ids(owner.fetch(5)) == ["b", "c"]
    answer = owner.exchange(want=5)
    assert (answer.jobs, answer.suspect_waits, listed(session, "ready")) == ((), True, ["a"])
    assert owner.fetch_one(suspect=True).id == "a"


def test_a_suspect_that_became_due_is_handed_out_with_leave(owner: Owner, client: Client) -> None:
    """With leave it need not be held back first."""
    bring_into("suspect", owner, client, "a")
    owner.settle(retry(owner.fetch_one(suspect=True)))
    assert ids(owner.fetch(5, suspect=True)) == ["a"]


def test_two_suspects_that_became_due_are_handed_out_one_by_one(owner: Owner, client: Client) -> None:
    """Leave is for one, also when both stand in the ready line."""
    for job_id in ("a", "b"):
        bring_into("suspect", owner, client, job_id)
    (a,) = owner.fetch(5, suspect=True)
    (b,) = owner.fetch(5, suspect=True)
    owner.settle(retry(a), retry(b))
    client.push("c")
    answer = owner.exchange(want=5, suspect=True)
    assert (sorted(ids(answer.jobs)), answer.suspect_waits) == (["a", "c"], True)
    assert ids(owner.fetch(5, suspect=True)) == ["b"]


def test_a_buried_suspect_that_is_retried_is_none_any_more(session: Session, owner: Owner, client: Client) -> None:
    """A person who retries a job forgets its recoveries."""
    bring_into("suspect", owner, client, "a")
    owner.settle(bury(owner.fetch_one(suspect=True)))
    assert suspects(session) == 1
    assert client.retry_dead("a") == ("a",)
    assert suspects(session) == 0
    assert owner.fetch_one().recoveries == 0


def test_a_claim_holds_back_what_becomes_a_suspect_by_it(session: Session, owner: Owner, client: Client) -> None:
    """Those with a second recovery need leave, their neighbours do not."""
    client.push("a", "b", "c")
    a, _ = owner.fetch(2)
    owner.settle(recovered(a))
    owner.fetch(1)
    later = Owner(session, fence=Fence(2, "two"))
    assert ids(later.fetch(5)) == ["b", "c"]
    assert ids(later.fetch(5, suspect=True)) == ["a"]


def test_a_serial_head_may_be_a_suspect_and_then_needs_leave(
    session: Session, serial_owner: Owner, client: Client
) -> None:
    """Nothing goes on beside a head: the queue stands until there is leave."""
    bring_into("suspect", serial_owner, client, "a")
    client.push("b")
    assert session.overview(["q"]).queues[0].head == "a"
    answer = serial_owner.exchange(want=1)
    assert (answer.jobs, answer.suspect_waits) == ((), True)
    assert serial_owner.fetch_one(suspect=True).id == "a"


@pytest.mark.parametrize("delay", [0.0, SOON_S])
def test_a_serial_head_that_is_a_suspect_needs_leave_after_a_retry_too(
    serial_owner: Owner, client: Client, delay: float
) -> None:
    """It returns to the head, and there it is held back."""
    bring_into("suspect", serial_owner, client, "a")
    client.push("b")
    serial_owner.settle(retry(serial_owner.fetch_one(suspect=True), delay))
    eventually(lambda: serial_owner.exchange().next_due is None)
    answer = serial_owner.exchange(want=1)
    assert (answer.jobs, answer.suspect_waits) == ((), True)
    job = serial_owner.fetch_one(suspect=True)
    assert (job.id, job.recoveries) == ("a", 2)


def test_a_suspect_that_is_not_the_head_waits_for_no_leave(session: Session, client: Client) -> None:
    """In a serial queue leave for another suspect than the head would be no use, so none is asked for."""
    wide = Owner(session)
    bring_into("suspect", wide, client, "a")
    client.push("b")
    owner = Owner(session, seat=2, serial=True)
    assert owner.fetch_one().id == "b"
    answer = owner.exchange(want=1, suspect=True)
    assert (answer.jobs, answer.suspect_waits) == ((), False)
