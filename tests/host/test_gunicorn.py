"""A web application under gunicorn that enqueues: each worker process has a system, or is told that it has none."""

from __future__ import annotations

import re
import signal
import socket
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from exqueue import GetStatus
from tests.host.programs import Program
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from exqueue import SystemRef

ANSWER_S = 10.0
"""A request that takes longer hangs."""

ANSWERING = """
def app(environ, start_response):
    try:
        body = "stored by {} of {}".format(os.getpid(), enqueue())
        status = "200 OK"
    except ExqueueError as error:
        body, status = f"{type(error).__name__}: {error}", "503 Service Unavailable"
    start_response(status, [("Content-Type", "text/plain")])
    return [body.encode()]
"""

LAZY = """
systems = {}
lock = threading.Lock()
def enqueue():
    with lock:
        pid = os.getpid()
        if pid not in systems:
            systems[pid] = start()
    systems[pid].enqueue(Note, text="request")
    return pid
"""

EAGER = """
system = start()
def enqueue():
    system.enqueue(Note, text="request")
    return system.ask(GetStatus()).node
"""


def server(folder: Path, redis_url: str, namespace: str, script: str, *options: str) -> Program:
    """A gunicorn with two worker processes, on a socket in the folder."""
    command = [sys.executable, "-m", "gunicorn", "--workers=2", "--threads=2", f"--bind=unix:{folder}/http"]
    # Two workers that wait for one socket: the timeout is what kills one that hangs.
    command += ["--timeout=20", "--graceful-timeout=5", "--no-control-socket", *options, "program:app"]
    return Program(folder, script + ANSWERING, redis_url, namespace, command=command)


def get(folder: Path) -> str:
    """Ask the application once; returns the whole answer, with its head."""
    with closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(ANSWER_S)
        connection.connect(f"{folder}/http")
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
    return answer.decode()


def is_open(folder: Path) -> bool:
    """Whether the server takes requests."""
    with closing(socket.socket(socket.AF_UNIX)) as connection:
        return connection.connect_ex(f"{folder}/http") == 0


SERVED = {
    "lazy": (LAZY, ()),
    "lazy, preloaded": (LAZY, ("--preload",)),
    "eager": (EAGER, ()),
}


@pytest.mark.parametrize("served", SERVED)
def test_fault_098_each_worker_enqueues_with_its_own_system(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef, served: str
) -> None:
    """Started with its first request, or with the application in each worker; all end in good order."""
    script, options = SERVED[served]
    with server(tmp_path, redis_url, namespace, script, *options) as program:
        eventually(lambda: is_open(tmp_path))
        answers = [get(tmp_path) for _ in range(20)]
        assert all(answer.startswith("HTTP/1.0 200") for answer in answers), answers
        program.send(signal.SIGTERM)
        ended = program.end()
    assert ended.code == 0
    assert "Traceback" not in ended.err
    status = observer.ask(GetStatus())
    assert [queue.ready for queue in status.queues if queue.name == "Note"] == [20]
    assert status.nodes == ("observer",)


def test_fault_098_a_system_that_was_started_before_the_workers_were_forked_says_so(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef
) -> None:
    """A clear error at once, never a hang; and the master's system stays the master's."""
    with server(tmp_path, redis_url, namespace, EAGER, "--preload") as program:
        eventually(lambda: is_open(tmp_path))
        for _ in range(10):
            answer = get(tmp_path)
            assert answer.startswith("HTTP/1.0 503")
            assert re.search(rf"SystemStopped: .* in process {program.pid} and can't be used in its child \d+", answer)
        assert observer.ask(GetStatus()).nodes == (f"node-{program.pid}", "observer")
        program.send(signal.SIGTERM)
        ended = program.end()
    assert ended.code == 0
    assert "Traceback" not in ended.err
    assert observer.ask(GetStatus()).nodes == ("observer",)
