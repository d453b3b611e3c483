"""Programs that end: in whatever way they do, the system is stopped in good order and nothing keeps them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest
import redis

from exqueue import ExqueueSystem, GetJob, GetStatus, JobNotFound
from tests.host.programs import Program
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from exqueue import SystemRef
    from tests.host.conftest import Run

BEYOND_A_BARE_SCRIPT_S = 0.45
"""Less than the shortest pause that a stop could fall into, `exqueue.supervision.runtime.LOOK_EVERY_S`."""

IDLE = """
system = start()
system.ask(StartWorker(Note))
system.ask(Enqueue(Note, {"text": "ran"}))
system.drain()
"""

BUSY = """
class Long:
    def perform(self, *, seconds):
        note("begun")
        time.sleep(seconds)
        note("ended")
system = start(shutdown_timeout=float(os.environ["PATIENCE"]))
system.ask(StartWorker(Long))
job_id = system.ask(Enqueue(Long, {"seconds": float(os.environ["SECONDS"])}))
wait(lambda: (HERE / "notes").exists())
"""

ENDINGS = {
    "it just ends": ("", 0, ""),
    "an exception": ("raise ValueError('of the program')", 1, "ValueError: of the program"),
    "sys.exit(3)": ("sys.exit(3)", 3, ""),
    "with": ("with system: pass", 0, ""),
    "with and an exception": ("with system: raise ValueError('of the program')", 1, "ValueError: of the program"),
    "with and sys.exit(3)": ("with system: sys.exit(3)", 3, ""),
    "stop()": ("assert system.stop() and system.stop()", 0, ""),
    "stop(block=False)": ("system.stop(block=False)", 0, ""),
    "the end of a thread": ("threading.Thread(target=system.stop).start()", 0, ""),
    "del": ("del system", 0, ""),
}


def exit_seconds(run: Run, script: str) -> float:
    """How long a script takes from its last word to its end: the best of five, since the machine may be busy."""
    return min(run(script + "\nsay('last word')").exit_s for _ in range(5))


@pytest.mark.parametrize("script", [IDLE, "system = start()"], ids=["idle", "just started"])
def test_fault_095_a_script_that_forgets_to_stop_ends_at_once_when_nothing_runs(run: Run, script: str) -> None:
    """It takes hardly longer than one that never started anything."""
    bare = exit_seconds(run, "")
    assert exit_seconds(run, script) - bare < BEYOND_A_BARE_SCRIPT_S


@pytest.mark.parametrize("ending", ENDINGS)
def test_fault_095_a_program_ends_as_it_would_without_a_system(
    run: Run, tmp_path: Path, url: str, namespace: str, ending: str
) -> None:
    """With its own exit status, nothing of ours on its output or standard error; lock and beat are given up."""
    script, code, error = ENDINGS[ending]
    ended = run(IDLE + script)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.endswith(error + "\n" if error else "")
    assert ended.err.count("Traceback") == bool(error)
    assert bool(ended.err) == bool(error)
    assert (tmp_path / "notes").read_text().split() == ["ran"]
    with ExqueueSystem.start(url, namespace=namespace, node="observer") as observer:
        eventually(lambda: observer.ask(GetStatus()).nodes == ("observer",))
        assert observer.ask(GetStatus()).leader is None


@pytest.mark.parametrize("ending", ["it just ends", "sys.exit(3)", "an exception", "with"])
def test_fault_095_a_running_job_gets_to_end(run: Run, tmp_path: Path, ending: str) -> None:
    """And where the program did not ask for the stop, one line says what is waited for."""
    script, code, _ = ENDINGS[ending]
    ended = run(BUSY + script, SECONDS="0.7", PATIENCE="20")
    assert ended.code == code
    assert (tmp_path / "notes").read_text().split() == ["begun", "ended"]
    said = [line for line in ended.err.splitlines() if "shutdown_timeout" in line]
    if ending == "with":
        assert said == []
    else:
        assert len(said) == 1
        assert "waits up to 20 s (shutdown_timeout) for 1 running job" in said[0]


def test_a_job_that_outlasts_the_patience_goes_back_uncounted(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef
) -> None:
    """The program ends after ``shutdown_timeout``, whatever the job does."""
    script = BUSY + "say('job', job_id)"
    variables = {"SECONDS": "1000", "PATIENCE": "0.5"}
    with Program(tmp_path, script, redis_url, namespace, variables=variables) as program:
        job_id = program.await_line("job ")
        ended = program.end()
        assert 0.5 <= ended.exit_s < 5
        info = observer.ask(GetJob(job_id))
        assert (info.state, info.failures, info.recoveries) == ("ready", 0, 0)
        assert observer.ask(GetStatus()).leader is None


@pytest.mark.parametrize("ending", ["it just ends", "stop()"])
def test_what_was_told_before_the_end_is_stored(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef, ending: str
) -> None:
    """A ``tell`` right before the end is not lost."""
    script = """
    system = start()
    for number in range(500):
        system.tell(Enqueue(Note, {"text": str(number)}))
    """
    script = textwrap.dedent(script) + ENDINGS[ending][0]
    with Program(tmp_path, script, redis_url, namespace) as program:
        assert program.end().code == 0
    assert next(queue for queue in observer.ask(GetStatus()).queues if queue.name == "Note").ready == 500


ASYNC = """
import asyncio
class Async:
    async def perform(self, *, wait):
        await asyncio.to_thread(note, "begun")
        await asyncio.sleep(wait)
        note("ended")
