"""Exqueue at work: three job classes, two crashes, a retry, a death, and a revival by hand. Run it: `make demo`.

It keeps its jobs where $EXQUEUE_URL says, without it in an SQLite file in a directory for the time being, under a
namespace of its own (on a server about one kilobyte of bookkeeping stays behind). At the end it compares what happened
with what should have, and exits with 1 where they differ.
"""

import asyncio
import logging
import os
import secrets
import sys
import tempfile
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pykka

from exqueue import (
    ActorInfo,
    ActorRestarted,
    Enqueue,
    EnqueueMany,
    ExqueueSystem,
    GetJob,
    GetStatus,
    GetTree,
    Job,
    JobDied,
    JobFailed,
    JobStarted,
    JobSucceeded,
    RetryDead,
    StartWorker,
    Subscribe,
    SystemRef,
    job,
)
from exqueue.testing import crash

PATIENCE_S = 15.0
MAILS, REPORTS, WORKERS = 40, 5, 4
CRASHED = ("queues/SendMail/fetcher", "queues/SendMail/worker-1")

first_mails_may_end = threading.Event()
all_mails_may_end = threading.Event()
bank_is_open = threading.Event()
begun: list[str] = []  # "SendMail 7" each time its code begins; `append` is safe among threads
written: list[str] = []  # the report as it came about: "begin 0", "end 0", "begin 1" and so on


class SendMail:
    """A plain class with `perform`: all that a job needs."""

    def perform(self, *, number: int) -> None:
        """Send nothing, but take as long as the demo needs to crash what is around it."""
        begun.append(f"SendMail {number}")
        may_end = first_mails_may_end if number < WORKERS else all_mails_may_end
        if not may_end.wait(PATIENCE_S):
            raise TimeoutError("the demo did not let this mail end")


class ChargeCard(Job):
    """A job with options: it is retried once, after 0.2 s."""

    max_retries = 1
    backoff = 0.2

    def perform(self, *, card: str) -> None:
        """Fail until the bank is open."""
        begun.append(f"ChargeCard {card}")
        if not bank_is_open.is_set():
            raise ConnectionError("the bank does not answer")


@job(serial=True)
async def write_report(*, page: int) -> None:
    """Write a page: each only after the one before."""
    begun.append(f"write_report {page}")
    written.append(f"begin {page}")
    await asyncio.sleep(0.002)  # Time enough for another page to get in between, if it could.
    written.append(f"end {page}")


class Watcher(pykka.ThreadingActor):
    """Keeps the events that it is sent, and lets others wait for them."""

    use_daemon_thread = True

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[object] = []
        self.changed = threading.Condition()

    def on_receive(self, message: object) -> None:
        """Keep an event."""
        with self.changed:
            self.seen.append(message)
            self.changed.notify_all()


class Events:
    """The events of a system, from outside.

    Args:
        system: to subscribe to.
    """

    def __init__(self, system: SystemRef) -> None:
        self.ref = Watcher.start()
        proxy = self.ref.proxy()
        self._seen: list[object] = proxy.seen.get()
        self._changed: threading.Condition = proxy.changed.get()
        system.ask(Subscribe(self.ref))

    def count(self, kind: type, name: str | None = None) -> int:
        """How many events of a type there were, of one job class or of all."""
        with self._changed:
            events = [event for event in self._seen if isinstance(event, kind)]
        return sum(name is None or getattr(event, "job", None) == name for event in events)

    def wait(self, what: str, is_true: Callable[[], bool]) -> None:
        """Wait until a condition on events holds.

        Raises:
            TimeoutError: it does not hold within `PATIENCE_S`.
        """
        with self._changed:
            if not self._changed.wait_for(is_true, PATIENCE_S):
                raise TimeoutError(f"waited {PATIENCE_S:g} s in vain: {what}")


