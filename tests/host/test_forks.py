"""Forks: the child is told whose the system is, never hangs, and takes nothing from its parent."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

import pytest

from exqueue import GetJob, GetStatus, GetTree, StartWorker
from exqueue.actors.protocol import LockFree
from exqueue.supervision import Envelope
from tests.host.programs import Program
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from exqueue import SystemRef
    from tests.host.conftest import Run

FORK = """
def in_child(do, *, leave=os._exit):
    child = os.fork()
    if child == 0:
        try:
            do()
            status = 0
        except BaseException as error:
            say("child:", type(error).__name__, error)
            status = 1
        leave(status)
    return child
def status_of(child, seconds=15):
    until = time.monotonic() + seconds
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "hangs"
        time.sleep(0.005)
"""

STARTED = (
    FORK
    + """
system = start()
system.ask(StartWorker(Note))
"""
)

CALLS = [
    "system.ask(Enqueue(Note, {'text': 'child'}))",
    "system.tell(Enqueue(Note, {'text': 'child'}))",
    "system.ask(EnqueueMany([Enqueue(Note, {'text': 'child'})]))",
    "system.enqueue(Note, text='child')",
    "system.ask(GetStatus())",
    "system.ask(GetStatus(), block=False)",
    "system.drain(timeout=5)",
    "system.run()",
]


def test_in_a_child_every_call_says_whose_the_system_is(run: Run) -> None:
    """At once, with both process ids; the parent works on as if nothing had been."""
    calls = "".join(f"children.append(in_child(lambda: {call}))\n" for call in CALLS)
    ended = run(STARTED + "children = []\n" + calls + "say(*[status_of(child) for child in children])\n" + STILL_WORKS)
    refusals = [line for line in ended.lines if line.startswith("child:")]
    assert len(refusals) == len(CALLS)
    for refusal in refusals:
        assert re.fullmatch(
            r"child: SystemStopped this system was started in process (\d+) and can't be used in its child (?!\1)\d+: "
            r"start one there",
            refusal,
        )
    assert " ".join(["1"] * len(CALLS)) in ended.lines
    assert (ended.code, ended.err, ended.lines[-1]) == (0, "", "parent works")


STILL_WORKS = """
assert system.is_alive()
system.ask(Enqueue(Note, {"text": "parent"}))
system.drain()
assert (HERE / "notes").read_text().split()[-1] == "parent"
say("parent works")
"""


@pytest.mark.parametrize("leave", ["os._exit", "sys.exit"])
def test_the_end_of_a_child_takes_nothing_from_its_parent(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef, leave: str
) -> None:
    """Also where it runs the exit handlers that it inherited, or stops the system, which does nothing there."""
    script = f"""
    class Held:
        def perform(self):
            note("begun")
            wait(lambda: (HERE / "go").exists())
    system.ask(StartWorker(Held))
    system.ask(Enqueue(Held))
    wait(lambda: (HERE / "notes").exists())
    def stop():
        assert not system.is_alive()
        assert system.stop() and system.stop(block=False)
        with system:
            pass
        repr(system)
    for do in (lambda: None, stop):
        say("status", status_of(in_child(do, leave={leave})))
    say("epoch", system.ask(GetStatus()).epoch, system.ask(GetStatus()).leader)
    wait(lambda: (HERE / "go").exists())
    """
    with Program(tmp_path, STARTED + clean(script) + STILL_WORKS, redis_url, namespace) as program:
        epoch, leader = program.await_line("epoch ").split()
        status = observer.ask(GetStatus())
        assert (status.leader, str(status.epoch)) == (leader, epoch) == (f"node-{program.pid}", "1")
        assert status.nodes == (leader, "observer")
        (tmp_path / "go").touch()
        ended = program.end()
    assert (ended.code, ended.err) == (0, "")
    assert [line for line in ended.lines if line.startswith("status")] == ["status 0"] * 2
    assert ended.lines[-1] == "parent works"


def clean(script: str) -> str:
    """Without the indentation of the test."""
    return re.sub(r"^ {4}", "", script, flags=re.MULTILINE)


OWN = """
def own():
    with start() as mine:
        mine.ask(StartWorker(Note))
        text = f"child-{os.getpid()}"
        mine.ask(Enqueue(Note, {"text": text}))
        wait(lambda: text in (HERE / "notes").read_text())
"""


def test_fault_098_a_child_may_start_a_system_of_its_own(run: Run) -> None:
    """Before or after its parent started one, also of the same address, which in memory is another store."""
    ended = run(
        FORK
        + OWN
        + """
URL = URL if URL != "memory://" else "memory://shared"
note("begin")
say("before", status_of(in_child(own)))
system = start(lock_ttl=60)
if URL == "memory://shared":
    # On a server it would be the child that leads no queue, as its parent does.
    system.ask(StartWorker(Note))
    wait(lambda: system.ask(GetStatus()).leader)
