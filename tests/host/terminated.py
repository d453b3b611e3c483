"""A program that gets a SIGTERM at one call of its persistence: `python -m tests.host.terminated`.

``$POINT`` says which: a name out of `POINTS`, and ``before`` or ``after``. The call that is met there waits until the
stop has begun, so that it, or its answer, comes in the midst of it. What happens is noted in the file ``$NOTES``.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import exqueue.system
from exqueue import (
    AskTimeout,
    CancelJob,
    DeleteDead,
    Enqueue,
    ExqueueSystem,
    GetJob,
    GetStatus,
    ListJobs,
    PauseQueue,
    RetryDead,
    StartWorker,
    StopWorker,
    SystemStopped,
)
from exqueue.actors import listener, worker
from exqueue.execution import perform
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import Bury, Done, Recovered, Retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue import SystemRef
    from exqueue.persistence.base import Persistence, Session, Subscription

PATIENCE_S = 20.0
INTO_THE_STOP_S = 0.1
NOT_MET, NOT_STOPPED = 98, 99
"""Exit codes: the program came to its end without that call; the signal began no stop."""

let_go = threading.Event()


def note(*what: object) -> None:
    """Write a line into the notes, in one piece."""
    notes = os.open(os.environ["NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(notes, (" ".join(map(str, what)) + "\n").encode())
    os.close(notes)


def notes() -> list[str]:
    """What was noted by now."""
    file = Path(os.environ["NOTES"])
    return file.read_text().splitlines() if file.exists() else []


class Good:
    """Ends."""

    concurrency = 2

    def perform(self, *, number: int) -> None:
        """Note both."""
        note("begun", number)
        note("ended", number)


class Flaky:
    """Fails once."""

    max_retries = 1
    backoff = 0.0

    def perform(self, *, number: int) -> None:
        """Note which it was."""
        if f"failed {number}" not in notes():
            note("failed", number)
            raise ValueError("of the job")
        note("ended", number)


class Bad:
    """Fails always."""

    max_retries = 0

    def perform(self, *, number: int) -> None:
        """Note that it was tried."""
        note("tried", number)
        raise ValueError("of the job")


class Lost(Good):
    """The Worker crashes before the job begins, the first time."""

    concurrency = 1


class Held(Good):
    """Runs until some time after the stop has begun."""

    def perform(self, *, number: int) -> None:
        """Note both."""
        note("begun", number)
        let_go.wait(PATIENCE_S)
        threading.Event().wait(INTO_THE_STOP_S)
        note("ended", number)


JOBS = (Held, Good, Flaky, Bad, Lost)
ENQUEUED = {70: "Held", 0: "Good", 1: "Good", 2: "Good", 3: "Good", 10: "Flaky", 20: "Bad", 21: "Bad", 30: "Lost"}
"""The jobs that are enqueued by ``ask``, by their numbers, in their order."""

TOLD = range(50, 60)
"""Those that are told before."""


def settles(kind: type) -> Callable[..., bool]:
    """Whether an exchange settles a run so."""
    return lambda *args, **_: any(isinstance(one, kind) for one in args[4])


def always(*_: object, **__: object) -> bool:
    """Any call."""
    return True


POINTS: dict[str, tuple[str, Callable[..., bool]]] = {
    "acquire": ("acquire", always),
    "renew": ("renew", always),
    "release": ("release", always),
    "recover": ("claim", lambda queue, _fence, seat: (queue, seat) == ("Good", 0)),
    "claim": ("claim", lambda _queue, _fence, seat: seat > 0),
    "fetch": ("exchange", lambda *args, **_: args[5] > 0 and not args[4]),
    "settle Done": ("exchange", settles(Done)),
    "settle Retry": ("exchange", settles(Retry)),
    "settle Bury": ("exchange", settles(Bury)),
    "settle Recovered": ("exchange", settles(Recovered)),
    "sweep": ("sweep", always),
    "beat": ("beat", always),
    "push": ("push", always),
    "retry_dead": ("retry_dead", always),
    "delete_dead": ("delete_dead", always),
    "cancel": ("cancel", always),
    "set_paused": ("set_paused", always),
    "overview": ("overview", always),
    "list_jobs": ("list_jobs", always),
    "get_jobs": ("get_jobs", always),
}
"""The name of each point: a verb of the session, and which of its calls."""


class Point:
    """Where the signal comes."""

    def __init__(self, name: str, when: str) -> None:
        self.verb, self._is_it = POINTS[name]
        self._when = when
        self._once = threading.Lock()
        self.armed = threading.Event()
        self.met = threading.Event()
        self.stopping = threading.Event()

    def call(self, verb: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call the verb, with the signal before or after it."""
        is_here = self.armed.is_set() and self._is_it(*args, **options) and self._once.acquire(blocking=False)
        if is_here and self._when == "before":
            self._terminate()
        answer = verb(*args, **options)
        if is_here and self._when == "after":
            self._terminate()
        return answer

    def _terminate(self) -> None:
        os.write(1, b"met\n")
        self.met.set()
        os.kill(os.getpid(), signal.SIGTERM)
        if not self.stopping.wait(PATIENCE_S):
            os._exit(NOT_STOPPED)


