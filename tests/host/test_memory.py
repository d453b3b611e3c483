"""Jobs and arguments that are too much for the memory: who asks for too much is refused, all else goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.host.conftest import Run

GREED = {
    "at once": "bytearray(10**12)",
    "in large pieces": "hoard.extend(bytearray(1_000_000) for _ in range(10**6))",
    "to the last byte": "hoard.extend(bytes(100) for _ in range(10**9))",
}

LIMITED = """
import collections, resource
ROOM = 64 * 1024 * 1024
def used():
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmSize"))
    return 1024 * int(line.split()[1])
class Greedy:
    max_retries = 0
    def perform(self):
        hoard = collections.deque()
        {what}
system = start(shutdown_timeout=5)
for job in (Note, Greedy):
    system.ask(StartWorker(job))
system.ask(Enqueue(Note, {{"text": "0"}}))
system.drain()
resource.setrlimit(resource.RLIMIT_AS, (used() + ROOM, -1))
job_id = system.ask(Enqueue(Greedy))
wait(lambda: [job.id for job in system.ask(ListJobs("dead"))] == [job_id])
info = system.ask(GetJob(job_id))
say("dead", info.failures, info.recoveries, info.errors and info.errors[-1].type)
system.ask(EnqueueMany([Enqueue(Note, {{"text": str(number)}}) for number in range(1, 20)]))
system.drain()
say(*(HERE / "notes").read_text().split())
"""


@pytest.mark.parametrize("how", GREED)
def test_fault_014_a_job_that_eats_the_memory_harms_only_itself(run: Run, how: str) -> None:
    """Where the process may not grow (RLIMIT_AS) it meets MemoryError and dies; the node and the next jobs go on."""
    ended = run(LIMITED.format(what=GREED[how]))
    dead, notes = ended.lines
    assert notes == " ".join(map(str, range(20)))
    assert ended.code == 0, ended
    # Down to the last byte, the worker itself may be the one that meets the error: then the run is lost, not failed.
    assert dead == "dead 1 0 MemoryError" or (how == "to the last byte" and dead.startswith("dead "))


LARGE = """
import resource
def most():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
class Large:
    def perform(self, *, data):
        pass
system = start()
system.ask(Enqueue(Note, {{"text": "small"}}))
data = {what}
before = most()
for send in (system.ask, system.tell):
    for value in (data, [data], {{"k": (data,)}}):
        try:
            send(Enqueue(Large, {{"data": value}}))
        except PayloadError as refused:
            say(refused)
say("grown", most() - before)
say("stored", *[queue.name for queue in system.ask(GetStatus()).queues])
"""

SIZE = 100_000_000
MOST = 5_000_000


@pytest.mark.parametrize("what", [f"b'x' * {SIZE}", f"'x' * {SIZE}", f"1 << {8 * SIZE}"], ids=["bytes", "str", "int"])
def test_fault_045_a_huge_argument_is_refused_without_a_copy_of_it(run: Run, what: str) -> None:
    """100 MB: the refusal names the argument and takes no memory; nothing is stored."""
    ended = run(LARGE.format(what=what))
    assert ended.code == 0, ended
    assert len(ended.lines) == 8, ended.lines
    for line in ended.lines[:6]:
        assert "max_payload" in line
        assert 'kwargs["data"]' in line
        assert len(line) < 500
    assert int(ended.lines[6].removeprefix("grown ")) < MOST
    assert ended.lines[7] == "stored Note"
