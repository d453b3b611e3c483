"""Several processes at one file: nothing is lost, whoever is killed, and each hears of what the others did."""

import random
import sqlite3
import threading
from contextlib import ExitStack, closing
from pathlib import Path

from exqueue.persistence.sqlite.session import SqliteSession
from exqueue.persistence.values import Fence, QueueWoken
from tests.persistence.conformance.play import DEADLINE_S, Client, Owner, done, ids, listed
from tests.persistence.sqlite.children import child
from tests.persistence.sqlite.conftest import Open

PUSHERS, JOBS = 3, 150
KILLS = 20

PUSH = f"""
client = Client(session)
say("ready")
sys.stdin.readline()
for number in range({JOBS}):
    client.push(f"{{sys.argv[2]}}-{{number:03}}")
"""

WRITE_FOR_EVER = """
client = Client(session)
owner = Owner(session, fence=Fence(int(sys.argv[2]), "token"))
number = 0
while True:
    number += 1
    client.push(f"{sys.argv[2]}-{number}")
    say(f"{sys.argv[2]}-{number}")
    owner.exchange(*(GiveBack(job.id, job.run) for job in owner.fetch(3, suspect=True)))
"""


def test_fault_102_processes_that_write_at_once_lose_nothing(session: SqliteSession, path: Path) -> None:
    """While some push, another fetches and settles: in the end every job was done, once, in its pusher's order."""
    session.queues()
    with ExitStack() as stack:
        pushers = [stack.enter_context(child(PUSH, path, str(number))) for number in range(PUSHERS)]
        assert [pusher.heard() for pusher in pushers] == ["ready"] * PUSHERS
        for pusher in pushers:
            pusher.tell()
        owner, fetched = Owner(session), list[str]()
        while len(fetched) < PUSHERS * JOBS:
            jobs = owner.fetch(7)
            owner.settle(*map(done, jobs))
            fetched += ids(jobs)
        assert [pusher.finish()[0] for pusher in pushers] == [0] * PUSHERS
    for number in range(PUSHERS):
        own = [job_id for job_id in fetched if job_id.startswith(f"{number}-")]
        assert own == [f"{number}-{each:03}" for each in range(JOBS)]
    assert session.overview(["q"]).queues[0].processed == PUSHERS * JOBS


def test_processes_that_make_the_file_at_once_make_one(open_store: Open, path: Path) -> None:
    """Whoever comes second finds the store of the first."""
    with ExitStack() as stack:
        pushers = [stack.enter_context(child(PUSH, path, str(number))) for number in range(PUSHERS)]
        assert [pusher.heard() for pusher in pushers] == ["ready"] * PUSHERS
        for pusher in pushers:
            pusher.tell()
        assert [pusher.finish()[0] for pusher in pushers] == [0] * PUSHERS
    assert len(listed(open_store().session(timeout=10.0), "ready")) == PUSHERS * JOBS


def test_fault_104_a_process_killed_while_it_writes_loses_nothing_that_it_was_told(
    open_store: Open, path: Path
) -> None:
    """Twenty times at a random moment: the file is sound, and every push that was answered is there."""
    told: list[str] = []
    moments = random.Random(1)
    for life in range(1, KILLS + 1):
        with child(WRITE_FOR_EVER, path, str(life)) as writer:
            told.append(writer.heard())
            killer = threading.Timer(moments.uniform(0.0, 0.03), writer.kill)
            killer.start()
            told += writer.finish()[1]
            killer.join()
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(told) > KILLS
    session = open_store().session(timeout=10.0)
    Owner(session, fence=Fence(KILLS + 1, "the last"))
    stored = {
        job.id
        for offset in range(0, len(told) + KILLS, 1_000)
        for job in session.list_jobs("q", "ready", 1_000, offset)
    }
    # The answer of the last push of a life may have been cut off in the pipe: the job is there, nobody heard of it.
    assert set(told) <= stored
    assert len(stored - set(told)) <= KILLS


def test_the_signal_of_another_process_is_heard(open_store: Open, session: SqliteSession, path: Path) -> None:
    """Looking whether anything was committed is enough: there is no server that could tell."""
    subscription = open_store().subscribe("token", timeout=10.0)
    with child("sys.stdin.readline()\nClient(session).pause()", path) as other:
        other.tell()
        assert subscription.next(DEADLINE_S) == QueueWoken("q")
        assert other.finish()[0] == 0


def test_jobs_of_one_process_are_fetched_by_another(session: SqliteSession, path: Path) -> None:
    """A node that only enqueues needs nothing but the file."""
    Client(session).push("a")
    with child("owner = Owner(session)\njob = owner.fetch_one()\nsay(job.id)\nowner.settle(done(job))", path) as other:
        assert other.heard() == "a"
        assert other.finish()[0] == 0
    assert session.overview(["q"]).queues[0].processed == 1
