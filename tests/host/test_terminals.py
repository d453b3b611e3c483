"""The terminal of a program is closed, or whoever read its output is gone."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, ClassVar

import pytest

from exqueue import ExqueueSystem, GetStatus, StartWorker, current_job
from tests.host.programs import Program
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from exqueue import SystemRef

HANGS_UP = """
class Held:
    def perform(self):
        note("begun")
        wait(lambda: (HERE / "go").exists())
# The first terminal that the leader of a session opens is the session's.
terminal = os.open(os.environ["TERMINAL"], os.O_RDWR)
system = start()
system.ask(StartWorker(Held))
system.ask(Enqueue(Held))
wait(lambda: (HERE / "notes").exists())
say("begun")
system.run()
"""


class Held:
    """The class of the program's jobs, as another node runs them: at once."""

    attempts: ClassVar[list[int]] = []

    def perform(self) -> None:
        here = current_job()
        assert here is not None
        type(self).attempts.append(here.attempt)


def test_fault_096_a_closed_terminal_ends_the_program_and_its_job_runs_elsewhere(
    tmp_path: Path, redis_url: str, namespace: str
) -> None:
    """SIGHUP is left to the program: by default it is killed, and its job is recovered as after any other kill."""
    Held.attempts.clear()
    master, slave = os.openpty()
    variables = {"TERMINAL": os.ttyname(slave)}
    with (
        Program(tmp_path, HANGS_UP, redis_url, namespace, variables=variables) as program,
        ExqueueSystem.start(redis_url, namespace=namespace, node="elsewhere") as other,
    ):
        program.await_line("begun")
        other.ask(StartWorker(Held))
        eventually(lambda: other.ask(GetStatus()).leader == f"node-{program.pid}")
        os.close(slave)
        os.close(master)
        assert program.end(within=10).code == -signal.SIGHUP
        eventually(lambda: Held.attempts == [2], within=20)
        assert other.ask(GetStatus()).leader == "elsewhere"


WITHOUT_READER = {
    "a terminal": """
import pty
master, err = pty.openpty()
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.close(master)
""",
    "a pipe": """
reader, err = os.pipe()
os.close(reader)
""",
}

LOGS_INTO_IT = """
os.dup2(err, 2)
logging.basicConfig(level=logging.DEBUG)
class Fails:
    max_retries = 0
    def perform(self):
        print("to nobody", file=sys.stderr)
        note("never")
system = start()
for job in (Note, Fails):
    system.ask(StartWorker(job))
for number in range(20):
    system.ask(Enqueue(Note, {"text": f"ran {number}"}))
system.ask(Enqueue(Fails))
system.drain()
say("dead", *(one.errors[0].type for one in system.ask(ListJobs("dead"))))
threading.Thread(target=lambda: (wait(lambda: signal.getsignal(signal.SIGTERM) != signal.SIG_DFL), say("runs"))).start()
system.run()
"""


@pytest.mark.parametrize("whose", WITHOUT_READER)
def test_fault_096_nobody_reads_the_log_any_more(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef, whose: str
) -> None:
    """Each line of the log is lost, and nothing else; a job that itself writes there fails like any other."""
    with Program(tmp_path, WITHOUT_READER[whose] + LOGS_INTO_IT, redis_url, namespace) as program:
        error = program.await_line("dead ")
        assert error == ("BrokenPipeError" if whose == "a pipe" else "OSError")
        program.await_line("runs")
        program.send(signal.SIGTERM)
        assert program.end(within=10).code == 0
    assert program.notes == [f"ran {number}" for number in range(20)]
    status = observer.ask(GetStatus())
    assert (status.leader, status.nodes) == (None, ("observer",))
