"""Many threads at one store: every verb is one step, whoever else is at it."""

import sys
import threading
from collections.abc import Callable, Iterator
from itertools import chain

import pytest

from exqueue.errors import Fenced, StaleCall
from exqueue.persistence.base import Persistence, Session
from exqueue.persistence.values import Fence
from tests.persistence.conformance.play import DEADLINE_S, Client, Owner, done, ids, listed, new_job

THREADS = 4
THEFTS = 500


@pytest.fixture
def sessions(store: Persistence) -> Iterator[list[Session]]:
    """A pooled session a thread."""
    opened: list[Session] = [store.session(timeout=DEADLINE_S, pooled=True) for _ in range(THREADS)]
    yield opened
    for each in opened:
        each.close()


@pytest.fixture(autouse=True)
def interleaved() -> Iterator[None]:
    """Let threads take turns every few instructions: memory is so quick that each would end within one turn."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(work: Callable[[int], None]) -> None:
    """Run ``work(0)``, ``work(1)``, .. in a thread each, begun together; the first error is raised."""
    barrier = threading.Barrier(THREADS)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait(DEADLINE_S)
            work(number)
        except BaseException as error:  # noqa: BLE001 - handed on to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S * 3)
    if errors:
        raise errors[0]
    assert not any(thread.is_alive() for thread in threads), "the work does not end"


def test_jobs_pushed_at_once_are_all_stored_each_in_its_order(session: Session, sessions: list[Session]) -> None:
    """Pushes do not lose each other's jobs, and those of one caller stay in order."""

    def push(number: int) -> None:
        client = Client(sessions[number])
        for each in range(50):
            client.push(f"{number}-{each:02}")

    at_once(push)
    stored = listed(session, "ready")
    assert len(stored) == THREADS * 50
    for number in range(THREADS):
        assert [job_id for job_id in stored if job_id.startswith(f"{number}-")] == [
            f"{number}-{each:02}" for each in range(50)
        ]


def test_an_id_pushed_at_once_is_stored_once(session: Session, sessions: list[Session]) -> None:
    """Looking and storing are one step."""

    def push(number: int) -> None:
        client = Client(sessions[number])
        for each in range(50):
            client.push(f"job-{each}")

    at_once(push)
    assert sorted(listed(session, "ready")) == sorted(f"job-{each}" for each in range(50))


def test_one_of_many_gets_the_lock(sessions: list[Session]) -> None:
    """Looking and taking are one step: all others hear who holds it."""
    answers: dict[int, object] = {}

    def acquire(number: int) -> None:
        answers[number] = sessions[number].acquire(f"node-{number}", f"token-{number}", 60.0, 0)

    at_once(acquire)
    fences = [answer for answer in answers.values() if isinstance(answer, Fence)]
    assert len(fences) == 1
    assert {getattr(answer, "token", None) for answer in answers.values()} == {fences[0].token}


def test_owners_that_take_a_queue_from_each_other_do_no_job_twice(session: Session, sessions: list[Session]) -> None:
    """However often the queue changes hands: each job is settled as done once, and none is left."""
    names = [f"job-{number:03}" for number in range(200)]
    Client(session).push(*names)
    finished: list[list[str]] = [[] for _ in range(THREADS)]
    # Owners that rob each other without end may all be robbed before they settle: the thefts are counted, so that
    # the test ends on every scheduler, and the last owner finds what they left.
    epochs = iter(range(1, THEFTS))
    drawing = threading.Lock()

    def work(number: int) -> None:
        while sum(map(len, finished)) < len(names):
            with drawing:
                epoch = next(epochs, None)
            if epoch is None:
                return
            try:
                owner = Owner(sessions[number], fence=Fence(epoch, f"token-{epoch}"), seat=epoch)
                for _ in range(3):
                    jobs = owner.fetch(5, suspect=True)
                    owner.settle(*(done(job) for job in jobs))
                    finished[number].extend(ids(jobs))
            except (Fenced, StaleCall):
                continue

    at_once(work)
    last = Owner(session, fence=Fence(THEFTS, "the last"), seat=THEFTS)
    left: list[str] = []
    while jobs := last.fetch(5, suspect=True):
        last.settle(*(done(job) for job in jobs))
        left.extend(ids(jobs))
    assert sorted(chain(left, *finished)) == names
    assert session.overview(["q"]).queues[0].processed == len(names)


def test_a_caller_that_sends_at_once_what_it_sent_already_stores_once(
    session: Session, sessions: list[Session]
) -> None:
    """Copies of a call that arrive together are one call."""

    def push(number: int) -> None:
        client = Client(sessions[number], caller="the one")
        for each in range(30):
            client.send(each + 1, new_job(f"job-{each:02}"))  # a copy that comes after the next call is stale

    at_once(push)
    assert listed(session, "ready") == [f"job-{each:02}" for each in range(30)]


def test_a_cancel_and_a_fetch_at_once_agree(session: Session, sessions: list[Session]) -> None:
    """A job is cancelled or handed out, never both and never neither."""
    names = [f"job-{number:03}" for number in range(100)]
    Client(session).push(*names)
    owner = Owner(session)
    cancelled: list[list[str]] = [[] for _ in range(THREADS)]
    fetched: list[str] = []

    def work(number: int) -> None:
        if number == 0:
            while jobs := owner.fetch(3):
                fetched.extend(ids(jobs))
            return
        client = Client(sessions[number])
        for name in names[number::THREADS]:
            if client.cancel(name) == "ready":
                cancelled[number].append(name)

    at_once(work)
    assert sorted([*fetched, *chain.from_iterable(cancelled)]) == names
