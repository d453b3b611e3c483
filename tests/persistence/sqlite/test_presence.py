"""A system is present while its process lives, and gone the moment it ends, in whatever way."""

import os
import signal
from pathlib import Path

import pytest

from exqueue.errors import SystemStopped
from exqueue.persistence.sqlite import SqlitePersistence
from exqueue.persistence.sqlite.presence import lives, witness
from exqueue.persistence.sqlite.session import SqliteSession
from exqueue.persistence.values import Fence, Holder, Presence
from tests.persistence.conformance.play import eventually, listed
from tests.persistence.sqlite.children import child
from tests.persistence.sqlite.conftest import Open

LEAD = """
subscription = store.subscribe("a", timeout=10.0)
session.acquire("node-a", "a", 3600.0, 0)
say("leads")
"""
LEAD_AND_WAIT = LEAD + "sys.stdin.readline()\n"

LEAD_AND_FORK = (
    LEAD
    + """
child = os.fork()
if child == 0:
    say("child", os.getpid())
    time.sleep(60)
    os._exit(0)
sys.stdin.readline()
"""
)

USE_IN_A_CHILD = """
from exqueue.errors import SystemStopped
subscription = store.subscribe("a", timeout=10.0)
Client(session).push("a")
child = os.fork()
if child == 0:
    for use in (session.queues, store.session(timeout=1.0).queues, lambda: store.subscribe("b", timeout=1.0),
                lambda: store.session(timeout=1.0, pooled=True).queues(), lambda: subscription.next(0.0)):
        try:
            use()
        except SystemStopped as stopped:
            say(stopped)
    signal.alarm(10)  # a child that hangs ends by this
    for opened in (session, subscription, store):
        opened.close()
    own = open_sqlite("sqlite:///" + path, "default")
    Client(own.session(timeout=10.0)).push("of the child")
    sys.exit()  # as a program ends: whatever Python deletes on its way out is deleted
assert os.waitpid(child, 0)[1] == 0
for number in range(50):
    Client(session).push(f"{number:02}")
say(session.presence("a").state)
"""

FORK_WHILE_OTHERS_WRITE = """
import threading
from exqueue.persistence.values import NewJob, Push
is_over = threading.Event()
def work(name):
    own, n = store.session(timeout=10.0), 0
    while not is_over.is_set():
        n += 1
        own.push(name, [Push(name, n, (NewJob(f"{n % 50}", b""),))])
        own.list_jobs(name, "ready", 100, 0)
threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two", "three")]
for thread in threads:
    thread.start()
for number in range(40):
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # a child that hangs ends by this
        own = open_sqlite("sqlite:///" + path, "default").session(timeout=10.0)
        Client(own, "children").push(str(number))
        os._exit(0)
    say(os.waitpid(child, 0)[1])
is_over.set()
for thread in threads:
    thread.join()
"""

GONE = Presence("gone")


def leased(session: SqliteSession) -> Holder:
    """The lease that stands."""
    holder = session.overview(()).holder
    assert holder is not None
    return holder


