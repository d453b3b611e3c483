"""A process is killed in the middle of its jobs, and another one takes over. Run it: `make demo`, which ends with this.

It keeps its jobs where $EXQUEUE_URL says, which has to be a place that processes share; without it in an SQLite file in
a directory for the time being. It exits with 1 if a job was lost, ran more often than it had to, or came too late.
"""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from exqueue import Enqueue, ExqueueSystem, GetStatus, ListJobs, StartWorker, SystemRef, current_job

PATIENCE_S = 20.0
PROMISED_S = 3.0
INVOICES, AT_ONCE = 6, 3

is_other_process = len(sys.argv) > 1
begun_again: dict[int, float] = {}  # invoice -> when its code began in this process
attempts: dict[int, int] = {}  # invoice -> which attempt that was
all_printed = threading.Event()


class PrintInvoice:
    """Takes for ever in the process that is going to be killed, and no time here."""

    concurrency = AT_ONCE

    def perform(self, *, number: int) -> None:
        """Print one invoice."""
        if is_other_process:
            print(f"begun {number}\n", end="", flush=True)  # In one piece: others print at the same time.
            threading.Event().wait(PATIENCE_S)
            return
        job = current_job()
        attempts[number] = 0 if job is None else job.attempt
        begun_again[number] = time.monotonic()
        if len(begun_again) == INVOICES:
            all_printed.set()


def run_other_process(url: str, namespace: str) -> None:
    """Be the process that is killed: run jobs until then."""
    with ExqueueSystem.start(url, namespace=namespace, node="other") as system:
        system.ask(StartWorker(PrintInvoice))
        print("ready", flush=True)
        system.run()


def await_line(other: subprocess.Popen[str], beginning: str) -> None:
    """Wait for a line that the other process prints.

    Raises:
        RuntimeError: it prints another one, or ends.
    """
    line = "" if other.stdout is None else other.stdout.readline()
    if not line.startswith(beginning):
        raise RuntimeError(f"the other process said {line!r} instead of {beginning!r}")


def play(system: SystemRef, other: subprocess.Popen[str]) -> float:
    """Let the other process begin, kill it, wait until all is printed here; return when it was killed."""
    await_line(other, "ready")
    deadline = time.monotonic() + PATIENCE_S
    while system.ask(GetStatus()).leader != "other":  # Else this process might be the first to take the lock.
        if time.monotonic() > deadline:
            raise RuntimeError(f"the other process does not lead after {PATIENCE_S:g} s")
        time.sleep(0.01)
    system.ask(StartWorker(PrintInvoice))
    for number in range(INVOICES):
        system.ask(Enqueue(PrintInvoice, {"number": number}))
    for _ in range(AT_ONCE):
        await_line(other, "begun")
    status = system.ask(GetStatus())
    print(f"--> node {status.leader} (process {other.pid}) leads and prints {AT_ONCE} of {INVOICES} invoices; this")
    print(f"    process, node {status.node}, stands by. Now the other one is killed with SIGKILL.", flush=True)
    killed_at = time.monotonic()
    other.send_signal(signal.SIGKILL)
    if not all_printed.wait(PATIENCE_S):
        raise RuntimeError(f"after {PATIENCE_S:g} s only {len(begun_again)} of {INVOICES} invoices are printed")
    system.drain()
    return killed_at


def account(system: SystemRef, killed_at: float) -> list[str]:
    """Print what became of each invoice, and return what is wrong with it."""
    print(f"\n{'invoice':>8}{'began there':>13}{'began here after':>18}{'attempt':>9}")
    wrong = []
    for number, at in sorted(begun_again.items()):
        was_begun = number < AT_ONCE
        print(f"{number:>8}{'yes' if was_begun else 'no':>13}{at - killed_at:>16.2f} s{attempts[number]:>9}")
        if attempts[number] != (2 if was_begun else 1):
            wrong.append(f"invoice {number} was begun for the {attempts[number]}. time")
    first_s = min(begun_again.values()) - killed_at
    print(f"\n--> taken over after {first_s:.2f} s, promised are {PROMISED_S:g} s", flush=True)
    if first_s > PROMISED_S:
        wrong.append("the takeover came too late")
    left = [job.id for state in ("ready", "waiting", "running", "dead") for job in system.ask(ListJobs(state))]
    if left:
        wrong.append(f"jobs are left: {', '.join(left)}")
    return wrong


def main() -> int:
    """Play, and return the exit code."""
    print("\n=== A process is killed in the middle of its jobs")
    print("Two processes know the same job class; one holds the lock and works. Its death closes its connection, or")
    print("frees its lock on the file, so the other one need not wait for the end of the lease of 10 s.", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        url = os.environ.get("EXQUEUE_URL", f"sqlite:///{Path(folder) / 'takeover.db'}")
        if url.startswith("memory:"):
            print("--> memory can't be shared with another process: nothing to see with this $EXQUEUE_URL")
            return 0
        namespace = f"takeover-{secrets.token_hex(6)}"
        command = [sys.executable, __file__, url, namespace]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other,  # noqa: S603 - this very program
            ExqueueSystem.start(url, namespace=namespace, node="this") as system,
        ):
            try:
                wrong = account(system, play(system, other))
            except RuntimeError as error:
                wrong = [str(error)]
            finally:
                other.kill()
    for line in wrong:
        print("WRONG:", line)
    print("Something is wrong." if wrong else "Nothing was lost, and only what was interrupted ran again.")
    return 1 if wrong else 0


if __name__ == "__main__":
    if is_other_process:
        run_other_process(*sys.argv[1:])
    else:
        sys.exit(main())
