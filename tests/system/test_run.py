"""`system.run()` in a process of its own, ended by real signals."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest

from exqueue import Enqueue, ExqueueSystem, GetJob, GetStatus, JobNotFound, StartWorker, SystemStopped
from exqueue.testing import crash
from tests.system.helpers import PATIENCE_S, eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import logging
import signal
import sys
import threading
import time

from exqueue import Enqueue, ExqueueSystem, StartWorker

go_on = threading.Event()
run_listens = threading.Event()


def say(what):
    sys.stdout.write(what + "\\n")
    sys.stdout.flush()


class Log(logging.Handler):
    def emit(self, record):
        # Said when every queue has been told: from then on nothing more is fetched.
        if record.levelno == logging.INFO and "stops:" in record.getMessage():
            say("stopping")
        elif record.levelno >= logging.WARNING:
            sys.stderr.write(record.getMessage() + "\\n")


logging.getLogger("exqueue").addHandler(Log())
logging.getLogger("exqueue").setLevel(logging.INFO)


class Held:
    def perform(self, *, who):
        run_listens.wait()
        say(f"begun {who}")
        go_on.wait()
        say(f"ended {who}")


def own_handler(number, frame):
    say(f"the program's own handler got {signal.Signals(number).name}")


def listen():
    for line in sys.stdin:
        if line == "go on\\n":
            go_on.set()
        elif line == "stop\\n":
            system.stop(block=False)


def await_run():
    # A signal that came before `run()` has set its handlers would be the program's own affair.
    while own_handler is signal.getsignal(signal.SIGTERM):
        time.sleep(0.001)
    run_listens.set()


signal.signal(signal.SIGTERM, own_handler)
before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
url, namespace, patience_s, node = sys.argv[1:]
system = ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=float(patience_s), node=node)
threading.Thread(target=listen, daemon=True).start()
threading.Thread(target=await_run, daemon=True).start()
system.ask(StartWorker(Held))
if url.startswith("memory"):
    system.ask(Enqueue(Held, {"who": 1}))
system.run()
say(f"run has returned, alive: {system.is_alive()}")
assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
signal.raise_signal(signal.SIGTERM)
"""


class Program:
    """The program in a child process, and the lines that it says."""

    def __init__(self, folder: Path, url: str, namespace: str, patience_s: float = 20.0) -> None:
        script = folder / "program.py"
        script.write_text(PROGRAM)
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", str(script), url, namespace, str(patience_s), "program"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.errors: list[str] = []
        self._readers = [threading.Thread(target=read) for read in (self._read, self._read_errors)]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(line.rstrip())

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self.errors.extend(self._process.stderr)

    def says(self) -> str:
        """The next line that it says."""
        return self._said.get(timeout=2 * PATIENCE_S)

    def tell(self, what: str) -> None:
        """Tell it to "go on", so that its jobs end, or to "stop"."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()

    def send(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def status(self) -> int:
        """Wait for its end: its exit status. Then ``errors`` has what it wrote to the standard error."""
        status = self._process.wait(2 * PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
        return status

    def left(self) -> list[str]:
        """What it said and nobody has read; after its end."""
        return [self._said.get() for _ in range(self._said.qsize())]

    def end(self) -> None:
        """Kill it if it still runs, and close what leads to it."""
        if self.is_running():
            self._process.kill()
        self._process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()


class Held:
    """The class of the program's jobs, as another node runs them: at once, noting who."""

    ran: ClassVar[list[int]] = []

    def perform(self, *, who: int) -> None:
        type(self).ran.append(who)


SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])


@pytest.fixture
def clerk(redis_url: str, namespace: str) -> Iterator[SystemRef]:
    """A node beside the program, which only enqueues at first."""
    Held.ran.clear()
    with ExqueueSystem.start(redis_url, namespace=namespace, node="clerk", shutdown_timeout=5) as started:
        yield started


@pytest.fixture
def program(tmp_path: Path, redis_url: str, namespace: str) -> Iterator[Program]:
    """The program, in which `run` waits."""
    started = Program(tmp_path, redis_url, namespace)
    yield started
    started.end()


@SIGNALS
def test_a_signal_lets_the_running_job_end(clerk: SystemRef, program: Program, number: int) -> None:
    """Nothing more is fetched, the job ends, its success counts, the program goes on and ends with 0."""
    first, second = (clerk.ask(Enqueue(Held, {"who": who})) for who in (1, 2))
    assert program.says() == "begun 1"
    program.send(number)
    assert program.says() == "stopping"
    assert queue_status(clerk, "Held").running == 1
    program.tell("go on")
    assert program.says() == "ended 1"
    assert program.says() == "run has returned, alive: False"
    assert program.says() == "the program's own handler got SIGTERM"
    assert program.status() == 0
    assert (program.left(), program.errors) == ([], [])
    with pytest.raises(JobNotFound):
        clerk.ask(GetJob(first))
    assert clerk.ask(GetJob(second)).state == "ready"


