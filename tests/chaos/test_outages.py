"""The server is away: not there at the start, stopped, frozen. Running jobs end meanwhile and are not run again."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import pytest

from exqueue import (
    AskTimeout,
    CancelJob,
    Enqueue,
    ExqueueSystem,
    GetJob,
    GetStatus,
    GetTree,
    JobNotFound,
    Outage,
    Overloaded,
    PauseQueue,
    ResumeQueue,
    StartWorker,
)
from exqueue.actors.bounds import MAX_BACKLOG
from exqueue.actors.operator import LOOK_TIMEOUT_S
from exqueue.actors.tables import outages_table
from tests.chaos.conftest import TTL_S
from tests.chaos.weather import (
    assert_one_outage,
    await_outage,
    frozen,
    held_in,
    restarts,
    status_of,
    weather_in,
)
from tests.system.helpers import Room, eventually, remains

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from exqueue import SystemRef
    from tests.servers import RealServer

SHORT_S, LONG_S, VERY_LONG_S = 1.0, 1.5 * TTL_S, 15.0


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="exqueue")


def last_for(seconds: float) -> None:
    """Let an outage last: that is what is tested, nothing is waited for."""
    threading.Event().wait(seconds)


def test_a_system_starts_without_a_server(
    server: RealServer, start: Callable[..., SystemRef], room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    """It starts at once, takes workers and jobs, and runs them when the server comes."""
    server.stop()
    job = held_in(room)
    room.open()
    began = time.monotonic()
    system = start()
    assert system.ask(StartWorker(job)) == "Held"
    system.tell(Enqueue(job, {"who": 1}))
    assert time.monotonic() - began < 1.0
    status = await_outage(system, "can't be reached")
    assert status.outage_since is not None
    assert abs(status.outage_since - time.time()) < 5
    assert not status.is_leader

    server.start()

    room.await_left(1)
    assert_one_outage(system, caplog)
    assert status_of(system).is_leader


@pytest.mark.parametrize(
    "outage_s",
    [SHORT_S, LONG_S, pytest.param(VERY_LONG_S, marks=pytest.mark.long)],
    ids=["short", "longer-than-the-ttl", "15 s"],
)
@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "frozen"])
def test_running_jobs_end_in_an_outage_and_are_not_run_again(
    server: RealServer,
    start: Callable[..., SystemRef],
    room: Room,
    caplog: pytest.LogCaptureFixture,
    outage_s: float,
    is_killed: bool,
) -> None:
    """They are settled when the server is back, the same leadership goes on, and what waited is run once."""
    system, job = start(), held_in(room)
    system.ask(StartWorker(job))
    ids = [system.ask(Enqueue(job, {"who": who})) for who in range(6)]
    room.await_entered(3)
    epoch = status_of(system).epoch

    if is_killed:
        server.stop()
        room.let_out(0, 1)
        room.await_left(2)
        last_for(outage_s)
        eventually(lambda: weather_in(caplog))
        server.start()
    else:
        with frozen(server):
            room.let_out(0, 1)
            room.await_left(2)
            last_for(outage_s)
            eventually(lambda: weather_in(caplog))

    room.await_entered(5)
    room.open()
    system.drain(timeout=20)
    assert sorted(room.entered, key=str) == [0, 1, 2, 3, 4, 5]
    assert status_of(system).epoch == epoch
    assert_one_outage(system, caplog)
    for job_id in ids:
        with pytest.raises(JobNotFound):
            system.ask(GetJob(job_id))


def test_the_status_of_an_outage_comes_from_memory(
    server: RealServer, start: Callable[..., SystemRef], room: Room
) -> None:
    """It says since when and why, and what was known before; once it is known, without asking a server that hangs."""
    system, job = start(), held_in(room)
    system.ask(StartWorker(job))
    system.ask(Enqueue(job, {"who": 1}))
    room.await_entered(1)
    eventually(lambda: status_of(system).running)
    with frozen(server):
        began = time.monotonic()
        first = await_outage(system, "did not")
        assert time.monotonic() - began < LOOK_TIMEOUT_S + 1
        began = time.monotonic()
        again = status_of(system)
        assert time.monotonic() - began < 0.5
        assert again.outage_since == first.outage_since
        assert "did not" in (again.outage_reason or "")
        assert [queue.name for queue in again.queues] == ["Held"]
        assert [one.queue for one in again.running] == ["Held"]
        assert again.is_leader
        assert again.address == server.url


def refused(system: SystemRef, message: Enqueue, timeout: float) -> AskTimeout | Outage:
    """What an enqueue raises, within its time-out and a little."""
    began = time.monotonic()
    with pytest.raises((AskTimeout, Outage)) as caught:
        system.ask(message, timeout=timeout)
    assert time.monotonic() - began < timeout + 0.5
    error = caught.value
    assert isinstance(error, AskTimeout | Outage)
    assert message.id is not None
    assert message.id in str(error)
    assert f"stored: {error.stored}" in str(error)
    return error


def test_what_was_not_sent_is_not_stored_later(server: RealServer, start: Callable[..., SystemRef], room: Room) -> None:
    """An enqueue that was told "no" is never found in the store, and one that nobody took back is."""
    system, job = start(), held_in(room)
    system.ask(Enqueue(job, {"who": 0}))
    server.stop()
    await_outage(system)
    for number in range(5):
        assert refused(system, Enqueue(job, {"who": number}, id=f"no-{number}"), 0.2).stored == "no"
    system.tell(Enqueue(job, {"who": 9}, id="kept"))
    server.start()
    eventually(lambda: is_stored(system, "kept"))
    assert not any(is_stored(system, f"no-{number}") for number in range(5))


def test_what_was_sent_and_not_answered_is_unknown(
    server: RealServer, start: Callable[..., SystemRef], room: Room
) -> None:
    """A server that hangs may have taken the first; the next ones are not sent behind it."""
    system, job = start(), held_in(room)
    system.ask(Enqueue(job, {"who": 0}))
    with frozen(server):
        assert refused(system, Enqueue(job, {"who": 1}, id="first"), 0.3).stored == "unknown"
        assert refused(system, Enqueue(job, {"who": 2}, id="second"), 0.3).stored == "no"
    eventually(lambda: is_stored(system, "first"))
    system.ask(Enqueue(job, {"who": 3}, id="third"))
    assert not is_stored(system, "second")


def test_who_gives_up_on_an_order_is_told_whether_it_may_be_carried_out(
    server: RealServer, start: Callable[..., SystemRef], room: Room
) -> None:
    """A server that hangs may have taken the first, which is carried out in the end; the next is dropped."""
    system, job = start(), held_in(room)
    system.ask(StartWorker(job))
    system.ask(Enqueue(job, {"who": 0}))
    system.ask(ResumeQueue("Held"))
    with frozen(server):
        with pytest.raises(AskTimeout, match=r"PauseQueue.*; it may still be carried out"):
            system.ask(PauseQueue("Held"), timeout=0.3)
        with pytest.raises(AskTimeout, match=r"CancelJob.*; it is not carried out"):
            system.ask(CancelJob("kept", queue="Held"), timeout=0.3)
        system.tell(Enqueue(job, {"who": 1}, id="kept"))
    eventually(lambda: [queue.paused for queue in status_of(system).queues] == [True])
    eventually(lambda: is_stored(system, "kept"))


def test_who_waits_for_a_connection_is_not_left_in_doubt(
    server: RealServer, start: Callable[..., SystemRef], room: Room
) -> None:
    """A server that accepts connections and answers nothing was sent no job: it is certainly not stored."""
    job = held_in(room)
    with frozen(server):
        system = start()
        assert refused(system, Enqueue(job, {"who": 1}, id="first"), 0.3).stored == "no"
    system.ask(Enqueue(job, {"who": 2}, id="second"))
    assert not is_stored(system, "first")


def is_stored(system: SystemRef, job_id: str) -> bool:
    """Whether the job is in the store."""
    try:
        system.ask(GetJob(job_id))
    except JobNotFound:
        return False
    return True


def test_what_is_told_in_an_outage_is_kept_up_to_a_bound(
    server: RealServer, start: Callable[..., SystemRef], room: Room, client: redis.Redis
) -> None:
    """Ten thousand jobs wait in memory and are stored when the server is back; more are refused in the caller."""
    system, job = start(), held_in(room)
    system.ask(Enqueue(job, {"who": -1}))
    server.stop()
    await_outage(system)
    # Until it has met the outage itself, what the Producer has taken in counts as on its way.
    system.tell(Enqueue(job, {"who": 0}, id="told-0"))
    eventually(lambda: "producer" in outages_table(system._context.board))  # noqa: SLF001 - nothing else tells
    told = 1
    refusal = ""
    while not refusal and told < MAX_BACKLOG + 100:
        try:
            system.tell(Enqueue(job, {"who": told}, id=f"told-{told}"))
            told += 1
        except Overloaded as overloaded:
            refusal = str(overloaded)
    assert told >= MAX_BACKLOG
    assert f"storing job told-{told}: " in refusal
    assert "stored: no" in refusal
    with pytest.raises(Overloaded):
        system.ask(Enqueue(job, {"who": 0}))
    assert restarts(system.ask(GetTree())) == 0

    server.start()

    eventually(lambda: client.hlen("exqueue:{default:Held}:jobs") == told + 1)
    assert is_stored(system, f"told-{told - 1}")
    assert not is_stored(system, f"told-{told}")


def test_whoever_gave_up_makes_room_for_others(
    server: RealServer, start: Callable[..., SystemRef], room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enqueues whose askers have gone are not among those that wait in memory."""
    monkeypatch.setattr("exqueue.asking.MAX_BACKLOG", 5)
    monkeypatch.setattr("exqueue.actors.producer.MAX_BACKLOG", 5)
    system, job = start(), held_in(room)
    server.stop()
    for number in range(12):
        eventually(partial(kept_until_given_up, system, Enqueue(job, {"who": number}, id=f"gone-{number}")))