class WatchedSession:
    """A session in which one verb meets the point."""

    def __init__(self, session: Session, point: Point) -> None:
        self._session = session
        self._point = point

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._session, name)
        if name != self._point.verb:
            return verb
        return lambda *args, **options: self._point.call(verb, *args, **options)


class WatchedPersistence:
    """Hands out such sessions."""

    def __init__(self, persistence: Persistence, point: Point) -> None:
        self._persistence = persistence
        self._point = point
        self.address = persistence.address
        self.namespace = persistence.namespace

    def session(self, *, timeout: float, pooled: bool = False) -> Any:
        """Open one."""
        return WatchedSession(self._persistence.session(timeout=timeout, pooled=pooled), self._point)

    def subscribe(self, token: str, *, timeout: float) -> Subscription:
        """As the persistence does."""
        return self._persistence.subscribe(token, timeout=timeout)

    def close(self) -> None:
        """As the persistence does."""
        self._persistence.close()


def await_true(condition: Callable[[], object]) -> None:
    """Wait for something that comes at once."""
    deadline = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            os._exit(NOT_MET)
        pause.wait(0.005)


def await_quiet(system: SystemRef) -> None:
    """Wait until nothing is ready, running or due but what is held."""

    def is_quiet() -> bool:
        queues = [queue for queue in system.ask(GetStatus()).queues if queue.name != "Held"]
        return not any(queue.ready or queue.running or (queue.waiting and queue.name != "Good") for queue in queues)

    await_true(is_quiet)


def use(system: SystemRef) -> None:
    """Do with the system all that people do; note what is answered."""
    for job in JOBS:
        system.ask(StartWorker(job))
    ids = {}
    for number in TOLD:
        system.tell(Enqueue(Good, {"number": number}))
        note("stored", number)
    for number, name in ENQUEUED.items():
        ids[number] = system.ask(Enqueue(name, {"number": number}))
        note("stored", number)
    ids[40] = system.ask(Enqueue(Good, {"number": 40}, delay=600.0))
    note("stored", 40)
    await_quiet(system)
    system.ask(RetryDead(ids[20]))
    note("retried", 20)
    system.ask(DeleteDead(ids[21]))
    note("deleted", 21)
    system.ask(GetJob(ids[40]))
    system.ask(CancelJob(ids[40]))
    note("cancelled", 40)
    system.ask(ListJobs("dead"))
    await_quiet(system)
    system.ask(PauseQueue("Lost"))
    note("paused", "Lost")


def live(system: SystemRef, point: Point, own_handler: Any) -> None:
    """Use the system once `run` listens, then leave nothing started, so that the lock is given back."""
    await_true(lambda: signal.getsignal(signal.SIGTERM) is not own_handler)
    point.armed.set()
    try:
        use(system)
        if point.verb in ("renew", "sweep", "beat"):
            await_true(point.met.is_set)
        let_go.set()
        for job in JOBS:
            system.ask(StopWorker(job))
        await_true(point.met.is_set)
    except (SystemStopped, AskTimeout) as refused:
        note("refused", type(refused).__name__)


def main() -> None:
    """Start a system whose persistence is watched, and run it until the signal."""
    point = Point(*os.environ["POINT"].rsplit(" ", 1))

    def open_watched(url: str, *, namespace: str) -> Any:
        return WatchedPersistence(open_persistence(url, namespace=namespace), point)

    def crash_once(run: Any, workshop: Any) -> Any:
        if run.queue == "Lost" and "crashed" not in notes():
            note("crashed")
            raise RuntimeError("crashes on purpose")
        return perform(run, workshop)

    vars(exqueue.system)["open_persistence"] = open_watched
    vars(worker)["perform"] = crash_once
    listener.SWEEP_EVERY_S = 0.3
    own_handler = signal.getsignal(signal.SIGTERM)
    system = ExqueueSystem.start(
        os.environ["URL"], namespace=os.environ["NAMESPACE"], node="program", lock_ttl=3, ask_timeout=5
    )
    stop = system.stop

    def stop_and_tell() -> bool:
        stop(block=False)
        point.stopping.set()
        let_go.set()
        return stop()

    system.stop = stop_and_tell  # type: ignore[method-assign, assignment]
    living = threading.Thread(target=live, args=(system, point, own_handler))
    living.start()
    system.run()
    living.join(PATIENCE_S)
    note("over", living.is_alive())


if __name__ == "__main__":
    main()
