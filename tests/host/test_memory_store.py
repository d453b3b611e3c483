"""What is kept in memory ends with its process, and it says so beforehand."""

from __future__ import annotations

import importlib.resources
import signal
from typing import TYPE_CHECKING

from tests.host.programs import Program

if TYPE_CHECKING:
    from pathlib import Path

STORE = """
system = start()
job_id = system.ask(Enqueue(Note, {"text": "of a process that was killed"}))
say("job", job_id)
time.sleep(60)
"""

LOOK = """
system = start()
system.ask(StartWorker(Note))
system.drain()
say("queues", *[(queue.name, queue.ready, queue.processed) for queue in system.ask(GetStatus()).queues])
try:
    system.ask(GetJob(os.environ["JOB"]))
except JobNotFound as error:
    say("not found", error)
"""


def test_fault_111_what_is_in_memory_is_lost_with_its_process(tmp_path: Path, namespace: str) -> None:
    """Another process under the same address finds an empty store, and the error names where it looked."""
    with Program(tmp_path, STORE, "memory://shared", namespace) as program:
        job_id = program.await_line("job ")
        program.send(signal.SIGKILL)
        program.end()
    with Program(tmp_path, LOOK, "memory://shared", namespace, variables={"JOB": job_id}) as program:
        ended = program.end()
    assert ended.code == 0, ended
    assert program.notes == []
    assert ended.lines[0] == "queues ('Note', 0, 0)"
    assert ended.lines[1].startswith("not found no stored job has the id")
    assert "memory://shared" in ended.lines[1]


def test_fault_111_it_is_said_where_a_store_is_chosen() -> None:
    """In the sentence of the README that names the stores."""
    readme = (importlib.resources.files("exqueue").joinpath("..") / "README.md").read_text(encoding="utf-8")
    assert "in memory (for tests; they are lost with the system" in " ".join(readme.split())
