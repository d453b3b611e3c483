"""The host program's own actors live on, whatever happens to ours; and each death is told exactly once."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, ClassVar

import pykka
import pytest

from exqueue import ActorRestarted, Enqueue, ExqueueSystem, GetJob, GetStatus, GetTree, StartWorker, Subscribe
from exqueue.actors.protocol import BeatNow, QueuesChanged
from exqueue.config import SystemConfig
from exqueue.errors import ActorDead, SystemStopped
from exqueue.persistence.urls import open_persistence
from exqueue.supervision import ActorContext, Down, Envelope, Intensity, ThreadRuntime
from exqueue.system import start_system
from tests.supervision.tree import DEADLINE_S, Do, Player, child, crash, running
from tests.system.helpers import eventually
from tests.system.staged import StagedPersistence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exqueue import ActorInfo, SystemRef
    from tests.supervision.tree import Tree

UNKIND = (SystemExit, KeyboardInterrupt, GeneratorExit)


class Guest(pykka.ThreadingActor):
    """An actor of the host program; keeps what it is told."""

    use_daemon_thread = True

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Any] = []

    def on_receive(self, message: Any) -> Any:
        if message == "what were you told?":
            return tuple(self.told)
        self.told.append(message)
        return None


@pytest.fixture(autouse=True)
def guest() -> Iterator[pykka.ActorRef[Guest]]:
    """Must still answer, and be registered, when the test is over."""
    ref = Guest.start()
    yield ref
    try:
        assert ref.is_alive()
        ref.ask("what were you told?", timeout=DEADLINE_S)
        assert ref in pykka.ActorRegistry.get_all()
    finally:
        ref.stop(timeout=DEADLINE_S)


@pytest.fixture
def no_thread(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """No thread whose name begins with one of these can be started."""
    refused: set[str] = set()
    start = threading.Thread.start

    def start_or_refuse(thread: threading.Thread) -> None:
        if thread.name.startswith(tuple(refused)):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_refuse)
    return refused


def downs(tree: Tree) -> list[Down]:
    """The ends told to the root and not yet looked at."""
    tree.settle()
    return [m for m in tree.probe.waiting() if isinstance(m, Down)]


# -- actors that stand alone: nobody supervises them, so their end is said in the log
@pytest.mark.parametrize("error", [ValueError, *UNKIND])
def test_an_actor_that_stands_alone_dies_alone(error: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    """One ERROR, and no other actor of the process is stopped."""
    ref = Player.start(ActorContext())
    ref.tell(Do(crash(error("alone"))))
    assert ref.actor_stopped.wait(DEADLINE_S)
    eventually(lambda: error_lines(caplog))
    assert len(error_lines(caplog)) == 1
    assert error.__name__ in error_lines(caplog)[0]


@pytest.mark.parametrize("error", [ValueError, *UNKIND])
def test_an_actor_that_stands_alone_and_cannot_start_is_no_zombie(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """Its ref says that it is dead, an ask is answered, and the log says why, once."""
    ref = Player.start(ActorContext(), starting=crash(error("no start")))
    with pytest.raises(pykka.ActorDeadError):
        ref.ask(Do(lambda _: None), timeout=DEADLINE_S)
    assert ref.actor_stopped.wait(DEADLINE_S)
    assert ref not in pykka.ActorRegistry.get_all()
    assert len(error_lines(caplog)) == 1


def error_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged as ERROR or worse."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


# -- machines that have no thread left
def test_a_child_comes_back_when_there_are_threads_again(no_thread: set[str]) -> None:
    """Each try counts as a restart; the crash before them is told once."""
    with running(child("a"), intensity=Intensity(1_000_000, 60.0)) as tree:
        no_thread.add("exqueue:a")
        old = tree.urn("a")
        tree.tell("a", crash(ValueError("once")))
        assert tree.until_down("a").urn == old
        tree.settle()
        assert tree.names.whereis("a") is None
        no_thread.clear()
        assert tree.urn("a") != old
        assert downs(tree) == []
        assert tree.board.table("restarts")["a"] == 1


def test_a_timer_without_a_thread_is_an_error_where_it_is_set_and_the_next_one_fires(no_thread: set[str]) -> None:
    """A machine that had no thread for a moment does not lose its timers for good."""
    runtime, fired = ThreadRuntime(), threading.Event()
    no_thread.add("exqueue-timers")
    with pytest.raises(RuntimeError, match="can't start new thread"):
        runtime.after(0.0, lambda: pytest.fail("this timer was refused"))
    no_thread.clear()
    runtime.after(0.0, fired.set)
    assert fired.wait(DEADLINE_S)
    runtime.close()


@pytest.mark.parametrize("name", ["exqueue:", "exqueue:queues", "exqueue:listener:reader", "exqueue-timers"])
def test_a_system_without_threads_does_not_start_and_leaves_none(
    no_thread: set[str], namespace: str, name: str
) -> None:
    """Who starts it is told why."""
    before = set(threading.enumerate())
    no_thread.add(name)
    with pytest.raises(SystemStopped, match="can't start new thread"):
        ExqueueSystem.start(f"memory://{namespace}", namespace=namespace)
    eventually(lambda: set(threading.enumerate()) <= before)


# -- whole systems
@pytest.fixture
def stage(namespace: str) -> StagedPersistence:
    """A store in memory whose calls can be staged."""
    return StagedPersistence(open_persistence(f"memory://{namespace}", namespace=namespace))


@pytest.fixture
def system(stage: StagedPersistence, guest: pykka.ActorRef[Guest], namespace: str) -> Iterator[SystemRef]:
    """A started system that tells the guest of restarts."""
    with start_system(SystemConfig(stage.address, namespace=namespace), stage, ThreadRuntime()) as started:
        started.ask(Subscribe(guest, ActorRestarted))
        yield started


class Counted:
    """Notes its runs."""

    runs: ClassVar[list[int]] = []

    def perform(self, *, number: int) -> None:
        type(self).runs.append(number)


def raises(error: BaseException) -> Callable[[Callable[[], Any]], Any]:
    """An act that carries the call out and raises instead of answering."""

    def act(carry_out: Callable[[], Any]) -> Any:
        carry_out()
        raise error

    return act


@pytest.mark.parametrize("error", [ValueError, *UNKIND])
@pytest.mark.parametrize(
    ("verb", "path"),
    [("exchange", "queues/Counted/fetcher"), ("renew", "leader"), ("beat", "listener"), ("overview", "operator")],
)
def test_what_comes_out_of_a_handler_ends_that_actor_only(
    system: SystemRef,
    stage: StagedPersistence,
    guest: pykka.ActorRef[Guest],
    verb: str,
    path: str,
    error: type[BaseException],
) -> None:
    """It is told once to who subscribed; the other actors of the system stay, and the jobs are run once."""
    Counted.runs.clear()
    system.ask(StartWorker(Counted))
    for number in range(20):
        system.ask(Enqueue(Counted, {"number": number}))
        if number == 10:
            stage.stage(verb, raises(error("unkind")))
            provoke(system, path)
    eventually(lambda: restarts(system.ask(GetTree())) == {path: 1})
    system.drain(timeout=20)
    assert sorted(Counted.runs) == list(range(20))
    told = eventually(lambda: told_to(guest))
    assert [(event.name, event.restarts) for event in told] == [(path, 1)]
    assert error.__name__ in told[0].reason


def told_to(guest: pykka.ActorRef[Guest]) -> tuple[Any, ...]:
    """What the guest was told by now."""
    told: Any = guest.ask("what were you told?", timeout=DEADLINE_S)
    return tuple(told)


def provoke(system: SystemRef, path: str) -> None:
    """Have the actor of this path make its call now."""
    if path == "operator":
        with pytest.raises((ActorDead, ValueError)):
            system.ask(GetStatus())
    elif path in ("leader", "listener"):
        message = {"leader": QueuesChanged(), "listener": BeatNow()}[path]
        assert system.send_to(path, Envelope(message))


def restarts(info: ActorInfo) -> dict[str, int]:
    """Who was started again, and how often."""
    found = {info.name: info.restarts} if info.restarts else {}
    for one in info.children:
        found.update(restarts(one))
    return found


@pytest.mark.parametrize("error", [*UNKIND, RuntimeError])
def test_a_job_that_raises_it_just_fails(
    system: SystemRef, guest: pykka.ActorRef[Guest], error: type[BaseException]
) -> None:
    """No actor ends of it, ours or the host's."""

    class Unkind:
        def perform(self) -> None:
            raise error("unkind")

    system.ask(StartWorker(Unkind, max_retries=0))
    job_id = system.ask(Enqueue(Unkind))
    eventually(lambda: system.ask(GetJob(job_id)).state == "dead")
    assert restarts(system.ask(GetTree())) == {}
    assert told_to(guest) == ()


def test_a_job_that_cannot_start_a_thread_just_fails(system: SystemRef, no_thread: set[str]) -> None:
    """The machine's want of threads is the job's failure where the job needs one."""

    class Threading:
        def perform(self) -> None:
            threading.Thread(target=print, name="mine").start()

    no_thread.add("mine")
    system.ask(StartWorker(Threading, max_retries=0))
    job_id = system.ask(Enqueue(Threading))
    eventually(lambda: system.ask(GetJob(job_id)).state == "dead")
    assert "can't start new thread" in system.ask(GetJob(job_id)).errors[0].message
    assert restarts(system.ask(GetTree())) == {}
