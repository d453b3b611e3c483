"""Dead jobs: kept until a person retries or deletes them."""

from collections.abc import Callable, Sequence

import pytest

from exqueue.errors import ConfigError, StaleCall
from exqueue.persistence.base import Session
from exqueue.persistence.values import MAX_BATCH
from tests.persistence.conformance.play import (
    FAR_S,
    Client,
    Owner,
    bury,
    done,
    everything,
    ids,
    listed,
    pass_time,
    recovered,
    retry,
)

Command = Callable[[str, str, int, Sequence[str]], tuple[str, ...]]


def kill(owner: Owner, client: Client, *names: str) -> None:
    """Push jobs and bury them in one exchange."""
    client.push(*names)
    owner.settle(*(bury(job, b"trail of " + job.id.encode()) for job in owner.fetch(len(names))))


def test_a_retried_job_joins_the_end_of_the_line(session: Session, owner: Owner, client: Client) -> None:
    """It is ready, behind what was there before."""
    kill(owner, client, "a", "b")
    client.push("c")
    assert client.retry_dead("a") == ("a",)
    assert (listed(session, "ready"), listed(session, "dead")) == (["c", "a"], ["b"])
    assert ids(owner.fetch(5)) == ["c", "a"]


def test_a_retried_job_keeps_its_trail_and_forgets_its_recoveries(owner: Owner, client: Client) -> None:
    """What happened to it before stays to be read; what was held against it does not count any more."""
    client.push("a")
    owner.settle(recovered(owner.fetch_one()))
    owner.settle(bury(owner.fetch_one(), b"trail"))
    client.retry_dead("a")
    job = owner.fetch_one()
    assert (job.trail, job.recoveries, job.record) == (b"trail", 0, b"a!")


def test_jobs_are_retried_in_the_order_given(session: Session, owner: Owner, client: Client) -> None:
    """Those that are dead among the ids are revived and told, each once; the others are passed over."""
    kill(owner, client, "a", "b", "c")
    client.push("ready")
    assert client.retry_dead("c", "nobody", "a", "ready", "c") == ("c", "a")
    assert (listed(session, "ready"), listed(session, "dead")) == (["ready", "c", "a"], ["b"])


def test_a_deleted_job_is_gone_with_all_that_belongs_to_it(session: Session, owner: Owner, client: Client) -> None:
    """A later job of the same id is a fresh one."""
    kill(owner, client, "a", "b")
    client.push("ready")
    assert client.delete_dead("a", "nobody", "ready", "a") == ("a",)
    assert session.get_jobs("a", ["q"]) == ()
    assert (listed(session, "ready"), listed(session, "dead")) == (["ready"], ["b"])
    client.push("a")
    assert [(job.id, job.trail) for job in owner.fetch(5)] == [("ready", None), ("a", None)]


@pytest.mark.parametrize("verb", ["retry_dead", "delete_dead"])
def test_a_command_sent_twice_acts_once(session: Session, owner: Owner, client: Client, verb: str) -> None:
    """The second copy answers the same, and does not touch the job that died again meanwhile."""
    command: Command = getattr(session, verb)
    kill(owner, client, "a", "b")
    assert command("q", "me", 1, ["b", "a"]) == ("b", "a")
    if verb == "delete_dead":
        client.push("b", "a")
    owner.settle(*(bury(job) for job in owner.fetch(2)))
    before = everything(session)
    assert command("q", "me", 1, ["b", "a"]) == ("b", "a")
    assert everything(session) == before
    assert sorted(listed(session, "dead")) == ["a", "b"]


@pytest.mark.parametrize("verb", ["retry_dead", "delete_dead"])
def test_a_command_that_comes_late_is_refused(session: Session, owner: Owner, client: Client, verb: str) -> None:
    """A lower number than the last changes nothing; numbers are shared by all commands of a caller."""
    command: Command = getattr(session, verb)
    kill(owner, client, "a")
    assert session.cancel("q", "me", 5, "nobody") is None
    with pytest.raises(StaleCall):
        command("q", "me", 4, ["a"])
    assert listed(session, "dead") == ["a"]
    assert command("q", "me", 6, ["a"]) == ("a",)


@pytest.mark.parametrize("verb", ["retry_dead", "delete_dead"])
def test_a_command_that_found_nothing_finds_nothing_later(session: Session, client: Client, verb: str) -> None:
    """Also the answer that there was no such job is kept, even for a queue that was not there yet."""
    command: Command = getattr(session, verb)
    assert command("q", "me", 1, ["a"]) == ()
    kill(Owner(session), client, "a")
    assert command("q", "me", 1, ["a"]) == ()
    assert listed(session, "dead") == ["a"]


@pytest.mark.parametrize("verb", ["retry_dead", "delete_dead"])
def test_a_thousand_dead_jobs_are_commanded_at_once(session: Session, owner: Owner, client: Client, verb: str) -> None:
    """`MAX_BATCH` ids fit into one command; more are refused before anything is done."""
    command: Command = getattr(session, verb)
    names = [f"job-{number:04}" for number in range(MAX_BATCH)]
    kill(owner, client, *names)
    with pytest.raises(ConfigError):
        command("q", "me", 1, [*names, "one more"])
    assert len(listed(session, "dead")) == MAX_BATCH
    assert command("q", "me", 1, names) == tuple(names)
    assert listed(session, "dead") == []


def test_dead_jobs_are_listed_in_the_order_in_which_they_died(session: Session, owner: Owner, client: Client) -> None:
    """The longest dead first, with trail and time of death."""
    client.push("a", "b", "c")
    for job in reversed(owner.fetch(3)):
        owner.settle(bury(job, b"trail of " + job.id.encode()))
        pass_time(session, 0.005)
    jobs = session.list_jobs("q", "dead", 10, 0)
    assert [(job.id, job.trail) for job in jobs] == [
        ("c", b"trail of c"),
        ("b", b"trail of b"),
        ("a", b"trail of a"),
    ]
    assert sorted(job.died_at or 0.0 for job in jobs) == [job.died_at for job in jobs]


def test_a_dead_job_is_offered_to_nobody(session: Session, owner: Owner, client: Client) -> None:
    """Neither an exchange nor a claim brings it back."""
    kill(owner, client, "a")
    assert owner.fetch(5, suspect=True) == ()
    assert Owner(session, seat=2).fetch(5) == ()
    assert listed(session, "dead") == ["a"]


def test_a_retried_job_runs_like_any(session: Session, owner: Owner, client: Client) -> None:
    """It may fail, die and be retried again."""
    kill(owner, client, "a")
    for _ in range(3):
        client.retry_dead("a")
        owner.settle(bury(owner.fetch_one()))
    client.retry_dead("a")
    owner.settle(retry(owner.fetch_one()))
    owner.settle(done(owner.fetch_one()))
    assert session.get_jobs("a", ["q"]) == ()


def test_a_waiting_job_is_not_commanded(session: Session, client: Client) -> None:
    """Commands for dead jobs leave every other state alone."""
    client.push("a", delay=FAR_S)
    assert (client.retry_dead("a"), client.delete_dead("a")) == ((), ())
    assert listed(session, "waiting") == ["a"]
