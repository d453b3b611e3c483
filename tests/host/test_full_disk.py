"""A disk that is really full under an SQLite file: nothing is lost or repeated; to make room is all that is needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from exqueue.persistence.sqlite.thrift import KEPT_PAGES
from tests.host.programs import DEADLINE_S, Ended, Program

if TYPE_CHECKING:
    from pathlib import Path

MOUNT = 'mkdir disk && mount -t tmpfs -o size=1m tmpfs disk && exec "$0" "$1"'
NAMESPACES = ("unshare", "--user", "--map-root-user", "--mount")

BEGINNING = """
import sqlite3
from contextlib import closing
DISK = HERE / "disk"
def fill():
    with (DISK / "ballast").open("ab", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass
def refusal(message):
    try:
        system.ask(message, timeout=5)
    except StorageFull as error:
        return str(error)
def end():
    status = system.ask(GetStatus())
    say("counts", *[(queue.name, queue.processed, queue.failed, queue.dead) for queue in status.queues])
    def restarts(info):
        return sum(map(restarts, info.children), info.restarts)
    say("restarts", restarts(system.ask(GetTree())))
    system.stop()
    with closing(sqlite3.connect(DISK / "store.db")) as file:
        say("integrity", *file.execute("PRAGMA integrity_check").fetchone())
system = start(shutdown_timeout=5)
"""
"""What the programs share: to fill the disk to its last byte, and to say how it all went."""

WAITED_OUT = """
class Held:
    def perform(self, *, number):
        note(f"begun-{number}")
        wait(lambda: (HERE / "go").exists())
        note(f"ended-{number}")
system.ask(StartWorker(Held, concurrency=2))
system.ask(StartWorker(Note))
for number in range(4):
    system.ask(Enqueue(Held, {"number": number}))
wait(lambda: len((HERE / "notes").read_text().split()) == 2 if (HERE / "notes").exists() else False)
reader = sqlite3.connect(DISK / "store.db", isolation_level=None)
reader.execute("BEGIN")
reader.execute("SELECT * FROM queues").fetchall()
fill()
accepted = 0
while not (refused := refusal(Enqueue(Note, {"text": "accepted"}))):
    accepted += 1
say("refused", refused)
with closing(sqlite3.connect(DISK / "store.db", isolation_level=None, timeout=5)) as writer:
    (same,) = writer.execute("PRAGMA user_version").fetchone()
    try:
        while True:
            writer.execute(f"PRAGMA user_version = {same}")
    except sqlite3.OperationalError as full:
        say(full)
(HERE / "go").touch()
wait(lambda: (HERE / "notes").read_text().count("ended") >= 2 and system.ask(GetStatus()).outage_reason)
say("in hand", *(len(system.ask(ListJobs(state, queue="Held"))) for state in ("running", "ready")))
reader.close()
(DISK / "ballast").unlink()
system.drain(timeout=15)
system.ask(Enqueue(Note, {"text": "after"}))
system.drain(timeout=15)
say("accepted", (HERE / "notes").read_text().count("accepted") == accepted)
end()
"""
"""The log has room that was used before: what is left of it when no job fits in any more is used up page by page."""

REOPENED = """
system.ask(StartWorker(Note))
for number in range(3):
    system.ask(Enqueue(Note, {"text": number}, delay=0.1))
system.stop()
fill()
system = start()
system.ask(StartWorker(Note))
wait(lambda: system.ask(GetStatus()).outage_reason)
say(system.ask(GetStatus()).outage_reason)
(DISK / "ballast").unlink()
wait(lambda: len((HERE / "notes").read_text().split()) == 3 if (HERE / "notes").exists() else False)
system.drain()
end()
"""

ALONE = """
from exqueue.persistence.sqlite import open_sqlite
from exqueue.persistence.values import Done, NewJob, Push
system.stop()
(DISK / "store.db").unlink()
session = open_sqlite(URL, NAMESPACE).session(timeout=5)
fence = session.acquire("node", "token", 100.0, 0)
session.claim("q", fence, 1)
numbers = iter(range(1, 1_000_000))
calls = iter(range(1, 1_000_000))
def push(size, jobs=1):
    number = next(numbers)
    new = tuple(NewJob(f"job-{number}-{which}", bytes(size)) for which in range(jobs))
    (refused,) = session.push("caller", [Push("q", number, new)])
    return refused is None
in_hand = ()
def run(calls_made):
    global in_hand
    for _ in range(calls_made):
        done = [Done(job.id, job.run) for job in in_hand]
        in_hand = session.exchange("q", fence, 1, next(calls), done, 2, serial=False).jobs
    return not in_hand
def is_copied():
    with closing(sqlite3.connect(DISK / "store.db")) as file:
        return file.execute("PRAGMA page_count").fetchone()[0] * 4096 == (DISK / "store.db").stat().st_size
push(10, jobs=20)
fill()
say("run", run(11))
(DISK / "ballast").unlink()
copied = set()
while push(1_000):
    copied.add(is_copied())
say("copied", copied)
say("kept", os.statvfs(DISK).f_bavail)
run(10)
push(500_000)
fill()
say("run", run(200))
"""

READ_MEANWHILE = """
from exqueue.persistence.sqlite import open_sqlite
from exqueue.persistence.sqlite.thrift import KEPT_PAGES
from exqueue.persistence.values import NewJob, Push
system.stop()
(DISK / "store.db").unlink()
session = open_sqlite(URL, NAMESPACE).session(timeout=5)
calls = iter(range(1, 1_000_000))
def push():
    number = next(calls)
    (refused,) = session.push("caller", [Push("q", number, (NewJob(f"job-{number}", bytes(1_000)),))])
    return refused is None
def look():
    reader = sqlite3.connect(DISK / "store.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM queues").fetchall()
    return reader
accepted = 0
push()
reader = look()
def is_room_left():
    return os.statvfs(DISK).f_bavail > KEPT_PAGES
while is_room_left() and push():
    accepted += 1
    next_reader = look()
    reader.close()
    reader = next_reader
reader.close()
say("while read", accepted)
accepted = 0
while push():
    accepted += 1
say("afterwards", accepted)
say("kept", os.statvfs(DISK).f_bavail)
"""
"""Each reader comes before the one before it has gone: the log is copied, but never written from its beginning."""

IN_TURN = """
class Counted:
    concurrency = 4
    ran = 0
    def perform(self, *, padding):
        type(self).ran += 1
system.ask(StartWorker(Counted))
for _ in range(60):
    system.ask(EnqueueMany([Enqueue(Counted, {"padding": "x" * 500}) for _ in range(50)]))
    system.drain(timeout=20)
say("ran", Counted.ran)
found = os.statvfs(DISK)
say("free", found.f_bavail >= found.f_blocks // 2)
end()
"""

RUN_EMPTY = """
from collections import Counter
class Kept:
    concurrency = 4
    ran = Counter()
    may_go_on = threading.Event()
    stops_at = None
    def perform(self, *, number, padding):
        if number == self.stops_at:
            self.may_go_on.wait()
        type(self).ran[number] += 1
system.ask(StartWorker(Kept, concurrency=1))
system.drain()
def is_all_run(number):
    wait(lambda: len(Kept.ran) == number and not system.ask(ListJobs("running")))
    return not system.ask(ListJobs("ready")) and set(Kept.ran.values()) == {1}
accepted = 0
def accept_until_refused():
    global accepted
    system.ask(PauseQueue("Kept"))
    while not (refused := refusal(Enqueue(Kept, {"number": accepted, "padding": "x" * 1_000}))):
        accepted += 1
    system.ask(ResumeQueue("Kept"))
    say("refused", refused)
accept_until_refused()
say("run", accepted > 100, is_all_run(accepted))
Kept.stops_at = accepted + 20
accept_until_refused()
wait(lambda: len(Kept.ran) == Kept.stops_at and len(system.ask(ListJobs("running"))) == 1)
fill()
Kept.may_go_on.set()
say("run", is_all_run(accepted))
say("free", os.statvfs(DISK).f_bavail)
(DISK / "ballast").unlink()
system.ask(Enqueue(Kept, {"number": accepted, "padding": ""}))
say("run", is_all_run(accepted + 1))
end()
"""


@pytest.fixture(scope="module")
def own_mounts() -> None:
    """Skip on a machine that does not let us mount a small disk for ourselves."""
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare to mount a small disk")
    tried = subprocess.run([*NAMESPACES, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True)
    if tried.returncode != 0:
        pytest.skip("this machine allows no mounts in a namespace of one's own")


@pytest.fixture
def run(own_mounts: None, tmp_path: Path, namespace: str) -> Callable[[str], tuple[Ended, list[str]]]:
    """Runs a script with a store on a disk of 1 MB; returns how it ended, and what its jobs noted."""

    def run_it(script: str) -> tuple[Ended, list[str]]:
        url = f"sqlite:///{tmp_path}/disk/store.db"
        command = [*NAMESPACES, "sh", "-c", MOUNT, sys.executable, str(tmp_path / "program.py")]
        with Program(tmp_path, BEGINNING + script, url, namespace, command=command) as program:
            ended = program.end(within=2 * DEADLINE_S)
            assert ended.code == 0, ended
            return ended, program.notes

    return run_it


Run = Callable[[str], "tuple[Ended, list[str]]"]


def test_fault_101_a_full_disk_is_waited_out(run: Run) -> None:
    """Where the log can't be emptied either, what ended is kept and settled later; no job is lost or run twice."""
    ended, notes = run(WAITED_OUT)
    refused, *lines = ended.lines
    assert "there is no room on the disk" in refused
    assert "stored: no" in refused
    used_up, in_hand, all_accepted, counts, *rest = lines
    assert (used_up, in_hand, all_accepted) == ("database or disk is full", "in hand 2 2", "accepted True")
    assert counts.startswith("counts ('Held', 4, 0, 0) ('Note', ")
    assert rest == ["restarts 0", "integrity ok"]
    others = [note for note in notes if note != "accepted"]
    assert sorted(others) == sorted(["after", *(f"{what}-{n}" for what in ("begun", "ended") for n in range(4))])
    (line,) = [line for line in ended.err.splitlines() if "in the new file" not in line]
    assert line.startswith("the persistence refuses, jobs wait until a person acts: ")
    assert "there is no room on the disk" in line
    assert "make room there" in line


def test_fault_101_a_full_disk_refuses_who_opens_the_file(run: Run) -> None:
    """SQLite's own files take room too: the reason is the disk, not a fault of it."""
    ended, notes = run(REOPENED)
    refused, *rest = ended.lines
    assert "there is no room on the disk" in refused
    assert (sorted(notes), rest[1:]) == (["0", "1", "2"], ["restarts 0", "integrity ok"])
    (line,) = [line for line in ended.err.splitlines() if "in the new file" not in line]
    assert line.startswith("the persistence refuses")


def test_fault_101_one_connection_alone_lives_through_a_full_disk(run: Run) -> None:
    """It empties a log that can't grow, and stays open, since SQLite's own files would find no room any more."""
    ended, _ = run(ALONE)
    ran, copied, kept, ran_again = ended.lines
    assert (ran, copied, ran_again) == ("run True", "copied {True}", "run True")
    assert int(kept.removeprefix("kept ")) >= KEPT_PAGES // 2


def test_fault_101_a_log_that_readers_let_grow_gives_its_room_to_jobs(run: Run) -> None:
    """Those who read in turn let it take all the room; once nobody reads, jobs get what settling does not need."""
    ended, _ = run(READ_MEANWHILE)
    while_read, afterwards, kept = (int(line.rpartition(" ")[2]) for line in ended.lines)
    assert while_read < afterwards, ended.lines
    assert kept >= KEPT_PAGES // 2


def test_fault_101_jobs_that_run_in_turn_fill_no_disk(run: Run) -> None:
    """Thousands of them pass through a disk of 1 MB: the log of what was done takes no room for good."""
    ended, _ = run(IN_TURN)
    assert ended.lines == [
        "ran 3000",
        "free True",
        "counts ('Counted', 3000, 0, 0)",
        "restarts 0",
        "integrity ok",
    ]
    assert ended.err == ""


def test_fault_101_a_disk_full_of_jobs_runs_empty(run: Run) -> None:
    """New jobs leave room for the log of what settles them, which stays the store's own when others fill the rest."""
    ended, _ = run(RUN_EMPTY)
    refusals = [line for line in ended.lines if line.startswith("refused")]
    assert len(refusals) == 2
    assert all("there is no room on the disk" in line and "stored: no" in line for line in refusals)
    ran, *rest = [line for line in ended.lines if not line.startswith("refused")]
    assert (ran, rest[:3]) == ("run True True", ["run True", "free 0", "run True"])
    assert rest[4:] == ["restarts 0", "integrity ok"]
    assert ended.err == ""
