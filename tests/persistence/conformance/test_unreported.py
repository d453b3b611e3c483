"""Deaths are marked in the step that buries the job, until somebody says that they are in the log."""

from collections.abc import Callable

import pytest

from exqueue.errors import ConfigError
from exqueue.persistence.base import Persistence, Session
from exqueue.persistence.values import MAX_BATCH, Fence, Mark
from tests.persistence.conformance.play import (
    Client,
    Owner,
    bury,
    done,
    everything,
    give_back,
    recovered,
    retry,
)


def marks(session: Session, queue: str = "q") -> list[Mark]:
    """The marks of a queue, by id."""
    return sorted((one.mark for one in session.unreported(queue, MAX_BATCH)), key=lambda mark: mark.id)


def test_a_death_is_marked_with_its_run(session: Session, owner: Owner, client: Client) -> None:
    """Only a burial marks, with the run that ended; the job comes with all that a report needs."""
    client.push("a", "b", "c", "d", "e")
    a, b, c, d, e = owner.fetch(5)
    owner.settle(bury(a, b"trail"), done(b), retry(c, delay=60.0, trail=b"other"), give_back(d), recovered(e))
    (one,) = session.unreported("q", 10)
    assert one.mark == Mark("a", a.run)
    (job,) = session.list_jobs("q", "dead", 10, 0)
    assert one.job == job
    assert (job.trail, job.record, job.state) == (b"trail", b"a!", "dead")


def test_a_burial_that_is_refused_marks_nothing(session: Session, owner: Owner, client: Client) -> None:
    """A superseded run is not what the job dies of."""
    client.push("a")
    late = owner.fetch_one()
    owner.settle(give_back(late))
    assert owner.exchange(bury(late)).refused == (0,)
    assert session.unreported("q", 10) == ()


def test_an_exchange_sent_twice_does_not_mark_again(session: Session, owner: Owner, client: Client) -> None:
    """What was reported between the two stays so."""
    client.push("a")
    job = owner.fetch_one()
    owner.settle(bury(job))
    session.reported("q", marks(session))
    owner.ask(owner.call, [bury(job)])
    assert session.unreported("q", 10) == ()


def test_the_mark_outlives_its_owner(session: Session, elsewhere: Persistence, owner: Owner, client: Client) -> None:
    """Whoever claims the queue finds it, under whatever fence; its claim changes nothing of it."""
    client.push("a")
    job = owner.fetch_one()
    owner.settle(bury(job))
    other = elsewhere.session(timeout=10.0)
    Owner(other, fence=Fence(2, "two"))
    assert marks(other) == [Mark("a", job.run)]
    assert marks(session) == [Mark("a", job.run)]
    other.close()


def test_a_death_that_is_reported_is_not_found_again(session: Session, owner: Owner, client: Client) -> None:
    """The others are; the jobs themselves are as they were, and saying it twice changes nothing."""
    client.push("a", "b", "c")
    a, b, c = owner.fetch(3)
    owner.settle(bury(a, b"trail"), bury(b), bury(c))
    before = everything(session)
    for _ in range(2):
        session.reported("q", [Mark("a", a.run), Mark("c", c.run), Mark("nobody", b"1|1|1|1")])
        assert marks(session) == [Mark("b", b.run)]
    assert everything(session) == before


def test_a_late_mark_does_not_hide_a_later_death(session: Session, owner: Owner, client: Client) -> None:
    """Runs are compared byte by byte: the report of the first death is none of the second."""
    client.push("a")
    first = owner.fetch_one()
    owner.settle(bury(first))
    client.retry_dead("a")
    second = owner.fetch_one()
    owner.settle(bury(second))
    session.reported("q", [Mark("a", first.run)])
    assert marks(session) == [Mark("a", second.run)]
    session.reported("q", [Mark("a", second.run)])
    assert marks(session) == []


Removal = Callable[[Client], object]


@pytest.mark.parametrize(
    "remove",
    [lambda it: it.retry_dead("a"), lambda it: it.delete_dead("a"), lambda it: it.cancel("a")],
    ids=["retry_dead", "delete_dead", "cancel"],
)
def test_the_mark_goes_with_the_death(session: Session, owner: Owner, client: Client, remove: Removal) -> None:
    """Who revives or removes a dead job has seen it; nothing of it is left to be said, of other jobs it is."""
    client.push("a", "b")
    jobs = owner.fetch(2)
    owner.settle(*map(bury, jobs))
    assert remove(client)
    assert [mark.id for mark in marks(session)] == ["b"]
    client.push("a")
    owner.settle(done(owner.fetch_one()))
    assert [mark.id for mark in marks(session)] == ["b"]


def test_marks_are_found_a_page_at_a_time(session: Session, owner: Owner, client: Client) -> None:
    """Any of them, no more than asked for; those that are reported make room for the others."""
    names = [f"job-{number:04}" for number in range(MAX_BATCH)]
    client.push(*names)
    owner.settle(*map(bury, owner.fetch(MAX_BATCH)))
    assert session.unreported("q", 0) == ()
    found: list[str] = []
    while page := session.unreported("q", 300):
        assert len(page) <= 300
        found += [one.job.id for one in page]
        session.reported("q", [one.mark for one in page])
    assert sorted(found) == names


def test_too_many_at_once_are_refused(session: Session) -> None:
    """Before anything is done."""
    with pytest.raises(ConfigError):
        session.unreported("q", MAX_BATCH + 1)
    with pytest.raises(ConfigError):
        session.reported("q", [Mark("a", b"1|1|1|1")] * (MAX_BATCH + 1))
    session.reported("q", [Mark("a", b"1|1|1|1")] * MAX_BATCH)


def test_queues_know_nothing_of_each_other(session: Session, owner: Owner, client: Client) -> None:
    """The same id in another queue is another job; a queue that nobody knows has none, and is not made by asking."""
    other = Owner(session, "r")
    Client(session, "r").push("a")
    client.push("a")
    mine, theirs = owner.fetch_one(), other.fetch_one()
    owner.settle(bury(mine))
    other.settle(bury(theirs))
    session.reported("r", [Mark("a", theirs.run)])
    assert (marks(session), marks(session, "r"), marks(session, "unknown")) == ([Mark("a", mine.run)], [], [])
    session.reported("unknown", [Mark("a", mine.run)])
    assert session.queues() == ("q", "r")
