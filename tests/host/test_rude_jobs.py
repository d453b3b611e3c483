"""Jobs that treat the process as their own: each harms itself only, the node and the next jobs go on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import redis

from tests.host.programs import Program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.host.conftest import Run

RUDE = {
    "closes the output": "os.close(1)",
    "closes the error output": "os.close(2)",
    "closes all three": "os.closerange(0, 3)",
    "closes sys.stdout": "sys.stdout.close()",
    "deletes sys.stdout": "del sys.stdout",
    "deletes sys.stderr": "del sys.stderr",
    "sets sys.stderr to None": "sys.stderr = None",
    "changes the directory": "os.chdir('/')",
    "removes its directory": "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')",
    "sets a signal handler": "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "blocks signals": "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())",
    "leaves a thread": "threading.Thread(target=time.sleep, args=(1000,)).start()",
    "leaves many threads": "[threading.Thread(target=time.sleep, args=(1000,)).start() for _ in range(10)]",
    "lowers the recursion limit": "sys.setrecursionlimit(60)",
    "recurses": "recurse()",
    "empties the environment": "os.environ.clear()",
    "sets a locale": "import locale; locale.setlocale(locale.LC_ALL, 'C')",
    "configures the log": "logging.disable(); logging.getLogger('exqueue').addHandler(logging.NullHandler())",
    "breaks the log": "logging.getLogger().addHandler(Broken())",
    "sets a hook of threads": "threading.excepthook = None; sys.excepthook = None; threading.settrace(1 .real.__add__)",
    "makes warnings errors": "import warnings; warnings.simplefilter('error')",
    "sets the default timeout of sockets": "import socket; socket.setdefaulttimeout(0.000001)",
    "seeds random": "import random; random.seed(1)",
    "turns the collector off": "import gc; gc.disable(); gc.set_threshold(1)",
    "sets the switch interval": "sys.setswitchinterval(1)",
    "exits": "sys.exit(3)",
    "exits as at Ctrl-C": "raise KeyboardInterrupt",
    "stops every actor of pykka": "import pykka; pykka.ActorRegistry.stop_all(timeout=1)",
    "makes its loop the thread's": "import asyncio; asyncio.set_event_loop(asyncio.new_event_loop())",
}

SCRIPT = """
class Broken(logging.Handler):
    def emit(self, record):
        raise OSError("the disk of the log is full")
def recurse():
    return recurse() + 1
class Rude:
    max_retries = 0
    def perform(self):
        {what}
class Failing:
    max_retries = 0
    def perform(self):
        raise ValueError("as it should")
class Async:
    async def perform(self):
        note("async")
import pykka
HERE = HERE.absolute()
out = os.dup(1)
system = start(shutdown_timeout=5)
for job in (Note, Rude, Failing, Async):
    system.ask(StartWorker(job))
for _ in range(2):
    system.ask(Enqueue(Rude))
    system.ask(Enqueue(Failing))
    system.drain()
wait(lambda: {{one.name: one.dead for one in system.ask(GetStatus()).queues}}["Failing"] == 2)
for number in range(20):
    system.ask(Enqueue(Note, {{"text": str(number)}}))
system.ask(Enqueue(Async))
system.drain()
def restarts(info):
    return sum(map(restarts, info.children), info.restarts)
os.write(out, f"restarts {{restarts(system.ask(GetTree()))}}\\n".encode())
ended = system.stop()
os.write(out, f"stopped {{ended}} {{[t.name for t in threading.enumerate() if 'exqueue' in t.name]}}\\n".encode())
"""


@pytest.mark.parametrize("url", ["redis"], indirect=True)
@pytest.mark.parametrize("what", RUDE)
def test_fault_018_021_023_028_a_rude_job_harms_only_itself(run: Run, what: str) -> None:
    """The node goes on without a restart, the next jobs run, failures are reported, and the program ends."""
    ended = run(SCRIPT.format(what=RUDE[what]))
    assert ended.lines == ["restarts 0", "stopped True []"], ended
    assert ended.code == 0, ended


def test_fault_028_what_is_printed_after_the_output_was_closed_never_reaches_the_server(
    tmp_path: Path, redis_url: str, namespace: str
) -> None:
    """A new connection must not get the free number of the output: the server would take each line for a command."""
    script = """
    class Closing:
        def perform(self):
            os.closerange(0, 3)
    class Printing:
        def perform(self, *, number):
            print("PING", flush=True)
            note(number)
    out = os.dup(1)
    system = start()
    for job in (Closing, Printing):
        system.ask(StartWorker(job))
    system.ask(Enqueue(Closing))
    system.drain()
    os.write(out, b"closed\\n")
    wait(lambda: (HERE / "go").exists())
    for number in range(50):
        system.ask(Enqueue(Printing, {"number": number}))
        assert system.ask(GetStatus()).node == f"node-{os.getpid()}"
    system.drain()
    links = [os.readlink(f"/proc/self/fd/{number}") for number in range(3)]
    os.write(out, f"standard descriptors: {' '.join(links)}\\n".encode())
    counts = next(one for one in system.ask(GetStatus()).queues if one.name == "Printing")
    os.write(out, f"counts {counts.processed} {counts.failed} {counts.ready}\\n".encode())
    """
    with Program(tmp_path, script, redis_url, namespace) as program, redis.Redis.from_url(redis_url) as server:
        program.await_line("closed")
        assert server.client_kill_filter(_type="normal")
        (tmp_path / "go").touch()
        ended = program.end()
    assert ended.code == 0
    assert ended.lines == ["closed", f"standard descriptors: {' '.join([os.devnull] * 3)}", "counts 50 0 0"]
    assert program.notes == [str(number) for number in range(50)]
