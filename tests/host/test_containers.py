"""The program is process 1 of a PID namespace, as in a container: no signal does there what it does by default."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from exqueue import GetJob, GetStatus
from tests.host.programs import Program

if TYPE_CHECKING:
    from exqueue import SystemRef

UNSHARE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")

PROCESS_1 = """
class Held:
    def perform(self):
        note("begun")
        wait(lambda: (HERE / "go").exists(), 1000)
        note("ended")
assert os.getpid() == 1
system = start(shutdown_timeout=300, node="process-1")
system.ask(StartWorker(Held))
say("job", system.ask(Enqueue(Held)))
wait(lambda: (HERE / "notes").exists())
def look():
    wait(lambda: signal.getsignal(signal.SIGTERM) != signal.SIG_DFL)
    say("listens")
    wait(lambda: system._context.board.table("stop"))
    say("stops")
threading.Thread(target=look).start()
system.run()
"""


@pytest.fixture
def process_1(tmp_path: Path, redis_url: str, namespace: str) -> Program:
    """The program; what is started is a parent outside of the namespace, which ends as the program does."""
    if shutil.which("unshare") is None or subprocess.run([*UNSHARE, "true"], check=False).returncode != 0:
        pytest.skip("this machine allows no PID namespaces")
    command = (*UNSHARE, sys.executable, str(tmp_path / "program.py"))
    return Program(tmp_path, PROCESS_1, redis_url, namespace, command=command)


def send(program: Program, number: signal.Signals) -> None:
    """Send the program itself a signal, as who stops a container does."""
    (child,) = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
    os.kill(int(child), number)


def test_fault_097_process_1_stops_in_good_order(tmp_path: Path, process_1: Program, observer: SystemRef) -> None:
    """Since `run` handles the signal: what runs ends, the lock is released, the status is 0."""
    with process_1 as program:
        program.await_line("listens")
        send(program, signal.SIGTERM)
        program.await_line("stops")
        (tmp_path / "go").touch()
        assert program.end(within=10).code == 0
        assert program.notes == ["begun", "ended"]
    status = observer.ask(GetStatus())
    assert (status.leader, status.nodes) == (None, ("observer",))


def test_fault_097_a_second_signal_ends_process_1_at_once(process_1: Program, observer: SystemRef) -> None:
    """Also there: with 128 and its number, and the job is not lost."""
    with process_1 as program:
        job_id = program.await_line("job ")
        program.await_line("listens")
        send(program, signal.SIGTERM)
        program.await_line("stops")
        send(program, signal.SIGTERM)
        assert program.end(within=5).code == 128 + signal.SIGTERM
    assert observer.ask(GetJob(job_id)).state == "running"
