"""A connection: scripts that the server forgot, connections that break, and who may use them."""

import errno
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
import redis

from exqueue.errors import NewerStore, Outage, StoreDamaged, SystemStopped
from exqueue.persistence.lending import POOL_SIZE
from exqueue.persistence.redis import RedisPersistence, open_redis
from exqueue.persistence.redis.connection import LAYOUT, NEEDS, Endpoint, RawConnection, Wire
from exqueue.persistence.redis.dialing import dialer
from exqueue.persistence.redis.keys import namespace_keys
from exqueue.persistence.redis.session import RedisSession
from exqueue.persistence.values import Done, Fence, NewJob, Push
from tests.servers import RealServer, real_server

FENCE = Fence(1, "token")
SHORT_S = 0.2


@pytest.fixture
def own_server(needs_server: None) -> Iterator[RealServer]:
    """A server that may be frozen and killed."""
    with real_server() as server:
        yield server


def push(session: RedisSession, n: int, *ids: str, queue: str = "q") -> object:
    """One push, and what it answers."""
    (answer,) = session.push("pusher", [Push(queue, n, tuple(NewJob(job_id, b"record") for job_id in ids))])
    return answer


def test_scripts_that_the_server_forgot_are_loaded_again(session: RedisSession, server: redis.Redis) -> None:
    """SCRIPT FLUSH or a restart in the midst of the work is not noticed."""
    session.claim("q", FENCE, 1)
    server.script_flush()
    assert push(session, 1, "a", "b") is None
    server.script_flush()
    a, b = session.exchange("q", FENCE, 1, 1, [], 2, serial=False).jobs
    server.script_flush()
    session.exchange("q", FENCE, 1, 2, [Done(a.id, a.run), Done(b.id, b.run)], 0, serial=False)
    server.script_flush()
    assert session.overview(["q"]).queues[0].processed == 2
    server.script_flush()
    assert session.get_jobs("a", ["q"]) == ()


def test_pushes_of_many_queues_are_stored_by_a_server_that_forgot(session: RedisSession, server: redis.Redis) -> None:
    """Those that were not executed are sent again, in their order."""
    assert push(session, 1, "a") is None
    server.script_flush()
    pushes = [Push(f"q{i}", 1, (NewJob("a", b"record"),)) for i in range(5)]
    assert session.push("pusher", pushes) == (None,) * 5
    server.script_flush()
    again = [Push("q", n, (NewJob(f"a{n}", b"record"),)) for n in range(2, 5)]
    assert session.push("pusher", again) == (None,) * 3
    assert [job.id for job in session.list_jobs("q", "ready", 10, 0)] == ["a", "a2", "a3", "a4"]


def test_of_two_pushes_to_one_queue_a_server_that_forgot_executes_none_before_it_knows_the_script(
    session: RedisSession, server: redis.Redis
) -> None:
    """Another client that loads the script between the two would have only the second executed, the higher number."""

    def refusals() -> object:
        return server.info("errorstats").get("errorstat_NOSCRIPT")

    server.script_flush()
    before = refusals()
    pushes = [Push("q", n, (NewJob(f"a{n}", b"record"),)) for n in (1, 2)]
    assert session.push("pusher", pushes) == (None, None)
    assert refusals() == before


def test_a_connection_that_the_server_closed_is_one_outage_and_then_a_new_connection(
    session: RedisSession, server: redis.Redis, namespace: str
) -> None:
    """The answer may have been lost with it, so the caller decides; what comes next connects again."""
    assert push(session, 1, "a") is None
    server.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(Outage) as broken:
        push(session, 2, "b")
    assert broken.value.sent
    assert push(session, 2, "b") is None
    assert session.overview(["q"]).queues[0].ready == 2


def test_a_server_that_does_not_answer_in_time_is_an_outage_and_its_late_answer_is_never_read(
    own_server: RealServer, namespace: str
) -> None:
    """After a time-out the connection is closed: the answer that comes late belongs to nobody."""
    session = open_redis(own_server.url, namespace).session(timeout=SHORT_S)
    assert push(session, 1, "a") is None
    os.kill(own_server.pid, signal.SIGSTOP)
    try:
        with pytest.raises(Outage, match=r"did not answer within 0\.2 s") as timed_out:
            session.queues()
        assert timed_out.value.sent
        with pytest.raises(Outage, match="did not") as timed_out:
            session.queues()
        assert not timed_out.value.sent
    finally:
        os.kill(own_server.pid, signal.SIGCONT)
    patient = open_redis(own_server.url, namespace).session(timeout=10)
    assert patient.overview(["q"]).queues[0].ready == 1
    assert session.queues() == ("q",)
    session.close()
    patient.close()


def test_a_server_that_is_not_there_was_certainly_not_told(own_server: RealServer, namespace: str) -> None:
    """Nothing was sent, so nothing can have been stored."""
    session = open_redis(own_server.url, namespace).session(timeout=10)
    own_server.stop()
    with pytest.raises(Outage, match="can't be reached") as refused:
        push(session, 1, "a")
    assert not refused.value.sent


def test_a_queue_is_put_on_the_list_again_after_a_connection_broke(own_server: RealServer, namespace: str) -> None:
    """The server that answers next may have lost the list, and a leader claims only what stands there."""
    store = open_redis(own_server.url, namespace)
    session, other = store.session(timeout=10), store.session(timeout=10, pooled=True)
    assert push(session, 1, "a") is None
    assert push(other, 2, "b") is None
    own_server.stop()
    own_server.start()
    with pytest.raises(Outage):
        push(session, 3, "c")
    assert push(session, 3, "c") is None
    assert session.queues() == ("q",)
    store.close()