def kept_until_given_up(system: SystemRef, message: Enqueue) -> bool:
    """Enqueue it, and wait for it only for a moment. Whether it was kept at all."""
    try:
        system.ask(message, timeout=0.02)
    except Overloaded:
        return False
    except (AskTimeout, Outage):
        return True
    return False


class Counted:
    """Notes its runs."""

    runs: ClassVar[list[int]] = []
    concurrency = 3

    def perform(self, *, number: int) -> None:
        type(self).runs.append(number)


@pytest.mark.parametrize("times", [5, pytest.param(50, marks=pytest.mark.long)])
def test_a_server_that_is_killed_again_and_again(
    server: RealServer, start: Callable[..., SystemRef], times: int
) -> None:
    """After each restart of the server the system works on: it never becomes deaf, and runs nothing twice."""
    Counted.runs.clear()
    system = start()
    system.ask(StartWorker(Counted))
    for number in range(times):
        system.ask(Enqueue(Counted, {"number": number}))
        eventually(lambda n=number: n in Counted.runs)  # type: ignore[misc] # mypy can't infer a lambda with a default
        server.stop()
        server.start()
    system.drain(timeout=20)
    assert sorted(Counted.runs) == list(range(times))
    assert restarts(system.ask(GetTree())) == 0


def test_connections_that_are_killed_all_the_time(start: Callable[..., SystemRef], client: redis.Redis) -> None:
    """Each call that lost its answer is sent again under its own number: nothing is lost, nothing is done twice."""
    Counted.runs.clear()
    system = start()
    system.ask(StartWorker(Counted))
    is_over = threading.Event()

    def kill() -> None:
        while not is_over.wait(0.01):
            client.client_kill_filter(_type="normal", skipme=True)
            client.client_kill_filter(_type="pubsub")

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        for number in range(100):
            system.ask(Enqueue(Counted, {"number": number}))
    finally:
        is_over.set()
        thread.join()
    system.drain(timeout=20)
    assert sorted(Counted.runs) == list(range(100))
    assert restarts(system.ask(GetTree())) == 0


def test_a_system_can_be_stopped_in_an_outage(server: RealServer, start: Callable[..., SystemRef], room: Room) -> None:
    """A stop that can reach nobody ends in good time, with a job running."""
    system, job = start(), held_in(room)
    system.ask(StartWorker(job))
    system.ask(Enqueue(job, {"who": 1}))
    room.await_entered(1)
    server.stop()
    await_outage(system)
    began = time.monotonic()
    assert system.stop()
    assert time.monotonic() - began < 2 + 3 + 2


def test_a_node_that_only_enqueues_says_an_outage_once(caplog: pytest.LogCaptureFixture) -> None:
    """It owns no queue, so that its sweeps ask nothing: they must not be taken for an answer."""
    with caplog.at_level("INFO", "exqueue"), ExqueueSystem.start("unix:///tmp/exqueue-no-such-socket") as system:
        eventually(lambda: "does not answer" in caplog.text)
        remains(lambda: caplog.text.count("does not answer") == 1 and "answers again" not in caplog.text, 1.0)
        assert system.ask(GetStatus()).outage_since is not None