def test_a_killed_holder_is_gone_though_nobody_has_reaped_it(session: SqliteSession, path: Path) -> None:
    """The kernel takes the lock back at once; a zombie holds nothing."""
    session.queues()
    with child(LEAD_AND_WAIT, path) as leader:
        assert leader.heard() == "leads"
        assert session.presence("a").state == "present"
        assert not session.evict(leased(session), GONE)
        leader.kill()
        assert eventually(lambda: session.presence("a") == GONE)
        assert Path(f"/proc/{leader.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        assert session.evict(leased(session), GONE)
        assert session.acquire("node-b", "b", 60.0, 0) == Fence(2, "b")


def test_a_frozen_holder_is_present(session: SqliteSession, path: Path) -> None:
    """It may wake up: only its lease decides."""
    session.queues()
    with child(LEAD_AND_WAIT, path) as leader:
        assert leader.heard() == "leads"
        os.kill(leader.pid, signal.SIGSTOP)
        assert session.presence("a").state == "present"
        assert not session.evict(leased(session), GONE)


def test_a_child_does_not_keep_its_dead_parent_alive(session: SqliteSession, path: Path) -> None:
    """A fork inherits the descriptor of the lock, and lets go of it."""
    session.queues()
    with child(LEAD_AND_FORK, path) as leader:
        assert leader.heard() == "leads"
        forked = int(leader.heard().removeprefix("child "))
        try:
            assert session.presence("a").state == "present"
            leader.kill()
            assert eventually(lambda: session.presence("a") == GONE)
        finally:
            os.kill(forked, signal.SIGKILL)


def test_fault_017_a_child_is_told_to_open_a_store_of_its_own(open_store: Open, path: Path) -> None:
    """Whatever it inherited is refused, its own store works, and its end does no harm to the parent."""
    with child(USE_IN_A_CHILD, path) as parent:
        code, said = parent.finish()
    assert code == 0
    assert len(said) == 6
    assert all("open one of your own after a fork" in line for line in said[:5])
    assert said[5] == "present"
    assert len(listed(open_store().session(timeout=10.0), "ready")) == 52


def test_a_child_of_a_busy_process_does_not_hang(open_store: Open, path: Path) -> None:
    """Whatever other threads ask of SQLite just when a process forks: the child can open a store of its own."""
    with child(FORK_WHILE_OTHERS_WRITE, path) as parent:
        code, said = parent.finish()
    assert (code, set(said)) == (0, {"0"})
    assert len(listed(open_store().session(timeout=10.0), "ready", "children")) == 40


def test_the_dead_leave_no_files_behind_for_long(store: SqlitePersistence, session: SqliteSession, path: Path) -> None:
    """The next to be present deletes what nobody holds, and a close deletes its own."""
    session.queues()
    with child(LEAD_AND_WAIT, path) as leader:
        assert leader.heard() == "leads"
        leader.kill()
        eventually(lambda: session.presence("a") == GONE)
    assert Path(witness(str(path), "default", "a")).exists()
    for token in ("b", "c"):
        store.subscribe(token, timeout=10.0)
    assert not Path(witness(str(path), "default", "a")).exists()
    assert session.presence("b").state == "present"
    store.close()
    assert list(path.parent.glob("*.leader.*")) == []


def test_a_witness_that_somebody_deletes_is_made_again(
    store: SqlitePersistence, session: SqliteSession, path: Path
) -> None:
    """A tidy person must not make a living leader look dead for long."""
    subscription = store.subscribe("a", timeout=10.0)
    Path(witness(str(path), "default", "a")).unlink()
    subscription.next(0.0)
    assert session.presence("a").state == "present"


def test_a_system_is_seen_until_its_very_end(open_store: Open, session: SqliteSession) -> None:
    """From the moment it holds the lock, whether it listens or not, until its persistence is closed."""
    store = open_store()
    assert store.session(timeout=10.0).acquire("node-a", "a", 60.0, 0) == Fence(1, "a")
    assert session.presence("a").state == "present"
    store.subscribe("a", timeout=10.0).close()
    assert session.presence("a").state == "present"
    store.close()
    assert session.presence("a") == GONE


def test_presence_is_of_a_namespace_and_of_a_file(store: SqlitePersistence, path: Path) -> None:
    """Whoever shares the file under another name is somebody else; whoever names it by a link is not."""
    store.session(timeout=1.0).queues()
    link = path.with_name("link.db")
    link.symlink_to(path)
    linked = SqlitePersistence(str(link), "default")
    linked.subscribe("a", timeout=10.0)
    assert store.session(timeout=1.0).presence("a").state == "present"
    assert lives(str(path), "another", "a") is False
    linked.close()


def test_fault_017_an_inherited_session_is_refused(session: SqliteSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the number of the process, also where nothing told it of the fork."""
    session.queues()
    monkeypatch.setattr("exqueue.persistence.sqlite.file.os.getpid", lambda: 1)
    with pytest.raises(SystemStopped, match="open one of your own after a fork"):
        session.queues()