def test_fault_017_after_a_fork_a_session_says_whose_it_is(session: RedisSession) -> None:
    """Parent and child on one socket would read each other's answers."""
    assert push(session, 1, "a") is None
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        said = "nothing"
        try:
            session.queues()
        except SystemStopped as refused:
            said = str(refused)
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    assert f"belongs to process {os.getpid()}" in said
    assert session.queues() == ("q",)


def test_fault_017_a_child_keeps_no_copy_of_a_connection(redis_url: str) -> None:
    """While it did, its parent could die and still look connected."""
    dialled: list[Any] = []

    def dial(timeout: float) -> RawConnection:
        connection = dialer(redis_url)(timeout)
        dialled.append(connection)
        return connection

    wire = Wire(Endpoint(dial, "the server", b"layout"), 5.0)
    assert wire.command(b"GET", b"key") is None
    descriptor = dialled[0]._sock.fileno()  # noqa: SLF001 - redis-py does not tell it
    child = os.fork()
    if child == 0:
        try:
            os.fstat(descriptor)
        except OSError as error:
            os._exit(0 if error.errno == errno.EBADF else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert wire.command(b"GET", b"key") is None
    assert len(dialled) == 1
    wire.close()


def test_a_connection_that_is_being_made_while_the_process_forks_is_made_anew(
    redis_url: str, server: redis.Redis, namespace: str
) -> None:
    """The child can't find its copy of the socket, so the server must see the end of it while the child lives."""
    dial = dialer(f"{redis_url}?client_name={namespace}")
    children: list[int] = []
    dialled: list[object] = []
    reading, writing = os.pipe()

    def dial_and_fork(timeout: float) -> RawConnection:
        connection: Any = dial(timeout)
        connect = connection._connect  # noqa: SLF001 - makes the socket, which the connection does not have before

        def connect_and_fork() -> object:
            made = connect()
            dialled.append(made)
            if not children:
                children.append(os.fork())
                if children == [0]:
                    os.read(reading, 1)
                    os._exit(0)
            return made

        connection._connect = connect_and_fork  # noqa: SLF001
        return cast("RawConnection", connection)

    wire = Wire(Endpoint(dial_and_fork, "the server", b"layout"), 5.0)
    assert wire.command(b"GET", b"key") is None
    ids = [client["id"] for client in server.client_list() if client["name"] == namespace]
    os.write(writing, b".")
    os.waitpid(children[0], 0)
    assert (len(dialled), len(ids)) == (2, 1)
    assert [client["id"] for client in server.client_list() if client["name"] == namespace] == ids
    assert wire.command(b"GET", b"key") is None
    wire.close()
    for end in (reading, writing):
        os.close(end)


def test_pooled_sessions_share_few_connections(store: RedisPersistence, server: redis.Redis) -> None:
    """Sessions that take turns need one connection; the next one waits its turn for no longer than its time-out."""
    sessions = [store.session(timeout=SHORT_S, pooled=True) for _ in range(20)]
    before = len(server.client_list())
    for session in sessions:
        session.queues()
    assert len(server.client_list()) == before + 1
    lent = [sessions[0]._lender.lend() for _ in range(POOL_SIZE)]  # noqa: SLF001 - as if all were in the midst of a call
    with pytest.raises(Outage, match=r"all 8 connections .* were busy for 0\.2 s") as busy:
        sessions[0].queues()
    assert not busy.value.sent
    sessions[0]._lender.take_back(lent.pop())  # noqa: SLF001 - as above
    assert sessions[0].queues() == ()


def test_a_session_that_another_thread_closes_in_the_midst_of_a_call_says_outage(
    own_server: RealServer, namespace: str
) -> None:
    """A stop does not wait for a server that hangs."""
    store = open_redis(own_server.url, namespace)
    session = store.session(timeout=10)
    session.queues()
    failed: list[Exception] = []
    os.kill(own_server.pid, signal.SIGSTOP)

    def ask() -> None:
        try:
            session.queues()
        except Outage as outage:
            failed.append(outage)

    thread = threading.Thread(target=ask)
    thread.start()
    while thread.is_alive() and not failed:
        store.close()
        thread.join(0.01)
    os.kill(own_server.pid, signal.SIGCONT)
    assert len(failed) == 1


@pytest.mark.parametrize(
    ("stored", "needed"), [(f"{LAYOUT + 1} 7.1.0", "install Exqueue 7.1.0 or newer"), (LAYOUT + 1, "install a newer")]
)
def test_a_store_of_a_newer_layout_is_refused(
    session: RedisSession, server: redis.Redis, namespace: str, stored: str | int, needed: str
) -> None:
    """This version would not understand what it finds; the refusal says which one does."""
    server.set(namespace_keys(namespace).layout, stored)
    with pytest.raises(NewerStore, match=f"has layout {LAYOUT + 1}.*up to {LAYOUT}: {needed}"):
        session.queues()
    server.delete(namespace_keys(namespace).layout)
    assert session.queues() == ()
    assert server.get(namespace_keys(namespace).layout) == f"{LAYOUT} {NEEDS}".encode()


def test_what_is_no_layout_is_not_taken_for_one(session: RedisSession, server: redis.Redis, namespace: str) -> None:
    """Somebody else wrote there."""
    server.set(namespace_keys(namespace).layout, "v2")
    with pytest.raises(StoreDamaged, match="layout"):
        session.queues()