class Log(logging.Handler):
    """Prints what Exqueue logs, set apart from what the demo says, and keeps the ERRORs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        text = record.getMessage()
        print(textwrap.indent(f"{record.levelname} {text}", "    log | "), flush=True)
        if record.levelno >= logging.ERROR:
            self.errors.append(text)


started_at = time.monotonic()


def act(title: str, story: str) -> None:
    """Print what comes next and why it is worth a look."""
    print(f"\n=== {title} ({time.monotonic() - started_at:.1f} s)\n{story}", flush=True)


def say(text: str) -> None:
    """Print what was just seen."""
    print(f"--> {text}", flush=True)


def rows_of(actor: ActorInfo, depth: int = 0) -> Iterator[tuple[str, str, str, str]]:
    """Give an actor and all below it as rows: its place in the tree, its role, its restarts, what it is doing."""
    restarts = f"restarts: {actor.restarts}" if actor.restarts else ""
    yield "    " * depth + actor.name.rpartition("/")[2], actor.role, restarts, actor.doing or ""
    for child in actor.children:
        yield from rows_of(child, depth + 1)


def print_tree(root: ActorInfo) -> None:
    """Print the tree in columns as wide as what stands in them."""
    rows = list(rows_of(root))
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip(), flush=True)


def restarts_of(actor: ActorInfo) -> dict[str, int]:
    """Return the restarts of an actor and of all below it, by path, where there were any."""
    found = {actor.name: actor.restarts} if actor.restarts else {}
    for child in actor.children:
        found |= restarts_of(child)
    return found


def enqueue(system: SystemRef) -> None:
    """Start the workers and fill two of the three queues."""
    act(
        "1. Three kinds of job",
        "A plain class, a class with options and an async function, each with a queue and workers of its own.",
    )
    for message in (StartWorker(SendMail, concurrency=WORKERS), StartWorker(ChargeCard), StartWorker(write_report)):
        say(f"queue {system.ask(message)} is started")
    system.ask(EnqueueMany(Enqueue(SendMail, {"number": number}) for number in range(MAILS)))
    system.ask(EnqueueMany(Enqueue(write_report, {"page": page}) for page in range(REPORTS)))
    say(
        f"stored: {MAILS} mails for {WORKERS} workers, and {REPORTS} pages of a report, to be written one after another"
    )


def crash_two(system: SystemRef, events: Events) -> None:
    """Crash the fetcher and a worker of the mails while mails run."""
    act(
        "2. Two actors crash at work",
        f"{WORKERS} mails run. The actor that hands them out crashes; one of the workers crashes after its mail.\n"
        "Their supervisor starts both again, and what they knew stands on a board that outlives them.",
    )
    events.wait("all mail workers busy", lambda: events.count(JobStarted, "SendMail") >= WORKERS)
    fetcher, worker = CRASHED
    crash(system, fetcher)
    events.wait("the fetcher's restart", lambda: events.count(ActorRestarted) >= 1)
    crash(system, worker)  # A busy worker crashes when its present job has ended.
    first_mails_may_end.set()
    events.wait("the worker's restart", lambda: events.count(ActorRestarted) >= len(CRASHED))
    events.wait("the next mails", lambda: events.count(JobStarted, "SendMail") >= 2 * WORKERS)
    say(f"the first {WORKERS} mails have ended, the next {WORKERS} run. This is the tree of actors now:\n")
    print_tree(system.ask(GetTree()))
    all_mails_may_end.set()
    events.wait("all mails", lambda: events.count(JobSucceeded, "SendMail") >= MAILS)
    print(flush=True)
    say(f"all {MAILS} mails are sent")


def let_die_and_revive(system: SystemRef, events: Events) -> None:
    """Enqueue a job that fails until its retries are used up, then mend its cause and retry it by hand."""
    act(
        "3. A job fails for good, and a person retries it",
        "The bank does not answer. The first failure is ordinary and logged at INFO, which is not shown here.\n"
        "When the retries are used up there is one ERROR, with the line that runs the job again.",
    )
    job_id: str = system.ask(Enqueue(ChargeCard, {"card": "4711"}))
    events.wait("a death", lambda: events.count(JobDied) >= 1)
    info = system.ask(GetJob(job_id))
    say(f"job {info.id} is {info.state}, with its {info.failures} failures, and stays until somebody decides")
    bank_is_open.set()
    system.ask(RetryDead(job_id))
    events.wait("the charge", lambda: events.count(JobSucceeded, "ChargeCard") >= 1)
    say("the bank is open, RetryDead was sent, and the card is charged")
    system.drain(timeout=PATIENCE_S)
    events.wait("all pages", lambda: events.count(JobSucceeded, "write_report") >= REPORTS)


def account(system: SystemRef, events: Events) -> list[str]:
    """Print what became of the jobs, class by class, and return what is wrong with it."""
    expected = {"SendMail": (MAILS, 0, 0), "ChargeCard": (1, 1, 1), "write_report": (REPORTS, 0, 0)}
    queues = {queue.name: queue for queue in system.ask(GetStatus()).queues}
    wrong: list[str] = []
    print(f"{'job class':<14}{'enqueued':>10}{'runs':>6}{'retries':>9}{'deaths':>8}{'succeeded':>11}{'left':>6}")
    for name, (jobs, retries, deaths) in expected.items():
        runs = sum(what.split()[0] == name for what in begun)
        queue = queues[name]
        left = queue.ready + queue.waiting + queue.running + queue.dead
        got = (events.count(JobFailed, name), events.count(JobDied, name), events.count(JobSucceeded, name))
        print(f"{name:<14}{jobs:>10}{runs:>6}{got[0]:>9}{got[1]:>8}{got[2]:>11}{left:>6}", flush=True)
        if (runs, *got, left) != (jobs + retries + deaths, retries, deaths, jobs, 0):
            wrong.append(f"{name}: the numbers are not those of {jobs} jobs, {retries} retries and {deaths} deaths")
    return wrong


def judge(system: SystemRef, events: Events, errors: list[str]) -> list[str]:
    """Tell what happened and return what is wrong with it."""
    act(
        "4. The account",
        "Three witnesses: the jobs count their runs, the events tell of retries, deaths and successes, and the store\n"
        "says what is left. A lost job, a mail run twice or a page out of turn would show. The card has three runs:\n"
        "the first, its retry, and the one that a person asked for.\n",
    )
    wrong = account(system, events)
    wrong += [f"{what} ran {n} times" for what, n in Counter(begun).items() if n > 1 and "ChargeCard" not in what]
    if written != [f"{step} {page}" for page in range(REPORTS) for step in ("begin", "end")]:
        wrong.append(f"the pages were not written one after another: {', '.join(written)}")
    restarts = restarts_of(system.ask(GetTree()))
    if restarts != dict.fromkeys(CRASHED, 1):
        wrong.append(f"not exactly the two crashed actors were started again, once each: {restarts}")
    if len(errors) != 1 or "ChargeCard" not in errors[0]:
        wrong.append(f"there was not one ERROR, of the dead job, but {len(errors)}")
    return wrong


def main() -> int:
    """Play, judge, and return the exit code."""
    log = Log()
    logging.getLogger("exqueue").addHandler(log)
    with (
        tempfile.TemporaryDirectory() as folder,
        ExqueueSystem.start(
            os.environ.get("EXQUEUE_URL", f"sqlite:///{folder}/demo.db"), namespace=f"demo-{secrets.token_hex(6)}"
        ) as system,
    ):
        print(f"{system}\n$EXQUEUE_URL names another place: sqlite:///demo.db, redis://localhost")
        events = Events(system)
        try:
            enqueue(system)
            crash_two(system, events)
            let_die_and_revive(system, events)
            wrong = judge(system, events, log.errors)
        except TimeoutError as error:
            wrong = [str(error)]
        finally:
            first_mails_may_end.set()
            all_mails_may_end.set()
            events.ref.stop()
    print()
    for line in wrong:
        print("WRONG:", line)
    print("The demo found something wrong." if wrong else "Nothing was lost and nothing was done twice.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