@SIGNALS
def test_a_signal_frees_the_lock_at_once(clerk: SystemRef, program: Program, number: int) -> None:
    """A node that waits for it leads within a second of the end of the last job, far within the lease."""
    clerk.ask(Enqueue(Held, {"who": 1}))
    assert program.says() == "begun 1"
    clerk.ask(StartWorker(Held))
    assert clerk.ask(GetStatus()).leader == "program"
    clerk.ask(Enqueue(Held, {"who": 2}))
    program.send(number)
    assert program.says() == "stopping"
    program.tell("go on")
    assert program.says() == "ended 1"
    ended_at = time.monotonic()
    eventually(lambda: Held.ran == [2])
    assert time.monotonic() - ended_at < 2
    assert clerk.ask(GetStatus()).leader == "clerk"
    assert program.status() == 0


@SIGNALS
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_fault_093_a_second_signal_ends_the_process_at_once(
    clerk: SystemRef, program: Program, number: int, second: int
) -> None:
    """With 128 and its number, whatever still runs; that job is run again by the next node, as after a crash."""
    job_id = clerk.ask(Enqueue(Held, {"who": 1}))
    assert program.says() == "begun 1"
    program.send(number)
    assert program.says() == "stopping"
    sent_at = time.monotonic()
    program.send(second)
    assert program.status() == 128 + second
    assert time.monotonic() - sent_at < 2
    assert (program.left(), program.errors) == ([], [])
    info = clerk.ask(GetJob(job_id))
    assert (info.state, info.failures) == ("running", 0)


@SIGNALS
def test_a_stop_that_takes_too_long_gives_the_job_back(
    tmp_path: Path, clerk: SystemRef, redis_url: str, namespace: str, number: int
) -> None:
    """After `shutdown_timeout` the program ends with 0 although the job's thread still runs; the job is not lost."""
    program = Program(tmp_path, redis_url, namespace, patience_s=0.2)
    try:
        job_id = clerk.ask(Enqueue(Held, {"who": 1}))
        assert program.says() == "begun 1"
        program.send(number)
        assert program.says() == "stopping"
        assert program.says() == "run has returned, alive: False"
        assert program.says() == "the program's own handler got SIGTERM"
        assert program.status() == 0
        (line,) = program.errors
        assert line.startswith(f"job {job_id} of class Held in queue Held has run for ")
        assert "its thread executes on until the process ends" in line
        info = clerk.ask(GetJob(job_id))
        assert (info.state, info.failures, info.recoveries) == ("ready", 0, 0)
    finally:
        program.end()


def test_run_returns_when_the_system_is_stopped_from_within(clerk: SystemRef, program: Program) -> None:
    """By another thread, without any signal; the handlers are put back then too."""
    eventually(lambda: clerk.ask(GetStatus()).leader == "program")
    program.tell("stop")
    assert program.says() == "run has returned, alive: False"
    assert program.says() == "the program's own handler got SIGTERM"
    assert program.status() == 0


@SIGNALS
def test_in_memory_too_the_running_job_ends(tmp_path: Path, namespace: str, number: int) -> None:
    """A signal means the same whatever the persistence."""
    program = Program(tmp_path, f"memory://{namespace}", namespace)
    try:
        assert program.says() == "begun 1"
        program.send(number)
        assert program.says() == "stopping"
        program.tell("go on")
        assert program.says() == "ended 1"
        assert program.says() == "run has returned, alive: False"
        assert program.says() == "the program's own handler got SIGTERM"
        assert program.status() == 0
    finally:
        program.end()


def test_outside_the_main_thread_run_waits_for_the_stop(url: str, namespace: str) -> None:
    """Python delivers no signals there: it blocks until somebody stops the system, and touches no handler."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with ExqueueSystem.start(url, namespace=namespace) as system:
        thread = threading.Thread(target=system.run)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
        system.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_a_system_that_gave_up_comes_out_of_run_as_an_error() -> None:
    """Else a program that just runs it would end with 0, and whoever looks after it would not start it again."""
    system = ExqueueSystem.start("memory://")

    def crash_until_it_gives_up() -> None:
        while system.is_alive():
            with contextlib.suppress(LookupError):
                crash(system, "reporter")
            threading.Event().wait(0.01)

    crashing = threading.Thread(target=crash_until_it_gives_up)
    crashing.start()
    with pytest.raises(SystemStopped, match=r"gave up and works no more: .* restarts in 60 s"):
        system.run()
    crashing.join()
