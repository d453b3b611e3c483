"""Storing jobs: all or none, in order, once, under the caller's number."""

import pytest

from exqueue.errors import ConfigError, StaleCall
from exqueue.persistence.base import Session
from exqueue.persistence.values import MAX_BATCH, NewJob, Push
from tests.persistence.conformance.play import (
    FAR_S,
    PREPARED,
    STATES,
    Client,
    Owner,
    bring_into,
    done,
    everything,
    ids,
    listed,
    new_job,
)


def test_jobs_are_handed_out_in_the_order_in_which_they_were_pushed(owner: Owner, client: Client) -> None:
    """First in, first out, within a push and from push to push."""
    client.push("b", "a")
    client.push("c")
    assert ids(owner.fetch(5)) == ["b", "a", "c"]


def test_a_pushed_job_is_handed_out_with_its_record(owner: Owner, client: Client) -> None:
    """A record is bytes that nobody reads or changes; a fresh job has no trail and no recoveries."""
    record = bytes(range(256))
    assert client.send(1, NewJob("a", record)) is None
    job = owner.fetch_one()
    assert (job.id, job.record, job.trail, job.recoveries) == ("a", record, None, 0)


def test_an_id_may_be_any_text(owner: Owner, client: Client) -> None:
    """Ids are text: separators of a backend's own and letters of any script are no exception."""
    names = ["a|b", "{c}", "d:e f", "größe-日本", "\x00"]
    client.push(*names)
    assert ids(owner.fetch(9)) == names


def test_one_call_pushes_to_many_queues(session: Session) -> None:
    """Each push of a call is stored in its own queue and answered on its own."""
    pushes = [Push("mail", 1, (new_job("a"),)), Push("image", 1, (new_job("a"), new_job("b")))]
    assert session.push("me", pushes) == (None, None)
    assert (listed(session, "ready", "mail"), listed(session, "ready", "image")) == (["a"], ["a", "b"])


def test_a_push_sent_twice_stores_once(session: Session, client: Client) -> None:
    """An equal number is answered again and changes nothing, even when the jobs have gone meanwhile."""
    owner = Owner(session)
    assert client.send(1, new_job("a")) is None
    owner.settle(done(owner.fetch_one()))
    assert client.send(1, new_job("a")) is None
    assert listed(session, "ready") == []


def test_a_push_that_comes_late_is_refused(session: Session, client: Client) -> None:
    """A lower number than the last one is a stale copy: nothing of it is stored."""
    assert client.send(2, new_job("a")) is None
    assert isinstance(client.send(1, new_job("b")), StaleCall)
    assert listed(session, "ready") == ["a"]


def test_a_stale_push_does_not_hold_up_the_others_of_its_call(session: Session) -> None:
    """Each push is atomic by itself; one refusal is no refusal of its neighbours."""
    session.push("me", [Push("q", 5, (new_job("a"),))])
    first, second = session.push("me", [Push("q", 4, (new_job("b"),)), Push("other", 1, (new_job("c"),))])
    assert isinstance(first, StaleCall)
    assert second is None
    assert (listed(session, "ready"), listed(session, "ready", "other")) == (["a"], ["c"])


def test_numbers_may_have_gaps(session: Session, client: Client) -> None:
    """A higher number is applied, whatever lies between."""
    assert client.send(1, new_job("a")) is None
    assert client.send(7, new_job("b")) is None
    assert listed(session, "ready") == ["a", "b"]


def test_numbers_are_counted_per_queue_and_caller(session: Session) -> None:
    """The same number of another caller, or for another queue, is another call."""
    for caller, queue, job_id in (("me", "q", "a"), ("you", "q", "b"), ("me", "other", "c")):
        assert session.push(caller, [Push(queue, 1, (new_job(job_id),))]) == (None,)
    assert (listed(session, "ready"), listed(session, "ready", "other")) == (["a", "b"], ["c"])


@pytest.mark.parametrize("state", PREPARED)
def test_an_id_that_is_stored_is_left_as_it_is(session: Session, owner: Owner, client: Client, state: str) -> None:
    """Pushing an id again stores nothing while the job exists, whatever its state."""
    bring_into(state, owner, client, "a")
    before = everything(session)
    assert sum(len(before[each]) for each in STATES) == 1
    assert client.send(100, NewJob("a", b"another record", delay=1.0)) is None
    assert everything(session) == before


def test_an_id_may_be_pushed_again_after_its_job_is_done(owner: Owner, client: Client) -> None:
    """An id is unique only while its job exists."""
    client.push("a")
    owner.settle(done(owner.fetch_one()))
    client.push("a")
    assert owner.fetch_one().id == "a"


def test_an_id_that_stands_twice_in_a_push_is_stored_once(owner: Owner, client: Client) -> None:
    """The first of them counts."""
    assert client.send(1, NewJob("a", b"first"), NewJob("a", b"second", delay=FAR_S)) is None
    assert [job.record for job in owner.fetch(5)] == [b"first"]


def test_a_thousand_jobs_are_stored_and_fetched_at_once(session: Session, owner: Owner, client: Client) -> None:
    """`MAX_BATCH` jobs fit into one push, one hand-out and one exchange's settlements."""
    names = [f"job-{number:04}" for number in range(MAX_BATCH)]
    client.push(*names)
    jobs = owner.fetch(MAX_BATCH)
    assert ids(jobs) == names
    owner.settle(*(done(job) for job in jobs))
    (counts,) = session.overview(["q"]).queues
    assert (counts.ready, counts.running, counts.processed) == (0, 0, MAX_BATCH)


def test_a_thousand_jobs_may_be_due_later(session: Session, client: Client) -> None:
    """`MAX_BATCH` delayed jobs fit into one push too."""
    client.push(*(f"job-{number:04}" for number in range(MAX_BATCH)), delay=FAR_S)
    (counts,) = session.overview(["q"]).queues
    assert (counts.ready, counts.waiting) == (0, MAX_BATCH)


def test_too_many_jobs_are_refused_before_anything_is_stored(session: Session) -> None:
    """A push above `MAX_BATCH` is refused with its whole call."""
    many = tuple(new_job(str(number)) for number in range(MAX_BATCH + 1))
    with pytest.raises(ConfigError):
        session.push("me", [Push("other", 1, (new_job("a"),)), Push("q", 1, many)])
    assert (listed(session, "ready"), listed(session, "ready", "other")) == ([], [])


def test_nothing_is_pushed_with_an_empty_call(session: Session) -> None:
    """No pushes have no answers."""
    assert session.push("me", []) == ()