say("after", status_of(in_child(own, leave=sys.exit)))
system.ask(StartWorker(Note))
"""
        + STILL_WORKS
    )
    assert ended.lines == ["before 0", "after 0", "parent works"]
    assert (ended.code, ended.err) == (0, "")


def test_a_child_that_starts_while_its_parent_is_busy_never_hangs(run: Run) -> None:
    """Whatever locks the threads of the parent held at the moment of the fork."""
    ended = run(
        FORK
        + """
URL = URL if URL != "memory://" else "memory://shared"
system = start()
system.ask(StartWorker(Note, concurrency=4))
over = threading.Event()
def store():
    while not over.is_set():
        system.ask(Enqueue(Note, {"text": "parent"}))
threads = [threading.Thread(target=store) for _ in range(3)]
for thread in threads:
    thread.start()
def own():
    try:
        system.tell(Enqueue(Note, {"text": "child"}))
    except SystemStopped:
        pass
    with start(namespace="own") as mine:
        mine.ask(Enqueue(Note, {"text": "child"}))
say(*{status_of(in_child(own)) for _ in range(15)})
over.set()
for thread in threads:
    thread.join()
"""
        + STILL_WORKS
    )
    assert ended.lines == ["0", "parent works"]
    assert (ended.code, ended.err) == (0, "")


def test_a_child_does_not_make_a_dead_parent_look_alive(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef
) -> None:
    """A child that lives on holds no connection of its parent's: the standby takes over long before the lock ends."""
    script = """
system = start(lock_ttl=60)
system.ask(StartWorker(Note))
child = in_child(lambda: time.sleep(60))
wait(lambda: system._context.board.table("seen").get("listening"))
say("child", child)
time.sleep(60)
"""
    with Program(tmp_path, FORK + script, redis_url, namespace) as program:
        child = int(program.await_line("child "))
        try:
            eventually(lambda: observer.ask(GetStatus()).leader)
            observer.ask(StartWorker(Nothing))
            look_at_the_leader(observer)
            program.send(signal.SIGKILL)
            eventually(lambda: observer.ask(GetStatus()).leader == "observer", within=8)
        finally:
            os.kill(child, signal.SIGKILL)


class Nothing:
    """Makes the observer a standby."""

    def perform(self) -> None:
        pass


def look_at_the_leader(standby: SystemRef) -> None:
    """Have the standby look whether who leads is there: only who was seen can be seen to be gone."""
    for _ in range(2):  # the second is taken up when the first is done
        assert standby.send_to("leader", Envelope(LockFree()))
        eventually(lambda: not next(one for one in standby.ask(GetTree()).children if one.name == "leader").mailbox)


JOBS_THAT_FORK = {
    "returns": ("pass", 0),
    "exits": ("sys.exit(3)", 3),
    "exits with a text": ("sys.exit('why')", 1),
    "ends at once": ("os._exit(4)", 4),
    "raises": ("raise ValueError('in the child')", 1),
}


@pytest.mark.parametrize("how", JOBS_THAT_FORK)
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_fault_017_a_child_that_a_job_forked_ends_where_the_job_ends(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef, how: str, kind: str
) -> None:
    """It settles nothing, runs nothing else, and the job and those after it succeed once each."""
    code, status = JOBS_THAT_FORK[how]
    script = f"""
    class Forking:
        max_retries = 0
        {kind} perform(self):
            child = os.fork()
            if child == 0:
                {code}
                return
            say("status", status_of(child))
    system = start()
    for job in (Forking, Note):
        system.ask(StartWorker(job))
    say("job", system.ask(Enqueue(Forking)))
    system.ask(Enqueue(Forking))
    system.drain(timeout=30)
    counts = next(one for one in system.ask(GetStatus()).queues if one.name == "Forking")
    say("counts", counts.processed, counts.failed, counts.dead)
    """
    with Program(tmp_path, FORK + clean(script) + STILL_WORKS, redis_url, namespace) as program:
        ended = program.end()
    assert [line for line in ended.lines if line.startswith("status")] == [f"status {status}"] * 2
    assert "counts 2 0 0" in ended.lines
    assert (ended.code, ended.lines[-1]) == (0, "parent works")
    assert ended.err.count("forked by a job of process") == (2 if how == "raises" else 0)
    assert bool(ended.err) == (how == "raises")


def test_a_child_of_a_job_may_work_with_a_system_of_its_own(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef
) -> None:
    """It remembers the job of its parent, yet its own stop is a whole one."""
    script = """
    class Forking:
        def perform(self):
            def own():
                mine = start()
                mine.ask(Enqueue(Note, {"text": "child"}, id="of-the-child"))
                assert current_job() is not None
                assert mine.stop()
                assert not mine.is_alive()
                assert threading.active_count() == 1
            say("status", status_of(in_child(own)))
    system = start()
    system.ask(StartWorker(Forking))
    system.ask(Enqueue(Forking))
    system.drain(timeout=30)
    """
    with Program(tmp_path, FORK + clean(script), redis_url, namespace) as program:
        ended = program.end()
    assert ended.lines == ["status 0"]
    assert observer.ask(GetJob("of-the-child")).state == "ready"
