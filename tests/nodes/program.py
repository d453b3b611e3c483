"""What a node of these tests runs: `python -m tests.nodes.program '<JSON of Plan>'`.

Each run of a job writes lines to the diary of the test, ``what job number node monotonic_s``; the monotonic clock is
the same for all processes of a machine.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from exqueue import ExqueueSystem, StartWorker, current_job

POLL_S = 0.01
LONGEST_S = 60.0
LONG_S = 0.5


@dataclass(frozen=True)
class Plan:
    """What one node does.

    Args:
        folder: of the test: the diary, and the files that let jobs go on.
        jobs: name of a job class of this file -> its options for `StartWorker`.
        options: for `ExqueueSystem.start`.
    """

    url: str
    namespace: str
    node: str
    folder: str
    jobs: dict[str, dict[str, object]]
    options: dict[str, object] = field(default_factory=dict)

    def dumps(self) -> str:
        """As it is given to the program."""
        return json.dumps(asdict(self))


plan = Plan("", "", "", "", {})


def note(what: str, number: int) -> None:
    """Write one line into the diary, in one piece."""
    current = current_job()
    job = "" if current is None else current.id
    line = f"{what} {number} {plan.node} {time.monotonic()} {job}\n"
    diary = os.open(Path(plan.folder) / "diary", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(diary, line.encode())
    os.close(diary)


def wait_for(name: str) -> bool:
    """Wait until the test has made a file of this name; say whether the run was superseded meanwhile."""
    path = Path(plan.folder) / name
    deadline = time.monotonic() + LONGEST_S
    pause = threading.Event()
    while not path.exists() and time.monotonic() < deadline:
        pause.wait(POLL_S)
    current = current_job()
    return current is not None and current.cancelled


def kill_this_node(how: str) -> None:
    """In one of three ways."""
    if how == "exit":
        os._exit(7)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    ctypes.string_at(0)


class Quick:
    """Begins and ends, but for those of its jobs that are poison."""

    def perform(self, *, number: int, how: str = "") -> None:
        """Note both, or kill the node between."""
        note("begin", number)
        if how:
            kill_this_node(how)
        note("end", number)


class Hold:
    """Runs until the test lets it go on, on whatever node."""

    def perform(self, *, number: int) -> None:
        """Note begin and end, and whether it was told that its run is over."""
        note("begin", number)
        note("cancelled" if wait_for(f"release-{plan.node}") else "end", number)


class Long:
    """Takes its time, so that it is interrupted when its node dies."""

    def perform(self, *, number: int) -> None:
        """Note begin and end."""
        note("begin", number)
        threading.Event().wait(LONG_S)
        note("end", number)


class Poison:
    """Kills its node; in a queue of its own."""

    def perform(self, *, number: int, how: str) -> None:
        """Note that it begins."""
        note("begin", number)
        kill_this_node(how)


class Stall:
    """Stops every thread of its node: it waits in C code that does not give the interpreter's lock away."""

    def perform(self, *, number: int, seconds: int, node: str = "") -> None:
        """Note begin and end; with ``node`` it stalls on that one only."""
        note("begin", number)
        if node in {"", plan.node}:
            ctypes.PyDLL(None).sleep(seconds)
        note("end", number)


class Dies:
    """Fails for good at its first run."""

    max_retries = 0

    def perform(self, *, number: int) -> None:
        """Raise."""
        raise ValueError(f"number {number} can't be done")


class HeldLog(logging.Handler):
    """Comes before the handler that writes, and hangs at an ERROR when the test has made a file that says so."""

    def emit(self, record: logging.LogRecord) -> None:
        """Note that it hangs, then wait."""
        if record.levelno == logging.ERROR and (Path(plan.folder) / f"hold-log-{plan.node}").exists():
            note("held", 0)
            wait_for(f"release-log-{plan.node}")


JOBS = {job.__name__: job for job in (Quick, Hold, Long, Poison, Stall, Dies)}


def main() -> None:
    """Start a node and run it until a signal; its log goes to stderr."""
    global plan  # noqa: PLW0603 - the jobs of this process need it, and nothing else can hand it to them
    plan = Plan(**json.loads(sys.argv[1]))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("exqueue").addHandler(HeldLog())
    system = ExqueueSystem.start(plan.url, namespace=plan.namespace, node=plan.node, **plan.options)  # type: ignore[arg-type] # as the plan has them
    for name, options in plan.jobs.items():
        system.ask(StartWorker(JOBS[name], **options))  # type: ignore[arg-type] # as the plan has them
    print("ready", flush=True)  # noqa: T201 - for the test that waits for it
    system.run()


if __name__ == "__main__":
    main()