system = start(shutdown_timeout=20)
system.ask(StartWorker(Async))
system.ask(Enqueue(Async, {"wait": 0.0}))
system.drain()
"""


def test_no_stop_overtakes_what_was_told_before_it(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef
) -> None:
    """While the first store is under way the others and the stop queue up behind it."""
    script = """
    system = start()
    session = type(system._node.persistence.session(timeout=1))
    push = session.push
    def slow(self, *args):
        wait(lambda: (HERE / "go").exists())
        return push(self, *args)
    session.push = slow
    for number in range(5):
        system.tell(Enqueue(Note, {"text": str(number)}))
        time.sleep(0.02 if number == 0 else 0)
    threading.Timer(0.3, (HERE / "go").touch).start()
    system.stop()
    """
    with Program(tmp_path, script, redis_url, namespace) as program:
        assert program.end().code == 0
    assert next(queue for queue in observer.ask(GetStatus()).queues if queue.name == "Note").ready == 5


def test_an_async_job_that_used_threads_leaves_nothing_to_start_at_the_end(run: Run, tmp_path: Path) -> None:
    """From Python 3.12 on no thread can be started while a program ends; its loop is closed without one."""
    ended = run(ASYNC)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert (tmp_path / "notes").read_text().split() == ["begun", "ended"]


def test_an_async_job_that_runs_at_the_end_gets_to_end(run: Run, tmp_path: Path) -> None:
    """Its loop goes on for as long as it is waited for."""
    ended = run(
        ASYNC
        + 'system.ask(Enqueue(Async, {"wait": 0.5}))\nwait(lambda: (HERE / "notes").read_text().count("begun") == 2)'
    )
    assert ended.code == 0
    assert ended.err.count("\n") == ended.err.count("(shutdown_timeout)") == 1, ended.err
    assert (tmp_path / "notes").read_text().split() == ["begun", "ended"] * 2


def test_a_lost_connection_at_the_end_costs_no_running_job(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef
) -> None:
    """What listened can't be started again then; the job ends, is settled, and the lock is released."""
    script = """
    class Held:
        def perform(self):
            note("begun")
            wait(lambda: (HERE / "go").exists())
            note("ended")
    system = start(shutdown_timeout=60)
    system.ask(StartWorker(Held))
    say("job", system.ask(Enqueue(Held)))
    wait(lambda: (HERE / "notes").exists())
    """
    with Program(tmp_path, script, redis_url, namespace) as program, redis.Redis.from_url(redis_url) as server:
        job_id = program.await_line("job ")
        eventually(lambda: "shutdown_timeout" in program.err)
        for _ in range(4):
            # The observer's ear is among them, and comes back.
            eventually(lambda: server.client_kill_filter(_type="pubsub"))
            server.client_kill_filter(_type="normal")
        eventually(lambda: observer.ask(GetStatus()).leader)
        (tmp_path / "go").touch()
        ended = program.end()
    assert ended.code == 0
    assert "gave up" not in ended.err
    assert program.notes == ["begun", "ended"]
    with pytest.raises(JobNotFound):
        observer.ask(GetJob(job_id))
    assert observer.ask(GetStatus()).leader is None


def test_exit_handlers_of_the_program_still_find_the_system(run: Run) -> None:
    """Those registered after the start run before its end, and may enqueue."""
    ended = run("""
    import atexit
    system = start()
    atexit.register(lambda: say("stored", system.ask(Enqueue(Note, {"text": "late"}))))
    """)
    assert ended.out.startswith("stored ")
    assert (ended.code, ended.err) == (0, "")


def test_after_a_stop_no_thread_remains(run: Run) -> None:
    """Nor a handler of the log or of a signal, and nothing keeps the system in memory."""
    ended = run("""
    import gc, weakref
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    system = start()
    system.ask(StartWorker(Note))
    system.ask(Enqueue(Note, {"text": "ran"}))
    system.drain()
    assert handlers == {number: signal.getsignal(number) for number in signal.valid_signals()}
    assert system.stop()
    assert threading.enumerate() == [threading.main_thread()], threading.enumerate()
    assert handlers == {number: signal.getsignal(number) for number in signal.valid_signals()}
    assert [logging.getLogger(name).handlers for name in (None, "exqueue", "exqueue.supervision")] == [[], [], []]
    kept = weakref.ref(system)
    del system
    gc.collect()
    assert kept() is None
    """)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
