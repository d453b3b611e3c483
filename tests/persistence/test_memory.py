"""What holds for memory alone: its clock can be moved, and a named store is shared within the process."""

import gc

import pytest

from exqueue.errors import StaleCall
from exqueue.persistence.base import Session
from exqueue.persistence.memory import MemoryPersistence
from exqueue.persistence.values import CALLER_KEPT_S, RECOVERY_WINDOW_S, Fence, Holder, NewJob, Push, QueueWoken
from tests.persistence.conformance.play import (
    ONE,
    Client,
    Owner,
    bring_into,
    bury,
    done,
    give_back,
    ids,
    listed,
    recovered,
    retry,
)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of the store."""
    return Clock()


@pytest.fixture
def session(clock: Clock) -> Session:
    """A session of an empty store that goes by ``clock``."""
    return MemoryPersistence(clock=clock).session(timeout=1.0)


# -- the clock
def test_the_number_of_a_caller_is_forgotten_after_its_time(session: Session, clock: Clock) -> None:
    """Until then a copy is known as one, and each call renews the time; afterwards the same number is a new call."""
    assert session.push("me", [Push("q", 5, (NewJob("a", b""),))]) == (None,)
    clock.now += CALLER_KEPT_S - 1
    assert isinstance(session.push("me", [Push("q", 4, (NewJob("b", b""),))])[0], StaleCall)
    assert session.push("me", [Push("q", 6, (NewJob("b", b""),))]) == (None,)
    clock.now += CALLER_KEPT_S - 1
    assert session.push("me", [Push("q", 6, (NewJob("c", b""),))]) == (None,)
    assert listed(session, "ready") == ["a", "b"]
    clock.now += 1
    assert session.push("me", [Push("q", 1, (NewJob("c", b""),))]) == (None,)
    assert listed(session, "ready") == ["a", "b", "c"]


def test_a_caller_that_goes_on_does_not_keep_another_from_being_forgotten(session: Session, clock: Clock) -> None:
    """Each caller has its own time."""
    session.push("me", [Push("q", 5, ())])
    session.push("you", [Push("q", 5, ())])
    clock.now += CALLER_KEPT_S / 2
    session.push("me", [Push("q", 6, ())])
    clock.now += CALLER_KEPT_S / 2
    assert session.push("you", [Push("q", 1, ())]) == (None,)
    assert isinstance(session.push("me", [Push("q", 1, ())])[0], StaleCall)


def test_recoveries_are_forgotten_after_their_window(session: Session, clock: Clock) -> None:
    """Two losses that lie far apart make no suspect."""
    owner = Owner(session)
    Client(session).push("a")
    owner.settle(recovered(owner.fetch_one()))
    clock.now += RECOVERY_WINDOW_S - 1
    job = owner.fetch_one()
    assert job.recoveries == 1
    clock.now += 1
    owner.settle(recovered(job))
    assert owner.fetch_one().recoveries == 1


def test_a_job_is_no_suspect_any_more_after_the_window(session: Session, clock: Clock) -> None:
    """A suspect that ran meanwhile goes back to the others."""
    owner = Owner(session)
    bring_into("suspect", owner, Client(session), "a")
    job = owner.fetch_one(suspect=True)
    clock.now += RECOVERY_WINDOW_S
    assert session.overview(["q"]).queues[0].suspects == 0
    owner.settle(give_back(job))
    assert owner.fetch_one().recoveries == 0


def test_a_lease_ends_to_the_second(session: Session, clock: Clock) -> None:
    """It stands for less than its time to live and not longer."""
    session.acquire("node", "a", 10.0, 0)
    clock.now += 9.999
    assert session.acquire("other", "b", 10.0, 0) == Holder(1, "a", "node")
    clock.now += 0.001
    assert session.acquire("other", "b", 10.0, 0) == Fence(2, "b")


def test_a_job_is_due_to_the_second(session: Session, clock: Clock) -> None:
    """It is handed out at its time, not before it; ``next_due`` counts down to it."""
    owner = Owner(session)
    Client(session).push("a", delay=5.0)
    clock.now += 4.5
    answer = owner.exchange(want=1)
    assert (answer.jobs, answer.next_due, owner.sweep()) == ((), 0.5, "fine")
    clock.now += 0.5
    assert owner.sweep() == "due"
    assert owner.ask(owner.call).next_due == 0.0
    assert owner.fetch_one().id == "a"


def test_times_are_told_by_the_clock_of_the_store(session: Session, clock: Clock) -> None:
    """Due, begun and died: all on one clock."""
    owner, client = Owner(session), Client(session)
    client.push("a", "b", "c")
    a, b, c = owner.fetch(3)
    clock.now += 10.0
    owner.settle(retry(a, 7.0), bury(b))
    assert session.list_jobs("q", "waiting", 9, 0)[0].due_at == clock.now + 7.0
    assert session.list_jobs("q", "dead", 9, 0)[0].died_at == clock.now
    assert session.list_jobs("q", "running", 9, 0)[0].started_at == clock.now - 10.0
    assert session.overview([]).now == clock.now
    owner.settle(done(c))


def test_jobs_that_died_or_began_at_one_moment_have_an_order(session: Session) -> None:
    """By id where they died together; by place where they began together."""
    owner = Owner(session)
    Client(session).push("c", "a", "b")
    jobs = owner.fetch(3)
    assert listed(session, "running") == ["c", "a", "b"]
    owner.settle(*(bury(job) for job in jobs))
    assert listed(session, "dead") == ["a", "b", "c"]


def test_a_beat_lasts_to_the_second(session: Session, clock: Clock) -> None:
    """A node is known for as long as it said."""
    session.beat("node", b"info", 5.0)
    clock.now += 4.999
    assert session.nodes() == (("node", b"info"),)
    clock.now += 0.001
    assert session.nodes() == ()


# -- names
def test_stores_of_one_name_and_namespace_are_one(clock: Clock) -> None:
    """Several systems of one process meet there, as nodes do at a server; signals and presence included."""
    first, second = MemoryPersistence("shared", "blue", clock), MemoryPersistence("shared", "blue")
    subscription = second.subscribe("token", timeout=1.0)
    Client(first.session(timeout=1.0)).push("a", delay=5.0)
    assert listed(second.session(timeout=1.0), "waiting") == ["a"]
    assert subscription.next(1.0) == QueueWoken("q")
    assert first.session(timeout=1.0).presence("token").state == "present"
    assert second.session(timeout=1.0).overview([]).now == clock.now


@pytest.mark.parametrize("other", [("shared", "red"), ("another", "blue"), ("", "blue")])
def test_stores_of_another_name_or_namespace_are_others(other: tuple[str, str]) -> None:
    """Names and namespaces know nothing of each other."""
    first, second = MemoryPersistence("shared", "blue"), MemoryPersistence(*other)
    Client(first.session(timeout=1.0)).push("a")
    assert listed(second.session(timeout=1.0), "ready") == []


def test_stores_without_a_name_are_each_their_own() -> None:
    """Nothing is shared by not saying so."""
    first, second = MemoryPersistence(), MemoryPersistence()
    Client(first.session(timeout=1.0)).push("a")
    assert listed(second.session(timeout=1.0), "ready") == []


def test_fault_111_a_named_store_lives_while_one_has_it_open() -> None:
    """A node may stop and start again while another one runs; when the last has closed it, it is gone."""
    first, second = MemoryPersistence("lasting"), MemoryPersistence("lasting")
    Client(first.session(timeout=1.0)).push("a")
    first.close()
    first.close()
    third = MemoryPersistence("lasting")
    assert listed(third.session(timeout=1.0), "ready") == ["a"]
    second.close()
    third.close()
    gc.collect()
    assert listed(MemoryPersistence("lasting").session(timeout=1.0), "ready") == []


def test_a_closed_store_can_be_opened_again() -> None:
    """Like any persistence it connects when it is used; a named one finds what others kept open."""
    first, second = MemoryPersistence("again"), MemoryPersistence("again")
    first.close()
    Client(second.session(timeout=1.0)).push("a")
    assert listed(first.session(timeout=1.0), "ready") == ["a"]


def test_closing_ends_the_subscriptions() -> None:
    """Nobody of a closed persistence is present any more, and a waiting one is woken."""
    first, second = MemoryPersistence("open"), MemoryPersistence("open")
    subscription = first.subscribe("token", timeout=1.0)
    first.close()
    assert subscription.next(60.0) is None
    assert second.session(timeout=1.0).presence("token").state == "absent"


# -- bounds
def test_unread_signals_do_not_pile_up() -> None:
    """A subscription that nobody reads keeps each signal once."""
    store = MemoryPersistence()
    subscription = store.subscribe("token", timeout=1.0)
    client = Client(store.session(timeout=1.0))
    for _ in range(100):
        client.pause()
    assert subscription.next(0.0) == QueueWoken("q")
    assert subscription.next(0.0) is None


def test_a_run_is_named_by_place_seat_call_and_beginning(session: Session, clock: Clock) -> None:
    """Opaque to owners, but the same on every backend, so that a person can read it in either."""
    owner = Owner(session, seat=7)
    Client(session).push("a", "b")
    assert [job.run for job in owner.fetch(2)] == [b"1|7|1|1000000000", b"2|7|1|1000000000"]
    assert ids(owner.ask(1).jobs) == ["a", "b"]
    assert session.claim("q", ONE, 0).call == 1
