"""Ctrl-C, at any moment: the program ends, nothing of ours writes a traceback, and the lock is free."""

from __future__ import annotations

import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

from exqueue import ExqueueSystem, GetJob, GetStatus
from tests.host.programs import Program
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from exqueue import SystemRef

MOMENTS = 10

NOT_OF_THE_MAIN_THREAD = ("Exception in thread", "Fatal Python error", "exqueue", "node-", "queue", "job")
"""How lines begin that the interpreter does not write for the interrupted main thread."""

WHOLE_LIFE = """
class Short:
    concurrency = 3
    def perform(self):
        time.sleep(0.002)
say("begin")
system = start(shutdown_timeout=5)
system.ask(StartWorker(Short))
for _ in range(20):
    system.ask(Enqueue(Short))
system.tell(Enqueue(Short))
system.drain()
with system:
    system.ask(GetStatus())
say("end")
"""


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_an_interrupt_at_any_moment_ends_the_program(
    tmp_path: Path, url: str, namespace: str, life_s: dict[str, float], moment: int
) -> None:
    """From before the start to after the stop; what it had is given back, or ends by itself."""
    pause_s = (moment + random.Random(moment).random()) / MOMENTS * life_s.setdefault(url, whole_life(tmp_path, url))
    with Program(tmp_path, WHOLE_LIFE, url, namespace) as program:
        program.await_line("begin")
        time.sleep(pause_s)  # the moment is what is tried here
        program.send(signal.SIGINT)
        ended = program.end(within=15)
    assert ended.code in (0, -signal.SIGINT), ended
    assert [line for line in ended.err.splitlines() if line.startswith(NOT_OF_THE_MAIN_THREAD)] == []
    with ExqueueSystem.start(url, namespace=namespace, node="observer") as observer:
        assert observer.ask(GetStatus()).leader is None


@pytest.fixture(scope="module")
def life_s() -> dict[str, float]:
    """How long an undisturbed life takes, by persistence."""
    return {}


def whole_life(folder: Path, url: str) -> float:
    """Measure it."""
    with Program(folder, WHOLE_LIFE, url, "undisturbed") as program:
        program.await_line("begin")
        begun = time.monotonic()
        program.await_line("end")
        return time.monotonic() - begun


LONG = """
class Long:
    def perform(self):
        note("begun")
        time.sleep(1000)
system = start(shutdown_timeout=300)
system.ask(StartWorker(Long))
say("job", system.ask(Enqueue(Long)))
wait(lambda: (HERE / "notes").exists())
"""


def test_fault_093_a_second_interrupt_ends_a_program_that_waits_for_a_job_at_its_end(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef
) -> None:
    """Without a traceback of ours; the job runs again elsewhere."""
    with Program(tmp_path, LONG + "say('last')", redis_url, namespace) as program:
        job_id = program.await_line("job ")
        eventually(lambda: "shutdown_timeout" in program.err)
        program.send(signal.SIGINT)
        ended = program.end(within=10)
    assert (ended.code, "Traceback" in ended.err) == (0, False)
    assert "interrupted again" in ended.err
    assert observer.ask(GetJob(job_id)).state == "running"


def test_a_stop_that_was_interrupted_goes_on_at_the_end(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef
) -> None:
    """The program may catch the interrupt; at its end the system is waited for all the same."""
    script = """
    class Held:
        def perform(self):
            note("begun")
            wait(lambda: (HERE / "go").exists())
            note("ended")
    system = start(shutdown_timeout=300)
    system.ask(StartWorker(Held))
    system.ask(Enqueue(Held))
    wait(lambda: (HERE / "notes").exists())
    def look():
        wait(lambda: system._context.board.table("stop"))
        say("stopping")
    threading.Thread(target=look).start()
    try:
        system.stop()
    except KeyboardInterrupt:
        say("interrupted")
    """
    with Program(tmp_path, script, redis_url, namespace) as program:
        program.await_line("stopping")
        program.send(signal.SIGINT)
        program.await_line("interrupted")
        eventually(lambda: "shutdown_timeout" in program.err)
        (tmp_path / "go").touch()
        assert program.end(within=10).code == 0
        assert program.notes == ["begun", "ended"]
        assert observer.ask(GetStatus()).leader is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_stops_in_good_order_and_puts_the_handlers_back(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef, number: signal.Signals
) -> None:
    """The program goes on after it, and what its own signals did they do again."""
    script = """
    def mine(number, frame):
        say("mine")
    signal.signal(signal.SIGTERM, mine)
    system = start()
    system.ask(StartWorker(Note))
    def look():
        wait(lambda: signal.getsignal(signal.SIGTERM) is not mine)
        say("running")
    looking = threading.Thread(target=look)
    looking.start()
    system.run()
    looking.join()
    assert not system.is_alive() and threading.active_count() == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    os.kill(os.getpid(), signal.SIGTERM)
    """
    with Program(tmp_path, script, redis_url, namespace) as program:
        program.await_line("running")
        eventually(lambda: observer.ask(GetStatus()).leader == f"node-{program.pid}")
        program.send(number)
        ended = program.end(within=10)
    assert (ended.code, ended.lines[1:], ended.err) == (0, ["mine"], "")
    assert observer.ask(GetStatus()).leader is None


def test_fault_093_a_second_signal_ends_run_at_once(tmp_path: Path, url: str, namespace: str) -> None:
    """With the status that says which signal it was."""
    script = LONG + "say('running')\nsystem.run()"
    with Program(tmp_path, script, url, namespace) as program:
        program.await_line("running")
        eventually(lambda: is_caught(program.pid, signal.SIGTERM))
        program.send(signal.SIGTERM)
        program.send(signal.SIGINT)
        assert program.end(within=5).code in (128 + signal.SIGINT, 128 + signal.SIGTERM)


@pytest.mark.parametrize("first", [None, signal.SIGTERM], ids=["first", "second"])
def test_fault_093_sigquit_waits_for_nothing(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef, first: signal.Signals | None
) -> None:
    """Nobody handles it: it ends the program as it does any other, first or second; the job runs again elsewhere."""
    no_core = "import resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
    with Program(tmp_path, no_core + LONG + "say('running')\nsystem.run()", redis_url, namespace) as program:
        job_id = program.await_line("job ")
        program.await_line("running")
        eventually(lambda: is_caught(program.pid, signal.SIGTERM))
        if first is not None:
            program.send(first)
        program.send(signal.SIGQUIT)
        assert program.end(within=5).code == -signal.SIGQUIT
    assert observer.ask(GetJob(job_id)).state == "running"


def is_caught(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler for the signal."""
    with open(f"/proc/{pid}/status") as status:  # noqa: PTH123 - no file to have a path of
        caught = next(line for line in status if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def test_fault_096_every_other_signal_is_left_to_the_program(tmp_path: Path, url: str, namespace: str) -> None:
    """Also while ``run`` blocks: what the program set for SIGUSR1 is what happens."""
    script = """
    signal.signal(signal.SIGUSR1, lambda number, frame: say("mine"))
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    system = start()
    def look():
        wait(lambda: signal.getsignal(signal.SIGTERM) != before[signal.SIGTERM])
        now = {number: signal.getsignal(number) for number in signal.valid_signals()}
        say("changed", *sorted(number.name for number in before if now[number] != before[number]))
    threading.Thread(target=look).start()
    system.run()
    """
    with Program(tmp_path, script, url, namespace) as program:
        assert program.await_line("changed") == "SIGINT SIGTERM"
        program.send(signal.SIGUSR1)
        program.await_line("mine")
        program.send(signal.SIGTERM)
        assert program.end(within=10).code == 0
