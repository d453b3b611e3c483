"""Sweeping: one call tells of many idle queues whether their owners are right to be idle."""

import pytest

from exqueue.errors import StaleCall
from exqueue.persistence.base import Session
from exqueue.persistence.values import Fence, Owned
from tests.persistence.conformance.play import (
    FAR_S,
    ONE,
    SOON_S,
    Client,
    Owner,
    bring_into,
    bury,
    done,
    eventually,
    everything,
    give_back,
    pass_time,
    retry,
)


def test_an_empty_queue_is_fine(owner: Owner) -> None:
    """There is nothing to hand out, and everything is as the owner believes."""
    assert owner.sweep() == "fine"


@pytest.mark.parametrize("state", ["waiting", "running", "dead"])
def test_a_queue_with_nothing_to_hand_out_is_fine(owner: Owner, client: Client, state: str) -> None:
    """Jobs that wait, run or are dead give an owner nothing to do."""
    bring_into(state, owner, client, "a")
    assert owner.sweep() == "fine"


@pytest.mark.parametrize("state", ["ready", "returned", "suspect"])
def test_a_queue_with_something_to_hand_out_is_due(owner: Owner, client: Client, state: str) -> None:
    """A lost wake-up is made good: what is ready or went back is told of."""
    bring_into(state, owner, client, "a")
    assert owner.sweep() == "due"


def test_a_queue_is_due_when_a_waiting_job_is(owner: Owner, client: Client) -> None:
    """Becoming due is no event of the store; the sweep looks at its clock."""
    client.push("a", delay=FAR_S)
    client.push("b", delay=SOON_S)
    assert eventually(lambda: owner.sweep() == "due")


@pytest.mark.parametrize(
    ("fence", "seat", "call"),
    [
        (Fence(2, "one"), 5, 1),
        (Fence(0, "one"), 5, 1),
        (Fence(1, "two"), 5, 1),
        (ONE, 4, 1),
        (ONE, 6, 1),
        (ONE, 0, 1),
        (ONE, 5, 0),
        (ONE, 5, 2),
    ],
)
def test_what_differs_from_the_queue_is_stale(
    session: Session, client: Client, fence: Fence, seat: int, call: int
) -> None:
    """Another fence, seat or call: a store that went back is noticed by an idle owner, too. Stale goes before due."""
    owner = Owner(session, seat=5)
    owner.exchange()
    client.push("a")
    assert owner.sweep() == "due"
    assert session.sweep([Owned("q", fence, seat, call)]) == ("stale",)


def test_a_queue_that_nobody_claimed_is_stale(session: Session) -> None:
    """An owner that believes to have it must claim."""
    assert session.sweep([Owned("nowhere", ONE, 1, 1)]) == ("stale",)
    assert session.queues() == ()


def test_a_paused_queue_is_fine(owner: Owner, client: Client) -> None:
    """While it is paused nothing is handed out, so nothing is due."""
    client.push("a")
    client.push("b", delay=SOON_S)
    client.pause()
    assert owner.sweep() == "fine"
    client.resume()
    assert owner.sweep() == "due"


def test_a_serial_queue_is_fine_while_its_head_is_not_to_be_had(
    session: Session, serial_owner: Owner, client: Client
) -> None:
    """A head that runs, waits or is dead gives the owner nothing to do, whatever stands behind it."""
    client.push("a", "b")
    job = serial_owner.fetch_one()
    assert serial_owner.sweep() == "fine"
    serial_owner.settle(retry(job, FAR_S))
    assert serial_owner.sweep() == "fine"
    client.push("c", delay=SOON_S)
    pass_time(session, SOON_S)
    assert serial_owner.sweep() == "fine"


def test_a_halted_serial_queue_is_fine_until_a_person_comes(serial_owner: Owner, client: Client) -> None:
    """A dead head is not due; revived or deleted it is."""
    client.push("a", "b")
    serial_owner.settle(bury(serial_owner.fetch_one()))
    assert serial_owner.sweep() == "fine"
    client.retry_dead("a")
    assert serial_owner.sweep() == "due"
    serial_owner.settle(bury(serial_owner.fetch_one()))
    client.delete_dead("a")
    assert serial_owner.sweep() == "due"


@pytest.mark.parametrize("delay", [None, SOON_S])
def test_a_serial_queue_is_due_when_its_head_is(serial_owner: Owner, client: Client, delay: float | None) -> None:
    """A head that went back, or whose time to wait is over, is something to hand out."""
    client.push("a", "b")
    job = serial_owner.fetch_one()
    serial_owner.settle(give_back(job) if delay is None else retry(job, delay))
    assert eventually(lambda: serial_owner.sweep() == "due")


def test_a_serial_queue_without_a_head_is_due(serial_owner: Owner, client: Client) -> None:
    """The line goes on after the head was done."""
    client.push("a", "b")
    serial_owner.settle(done(serial_owner.fetch_one()))
    assert serial_owner.sweep() == "due"


def test_a_queue_that_is_serial_no_longer_heeds_no_head(session: Session, serial_owner: Owner, client: Client) -> None:
    """A head that is left from when it was serial keeps nobody from what is ready."""
    client.push("a")
    serial_owner.settle(bury(serial_owner.fetch_one()))
    wide = Owner(session, seat=2)
    wide.exchange()
    client.push("b")
    assert wide.sweep() == "due"


def test_many_queues_are_swept_in_one_call(session: Session) -> None:
    """The answers stand in the order of the questions."""
    idle, busy = Owner(session, "idle"), Owner(session, "busy")
    Client(session, "busy").push("a")
    owned = [Owned(it.queue, it.fence, it.seat, it.call) for it in (idle, busy)]
    answers = session.sweep([*owned, Owned("idle", ONE, 9, 0), *owned])
    assert answers == ("fine", "due", "stale", "fine", "due")
    assert session.sweep([]) == ()


def test_a_sweep_changes_nothing(session: Session, owner: Owner, client: Client) -> None:
    """It may be sent twice and late: it neither promotes nor counts as a call."""
    client.push("a", delay=SOON_S)
    eventually(lambda: owner.sweep() == "due")
    before = everything(session)
    assert owner.sweep() == "due"
    assert everything(session) == before
    with pytest.raises(StaleCall):
        owner.ask(owner.call + 2)
    owner.exchange()
