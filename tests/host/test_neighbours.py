"""What shares the process with a system: another system, an event loop, and a host that wants its own output clean."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.host.conftest import Run

QUIET = """
assert [logging.getLogger(name).handlers for name in (None, "exqueue", "exqueue.supervision")] == [[], [], []]
assert logging.getLogger("exqueue").level == logging.NOTSET and logging.getLogger("exqueue").propagate
"""


def test_two_systems_of_one_process_share_nothing_but_what_they_are_told_to(run: Run) -> None:
    """The same address and namespace: two nodes, one of which leads. Others: as if each were alone."""
    ended = run(
        """
    same = URL if URL != "memory://" else "memory://same"
    one = ExqueueSystem.start(same, namespace=NAMESPACE, node="one")
    two = ExqueueSystem.start(same, namespace=NAMESPACE, node="two")
    other = ExqueueSystem.start(same, namespace=NAMESPACE + "-other", node="other")
    memory = ExqueueSystem.start("memory://", namespace=NAMESPACE, node="memory")
    everyone = (one, two, other, memory)
    for system in everyone:
        system.ask(StartWorker(Note))
        wait(lambda: system.ask(GetStatus()).leader)
    wait(lambda: [system.ask(GetStatus()).leader for system in everyone] == ["one", "one", "other", "memory"])
    for number, system in enumerate(everyone):
        system.ask(Enqueue(Note, {"text": str(number)}))
    notes = lambda: (HERE / "notes").read_text().split() if (HERE / "notes").exists() else []
    wait(lambda: sorted(notes()) == ["0", "1", "2", "3"])
    processed = lambda system: system.ask(GetStatus()).queues[0].processed
    wait(lambda: [processed(system) for system in everyone] == [2, 2, 1, 1])
    wait(lambda: [len(system.ask(GetStatus()).nodes) for system in everyone] == [2, 2, 1, 1])
    one.stop()
    wait(lambda: two.ask(GetStatus()).leader == "two")
    two.ask(Enqueue(Note, {"text": "after"}))
    wait(lambda: notes()[-1] == "after")
    other.stop()
    memory.ask(Enqueue(Note, {"text": "memory"}))
    memory.drain()
    """
    )
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_a_job_of_one_system_may_enqueue_with_and_stop_another(run: Run) -> None:
    """Its own it could only ask to stop."""
    ended = run(
        """
    other = ExqueueSystem.start("memory://", node="other")
    other.ask(StartWorker(Note))
    system = start()
    class Closing:
        def perform(self):
            other.ask(Enqueue(Note, {"text": "from a job"}))
            other.drain()
            other.stop()
    system.ask(StartWorker(Closing))
    system.ask(Enqueue(Closing))
    system.drain()
    wait(lambda: not other.is_alive())
    assert system.is_alive() and system.ask(GetStatus()).queues[0].processed == 1
    """
    )
    assert (ended.code, ended.out, ended.err) == (0, "", "")


NOTEBOOK = """
import asyncio
class Async:
    concurrency = 3
    async def perform(self, *, number):
        await asyncio.sleep(0.01)
        await asyncio.to_thread(note, number)
async def main():
    system = start()
    ticks = 0
    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1
    ticking = asyncio.create_task(tick())
    system.ask(StartWorker(Async))
    system.ask(Enqueue(Async, {"number": 0}))
    await asyncio.to_thread(system.ask, Enqueue(Async, {"number": 1}))
    future = system.ask(GetStatus(), block=False)
    assert (await asyncio.to_thread(future.get)).node == system.ask(GetStatus()).node
    await asyncio.gather(*(asyncio.to_thread(system.enqueue, Async, number=n) for n in range(2, 20)))
    before = ticks
    await asyncio.to_thread(system.drain, timeout=10)
    assert ticks > before
    assert asyncio.get_running_loop() is loop
    ticking.cancel()
    await asyncio.to_thread(system.stop)
    assert not system.is_alive()
async def run():
    global loop
    loop = asyncio.get_running_loop()
    await main()
    forgotten = start()
    forgotten.ask(StartWorker(Async))
    await asyncio.to_thread(forgotten.ask, Enqueue(Async, {"number": 20}))
    forgotten.drain()
asyncio.run(run())
assert sorted(map(int, (HERE / "notes").read_text().split())) == list(range(21))
"""


def test_a_host_with_a_running_event_loop(run: Run) -> None:
    """As in a notebook: asking from a coroutine works, asking from a thread lets the loop go on; async jobs too."""
    ended = run(NOTEBOOK)
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_the_output_and_the_log_belong_to_the_host(run: Run) -> None:
    """A whole life with retries, a death and a restart: not a word on its output, no handler, no level set."""
    ended = run(
        QUIET
        + """
class Failing:
    max_retries = 0
    def perform(self):
        raise ValueError("as it should")
system = start()
for job in (Note, Failing):
    system.ask(StartWorker(job))
job_id = system.ask(Enqueue(Failing))
from exqueue.testing import crash
crash(system, "producer")
system.ask(Enqueue(Note, {"text": "ran"}))
system.drain()
wait(lambda: system.ask(GetStatus()).queues[0].dead)
system.stop()
"""
        + QUIET
    )
    assert (ended.code, ended.out) == (0, "")
    # Python's last resort, which prints WARNING and above of a program that has configured nothing.
    assert "is dead after 1 failed attempt:" in ended.err
    assert "producer" in ended.err


def test_importing_starts_and_opens_nothing(run: Run) -> None:
    """No thread, no file, no handler, no event loop: the import is of no consequence to the host."""
    ended = run(
        """
    assert threading.enumerate() == [threading.main_thread()]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert "asyncio" not in sys.modules and "redis" not in sys.modules
    say(*sorted(os.listdir("/proc/self/fd"))[:3])
    """
        + QUIET
    )
    assert (ended.code, ended.out, ended.err) == (0, "0 1 2\n", "")
