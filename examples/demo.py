"""Exqueue at work: three job classes, a retry, a death, a retry by hand, two crashes. Run it: `make demo`.

It uses the persistence of $EXQUEUE_URL (memory without it), in a namespace of its own, checks what it saw, and exits
with 1 when that is wrong.
"""

import asyncio
import logging
import secrets
import sys
import threading
from collections import Counter
from collections.abc import Callable

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

gate = threading.Event()  # while it is closed, the mails that have begun wait
bank_is_open = threading.Event()
begun = Counter[str]()  # "SendMail 7" -> how often its code was begun
begun_lock = threading.Lock()


def begin(what: str) -> None:
    """Count one run of a job."""
    with begun_lock:
        begun[what] += 1


class SendMail:
    """A plain class with `perform`: all that a job needs."""

    def perform(self, *, number: int) -> None:
        """Wait for the gate, so that the crashes come while jobs run."""
        begin(f"SendMail {number}")
        if not gate.wait(PATIENCE_S):
            raise TimeoutError("the gate did not open")


class ChargeCard(Job):
    """A job with options: one retry, after 0.2 s."""

    max_retries = 1
    backoff = 0.2

    def perform(self, *, card: str) -> None:
        """Fail until the bank is open."""
        begin(f"ChargeCard {card}")
        if not bank_is_open.is_set():
            raise ConnectionError("the bank does not answer")


@job(serial=True)
async def write_report(*, page: int) -> None:
    """Write a page: each only after the one before."""
    begin(f"write_report {page}")
    await asyncio.sleep(0)


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

    def of(self, kind: type) -> list[object]:
        """All events of a type until now."""
        with self._changed:
            return [event for event in self._seen if isinstance(event, kind)]

    def wait(self, what: str, is_true: Callable[[], bool]) -> None:
        """Wait until a condition on events holds.

        Raises:
            TimeoutError: it does not hold within `PATIENCE_S`.
        """
        with self._changed:
            if not self._changed.wait_for(is_true, PATIENCE_S):
                raise TimeoutError(f"waited {PATIENCE_S:g} s in vain: {what}")

    def count(self, kind: type, name: str | None = None) -> int:
        """How many events of a type there were, of one job class or of all."""
        return sum(name is None or getattr(event, "job", None) == name for event in self.of(kind))


def say(text: str) -> None:
    """Print a heading."""
    print(f"\n--- {text}", flush=True)


def print_tree(actor: ActorInfo, depth: int = 0) -> None:
    """Print an actor and all below it."""
    notes = f"restarts {actor.restarts}" if actor.restarts else ""
    doing = f"[{actor.doing}]" if actor.doing else ""
    print(f"{'    ' * depth + actor.name:<34} {actor.role:<16} {notes:<11} {doing}".rstrip(), flush=True)
    for child in actor.children:
        print_tree(child, depth + 1)


def find(actor: ActorInfo, name: str) -> ActorInfo:
    """Return the actor of this path."""
    if actor.name == name:
        return actor
    return next(
        found
        for child in actor.children
        if name == child.name or name.startswith(child.name + "/")
        for found in [find(child, name)]
    )


def play(system: SystemRef, events: Events) -> str:
    """Run the jobs and the crashes, and return the id of the job that died."""
    say("three job classes get their workers")
    for message in (StartWorker(SendMail, concurrency=WORKERS), StartWorker(ChargeCard), StartWorker(write_report)):
        print("queue", system.ask(message))
    system.ask(EnqueueMany(Enqueue(SendMail, {"number": number}) for number in range(MAILS)))
    system.ask(EnqueueMany(Enqueue(write_report, {"page": page}) for page in range(REPORTS)))

    say("a worker and the fetcher crash while jobs run")
    events.wait("all mail workers busy", lambda: events.count(JobStarted, "SendMail") >= WORKERS)
    crash(system, "queues/SendMail/worker-1")
    crash(system, "queues/SendMail/fetcher")
    events.wait("the fetcher's restart", lambda: events.count(ActorRestarted) >= 1)
    gate.set()
    events.wait("the worker's restart", lambda: events.count(ActorRestarted) >= 2)  # noqa: PLR2004 - one each
    events.wait("all mails", lambda: events.count(JobSucceeded, "SendMail") >= MAILS)

    say("a job fails, is retried, and dies with its one ERROR")
    job_id: str = system.ask(Enqueue(ChargeCard, {"card": "4711"}))
    events.wait("a death", lambda: events.count(JobDied) >= 1)
    info = system.ask(GetJob(job_id))
    print(f"job {info.id} is {info.state} after {info.failures} failures: {info.errors[-1].message}")

    say("the tree: the path, the role, the restarts")
    print_tree(system.ask(GetTree()))

    say(f"the bank opens; RetryDead({job_id!r})")
    bank_is_open.set()
    system.ask(RetryDead(job_id))
    events.wait("the charge", lambda: events.count(JobSucceeded, "ChargeCard") >= 1)
    system.drain(timeout=PATIENCE_S)
    events.wait("all reports", lambda: events.count(JobSucceeded, "write_report") >= REPORTS)
    return job_id


def judge(system: SystemRef, events: Events) -> list[str]:
    """Print what happened and return what is wrong with it."""
    say("what happened")
    expected = {"SendMail": (MAILS, 0, 0), "ChargeCard": (1, 1, 1), "write_report": (REPORTS, 0, 0)}
    queues = {queue.name: queue for queue in system.ask(GetStatus()).queues}
    wrong: list[str] = []
    print(f"{'job class':<14}{'enqueued':>10}{'runs':>6}{'retries':>9}{'deaths':>8}{'succeeded':>11}{'left':>6}")
    for name, (jobs, retries, deaths) in expected.items():
        runs = sum(count for what, count in begun.items() if what.split()[0] == name)
        queue = queues[name]
        left = queue.ready + queue.waiting + queue.running + queue.dead
        got = (events.count(JobFailed, name), events.count(JobDied, name), events.count(JobSucceeded, name))
        print(f"{name:<14}{jobs:>10}{runs:>6}{got[0]:>9}{got[1]:>8}{got[2]:>11}{left:>6}")
        if (runs, *got, left) != (jobs + retries + deaths, retries, deaths, jobs, 0):
            wrong.append(f"{name}: a job was lost or repeated")
    wrong += [f"{what} ran {n} times" for what, n in begun.items() if n != 1 and not what.startswith("ChargeCard")]
    tree = system.ask(GetTree())
    for path in ("queues/SendMail/worker-1", "queues/SendMail/fetcher"):
        if find(tree, path).restarts != 1:
            wrong.append(f"{path} was not restarted exactly once")
    return wrong


def main() -> int:
    """Play, judge, and return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stdout)
    with ExqueueSystem.start(namespace=f"demo-{secrets.token_hex(6)}") as system:
        print(system)
        events = Events(system)
        try:
            play(system, events)
            wrong = judge(system, events)
        except TimeoutError as error:
            wrong = [str(error)]
        finally:
            gate.set()
            events.ref.stop()
    for line in wrong:
        print("WRONG:", line)
    print("\nThe demo found something wrong." if wrong else "\nNothing was lost, nothing was repeated.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
