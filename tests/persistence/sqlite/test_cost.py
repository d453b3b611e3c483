"""What a verb costs: in steps of SQLite's machine, which a busy computer does not change; and what it waits for."""

import sqlite3
from collections.abc import Callable

import pytest

from exqueue.persistence.sqlite.session import SqliteSession
from exqueue.persistence.values import Fence, Fetched, NewJob, Push
from tests.persistence.conformance.play import FAR_S, Client, Owner, done, give_back, retry

SHORT, LONG = 500, 20_000
MOST = 1.2
FULL, NORMAL = 2, 1


def steps_of(connection: sqlite3.Connection, act: Callable[[], object]) -> int:
    """How many steps SQLite took."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.set_progress_handler(count, 1)
    act()
    connection.set_progress_handler(None, 1)
    return steps


def fill(session: SqliteSession, queue: str, jobs: int) -> None:
    """Store that many that are ready, and that many that wait."""
    for begin in range(0, jobs, 500):
        names = [f"{number:08}" for number in range(begin, begin + 500)]
        ready = tuple(NewJob(f"r{name}", b"record") for name in names)
        waiting = tuple(NewJob(f"w{name}", b"record", delay=FAR_S) for name in names)
        assert session.push("filler", [Push(queue, 2 * begin + 1, ready), Push(queue, 2 * begin + 2, waiting)])


def test_an_exchange_costs_no_more_in_a_long_queue(
    connections: list[sqlite3.Connection], session: SqliteSession
) -> None:
    """Every line is read from its beginning, by an index: settle ten in every way, fetch ten."""

    def cost(queue: str, jobs: int) -> int:
        fill(session, queue, jobs)
        owner = Owner(session, queue)
        fetched = owner.fetch(10)
        ends = [done(job) for job in fetched[:6]], [retry(job) for job in fetched[6:8]], [give_back(fetched[8])]
        (connection,) = connections
        return steps_of(connection, lambda: owner.exchange(*(end for some in ends for end in some), want=10))

    short, long = cost("short", SHORT), cost("long", LONG)
    assert 0 < long <= short * MOST


@pytest.mark.parametrize(
    "act",
    [
        lambda session, queue: Client(session, queue).push("new"),
        lambda session, queue: Client(session, queue).push("later", delay=FAR_S / 2),
        lambda session, queue: Client(session, queue).cancel("r00000250"),
        lambda session, queue: Client(session, queue).retry_dead("r00000250"),
        lambda session, queue: Owner(session, queue, fence=Fence(9, "nine"), seat=9).sweep(),
        lambda session, queue: session.get_jobs("w00000250", [queue]),
        lambda session, queue: session.list_jobs(queue, "ready", 50, 0),
        lambda session, queue: session.list_jobs(queue, "waiting", 50, 0),
        lambda session, queue: session.list_jobs(queue, "running", 50, 0),
        lambda session, queue: session.list_jobs(queue, "ready", 50, session.overview([queue]).queues[0].ready - 50),
        lambda session, queue: session.overview([queue]),
    ],
    ids=[
        "push",
        "push later",
        "cancel",
        "retry",
        "claim and sweep",
        "get",
        "ready",
        "waiting",
        "running",
        "last page",
        "overview",
    ],
)
def test_a_verb_costs_no_more_in_a_long_queue(
    connections: list[sqlite3.Connection], session: SqliteSession, act: Callable[[SqliteSession, str], object]
) -> None:
    """None of them looks at all jobs, not even to count them."""
    costs = []
    for queue, jobs in (("short", SHORT), ("long", LONG // 4)):
        fill(session, queue, jobs)
        (connection,) = connections
        costs.append(steps_of(connection, lambda queue=queue: act(session, queue)))  # type: ignore[misc]
    assert 0 < costs[1] <= costs[0] * MOST


def test_fault_105_what_was_promised_waits_for_the_disk_and_a_turn_does_not(
    connections: list[sqlite3.Connection], session: SqliteSession
) -> None:
    """An answered push, a person's command and a new epoch survive a power cut; an exchange is done once more."""
    client = Client(session)

    def mode_after(act: Callable[[], object]) -> int:
        act()
        mode: int = connections[0].execute("PRAGMA synchronous").fetchone()[0]
        return mode

    assert mode_after(lambda: client.push("a", "b")) == FULL
    owner = Owner(session)
    fetched: list[Fetched] = []
    assert mode_after(lambda: fetched.extend(owner.fetch(2))) == NORMAL
    assert mode_after(lambda: client.cancel("a")) == FULL
    assert mode_after(lambda: owner.settle(*map(done, fetched))) == NORMAL
    assert mode_after(lambda: session.acquire("node", "token", 60.0, 0)) == FULL
    assert mode_after(lambda: session.renew(Fence(1, "token"), 60.0)) == NORMAL


def test_many_pushes_wait_for_the_disk_once(connections: list[sqlite3.Connection], session: SqliteSession) -> None:
    """All that a producer has is one transaction."""
    session.queues()
    told: list[str] = []
    connections[0].set_trace_callback(told.append)
    pushes = [Push(queue, 1, (NewJob("a", b""),)) for queue in ("q", "r", "s")]
    assert session.push("caller", pushes) == (None, None, None)
    connections[0].set_trace_callback(None)
    assert [each for each in told if each in {"BEGIN IMMEDIATE", "COMMIT"}] == ["BEGIN IMMEDIATE", "COMMIT"]


def test_the_file_is_kept_by_a_log_ahead(connections: list[sqlite3.Connection], session: SqliteSession) -> None:
    """Readers and the writer do not wait for each other."""
    session.queues()
    assert connections[0].execute("PRAGMA journal_mode").fetchone()[0] == "wal"
