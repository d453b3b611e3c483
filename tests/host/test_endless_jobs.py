"""Jobs that never return: they keep their worker and nothing else, are shown, and do not keep the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exqueue import GetJob, GetStatus
from tests.host.programs import Program

if TYPE_CHECKING:
    from pathlib import Path

    from exqueue import SystemRef

ENDLESS = {
    "loops": "while True: pass",
    "sleeps": "time.sleep(10**9)",
    "waits for a lock": "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "waits for nobody": "threading.Event().wait()",
    "reads what nobody writes": "os.read(os.pipe()[0], 1)",
}

SCRIPT = """
class Endless:
    def perform(self):
        note("begun")
        {what}
system = start(shutdown_timeout=0.5)
system.ask(StartWorker(Endless, concurrency=2))
system.ask(StartWorker(Note))
job_id = system.ask(Enqueue(Endless))
wait(lambda: (HERE / "notes").exists())
for number in range(20):
    system.ask(Enqueue(Note, {{"text": number}}))
wait(lambda: len((HERE / "notes").read_text().split()) == 21)
(running,) = system.ask(GetStatus()).running
assert running.id == job_id and running.running_s > 0, running
say("job", job_id)
"""


@pytest.mark.parametrize("what", ENDLESS)
def test_fault_015_a_job_that_never_returns_keeps_its_worker_only(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef, what: str
) -> None:
    """Other queues go on, the status shows it, and a stop gives it back uncounted after ``shutdown_timeout``."""
    with Program(tmp_path, SCRIPT.format(what=ENDLESS[what]), redis_url, namespace) as program:
        job_id = program.await_line("job ")
        ended = program.end()
    assert ended.code == 0, ended
    assert ended.exit_s < 5
    assert program.notes == ["begun", *map(str, range(20))]
    info = observer.ask(GetJob(job_id))
    assert (info.state, info.failures, info.recoveries) == ("ready", 0, 0)
    assert observer.ask(GetStatus()).leader is None
