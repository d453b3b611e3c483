"""Poison: suspects that were lost so often that they are buried unrun need no leave, and use none up."""

import pytest

from exqueue.persistence.base import Session
from exqueue.persistence.values import MAX_BATCH, MAX_WEIGHED, Fence, Leave
from tests.persistence.conformance.play import (
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


def line_up(owner: Owner, client: Client, **lost: int) -> None:
    """Push jobs into an empty queue, recover each so many times, and let all go back by their places."""
    client.push(*lost)
    for _ in range(max(lost.values()) + 1):
        jobs = owner.fetch(len(lost), poison_from=2)
        assert ids(jobs) == list(lost)
        owner.settle(*(recovered(job) if job.recoveries < lost[job.id] else give_back(job) for job in jobs))


def test_poison_is_handed_out_without_leave(session: Session, owner: Owner, client: Client) -> None:
    """It needs none to be buried, and its recoveries are told. The same call again answers the same."""
    line_up(owner, client, a=3)
    answer = owner.exchange(want=5, poison_from=3)
    (job,) = answer.jobs
    assert (job.id, job.recoveries, answer.suspect_waits) == ("a", 3, False)
    assert owner.ask(owner.call, want=5, leave=Leave(poison_from=3)) == answer
    owner.settle(bury(job))
    assert listed(session, "dead") == ["a"]


@pytest.mark.parametrize("poison_from", [None, 4])
def test_what_is_lost_less_often_is_held_back(owner: Owner, client: Client, poison_from: int | None) -> None:
    """A suspect below the number needs leave, and so does each where there is no number."""
    line_up(owner, client, a=3)
    answer = owner.exchange(want=5, poison_from=poison_from)
    assert (answer.jobs, answer.suspect_waits) == ((), True)
    assert ids(owner.fetch(5, suspect=True, poison_from=poison_from)) == ["a"]


def test_poison_behind_a_suspect_does_not_wait_for_it(owner: Owner, client: Client) -> None:
    """The suspect before it in the line is held back alone."""
    line_up(owner, client, a=2, b=3)
    answer = owner.exchange(want=5, poison_from=3)
    assert (ids(answer.jobs), answer.suspect_waits) == (["b"], True)
    assert ids(owner.fetch(5, suspect=True)) == ["a"]


def test_poison_uses_no_leave_up(owner: Owner, client: Client) -> None:
    """With leave one suspect goes besides, and the next one waits."""
    line_up(owner, client, a=3, b=2, c=2, d=4)
    answer = owner.exchange(want=5, suspect=True, poison_from=3)
    assert (ids(answer.jobs), answer.suspect_waits) == (["a", "b", "d"], True)
    assert ids(owner.fetch(5, suspect=True)) == ["c"]


def test_poison_has_its_place_in_the_line(owner: Owner, client: Client) -> None:
    """Among what went back the lowest place goes first, and no more than is wanted goes."""
    line_up(owner, client, a=0, b=3, c=1, d=3, e=3)
    assert ids(owner.fetch(2, poison_from=3)) == ["a", "b"]
    assert ids(owner.fetch(2, poison_from=3)) == ["c", "d"]
    assert ids(owner.fetch(2, poison_from=3)) == ["e"]


def test_leave_that_is_not_reached_is_not_used(owner: Owner, client: Client) -> None:
    """What is wanted was there before the suspect's place: it waits on."""
    line_up(owner, client, a=3, b=0, c=2)
    answer = owner.exchange(want=2, suspect=True, poison_from=3)
    assert (ids(answer.jobs), answer.suspect_waits) == (["a", "b"], True)
    assert ids(owner.fetch(2, suspect=True)) == ["c"]


def test_poison_that_became_due_is_handed_out_without_leave(owner: Owner, client: Client) -> None:
    """It need not be held back first, and the fresh ones beside it are handed out with it."""
    line_up(owner, client, a=3)
    owner.settle(retry(owner.fetch_one(suspect=True)))
    client.push("b")
    assert sorted(ids(owner.fetch(5, poison_from=3))) == ["a", "b"]


def test_fresh_poison_uses_no_leave_up(owner: Owner, client: Client) -> None:
    """Of two suspects that became due one goes with leave, beside the poison."""
    line_up(owner, client, a=3, b=2, c=2)
    owner.settle(*(retry(job) for job in owner.fetch(5, poison_from=2)))
    answer = owner.exchange(want=5, suspect=True, poison_from=3)
    assert (len(answer.jobs), "a" in ids(answer.jobs), answer.suspect_waits) == (2, True, True)


def test_a_claim_makes_poison_that_needs_no_leave(session: Session, owner: Owner, client: Client) -> None:
    """What was lost with its node for the third time is handed out at once; what was lost for the second is not."""
    line_up(owner, client, a=1, b=2)
    assert ids(owner.fetch(5, suspect=True)) == ["a", "b"]
    later = Owner(session, fence=Fence(2, "two"))
    answer = later.exchange(want=5, poison_from=3)
    assert (ids(answer.jobs), answer.suspect_waits) == (["b"], True)
    assert ids(later.fetch(5, suspect=True)) == ["a"]


@pytest.mark.parametrize("delay", [None, 0.0, SOON_S])
def test_a_serial_head_that_is_poison_needs_no_leave(serial_owner: Owner, client: Client, delay: float | None) -> None:
    """Neither held back nor after a wait; below the number it is held back, and so is all behind it."""
    line_up(serial_owner, client, a=3)
    client.push("b")
    if delay is not None:
        serial_owner.settle(retry(serial_owner.fetch_one(suspect=True), delay))
        eventually(lambda: serial_owner.exchange().next_due is None)
    answer = serial_owner.exchange(want=5, poison_from=4)
    assert (answer.jobs, answer.suspect_waits) == ((), True)
    (job,) = serial_owner.fetch(5, poison_from=3)
    assert job.id == "a"
    assert ids(serial_owner.exchange(done(job), want=5).jobs) == ["b"]


def test_poison_that_is_not_the_head_stays_behind_it(session: Session, client: Client) -> None:
    """In a serial queue nothing else than the head is offered, whether it needs leave or not."""
    wide = Owner(session)
    line_up(wide, client, a=3)
    client.push("b")
    owner = Owner(session, seat=2, serial=True)
    assert owner.fetch_one().id == "b"
    assert owner.fetch(5, poison_from=3) == ()


def test_a_paused_queue_hands_no_poison_out(owner: Owner, client: Client) -> None:
    """A pause holds for all."""
    line_up(owner, client, a=3)
    client.pause()
    answer = owner.exchange(want=5, suspect=True, poison_from=3)
    assert (answer.jobs, answer.suspect_waits) == ((), True)


def test_so_many_suspects_are_weighed_in_a_call(owner: Owner, client: Client) -> None:
    """The first of them by place; those behind come into view once these are gone."""
    names = [f"{i:03}" for i in range(MAX_WEIGHED + 2)]
    client.push(*names)
    for _ in range(2):
        owner.settle(*(recovered(job) for job in owner.fetch(MAX_BATCH)))
    answer = owner.exchange(want=MAX_BATCH, suspect=True, poison_from=2)
    assert (ids(answer.jobs), answer.suspect_waits) == (names[:MAX_WEIGHED], True)
    answer = owner.exchange(want=MAX_BATCH, poison_from=2)
    assert (ids(answer.jobs), answer.suspect_waits) == (names[MAX_WEIGHED:], False)
