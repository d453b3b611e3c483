"""The log as a host program meets it: what is said of failures and deaths, and handlers that block or raise."""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING, ClassVar

import pytest

from exqueue import (
    ActorInfo,
    DeleteDead,
    Enqueue,
    EnqueueMany,
    ExqueueSystem,
    GetJob,
    GetStatus,
    GetTree,
    JobNotFound,
    ListJobs,
    RetryDead,
    StartWorker,
    StopWorker,
)
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import NewJob, Push
from exqueue.record import MAX_TRACEBACK
from exqueue.testing import crash
from tests.system.helpers import PATIENCE_S, eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef


class Quick:
    """Notes that it ran."""

    ran: ClassVar[list[int]] = []

    def perform(self, *, number: int) -> None:
        type(self).ran.append(number)


class Mail:
    """Fails at each run, with the number of the run."""

    queue = "outgoing"
    max_retries = 2
    backoff = 0.0
    runs: ClassVar[list[str]] = []
    is_mended: ClassVar[bool] = False

    def perform(self, *, to: str = "") -> None:
        type(self).runs.append(to)
        if not type(self).is_mended:
            raise ValueError(f"run {len(type(self).runs)}")


class Late(Mail):
    """Is tried again in a long time."""

    queue = "late"
    backoff = 1_000.0


@pytest.fixture(autouse=True)
def fresh() -> None:
    """No test sees the runs of another."""
    Quick.ran.clear()
    Mail.runs.clear()
    Mail.is_mended = False


class Blocking(logging.Handler):
    """A handler that hangs at the first line with this word, until it is let go; notes what it was given."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self._word = word
        self._let_go = threading.Event()
        self.hangs = threading.Event()
        self.lines: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record)
        if self._word in record.getMessage():
            self.hangs.set()
            assert self._let_go.wait(3 * PATIENCE_S)

    def let_go(self) -> None:
        """Go on."""
        self._let_go.set()


class Raising(logging.Handler):
    """A handler that raises instead of keeping its errors to itself."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        raise ConnectionError("the log server is gone")


@pytest.fixture
def listening() -> Iterator[logging.Logger]:
    """The logger of the library with all of its lines, and its handlers as before at the end."""
    logger = logging.getLogger("exqueue")
    level, handlers = logger.level, logger.handlers[:]
    logger.setLevel(logging.DEBUG)
    yield logger
    logger.setLevel(level)
    logger.handlers[:] = handlers


@pytest.fixture
def blocking(system: SystemRef, listening: logging.Logger) -> Iterator[Blocking]:
    """The handler hangs at the first line about a failed job; let go at the end. The system leads already."""
    for job in (Quick, Mail, Late):
        system.ask(StartWorker(job))
    system.ask(Enqueue(Quick, {"number": -1}))
    system.drain()
    handler = Blocking("failed")
    handler.setLevel(logging.INFO)
    listening.addHandler(handler)
    yield handler
    handler.let_go()


def said(caplog: pytest.LogCaptureFixture, job_id: str) -> list[tuple[int, str]]:
    """Level and text of each line about a job."""
    lines = [(record.levelno, record.getMessage()) for record in caplog.records]
    return [(level, text) for level, text in lines if job_id in text]


def restarts(info: ActorInfo) -> dict[str, int]:
    """Which actors were started again, and how often."""
    found = {info.name: info.restarts} if info.restarts else {}
    for child in info.children:
        found.update(restarts(child))
    return found


# -- handlers that block
def test_a_handler_that_blocks_delays_no_job(system: SystemRef, blocking: Blocking) -> None:
    """While the Reporter hangs in it jobs are stored, run, retried, settled and buried; what is left unsaid is said."""
    system.ask(Enqueue(Late))
    assert blocking.hangs.wait(PATIENCE_S)
    Quick.ran.clear()
    ids = system.ask(EnqueueMany(Enqueue(Mail) for _ in range(10)))
    system.ask(EnqueueMany(Enqueue(Quick, {"number": number}) for number in range(100)))
    system.drain()

    assert Quick.ran == list(range(100))
    status = queue_status(system, "outgoing")
    assert (status.dead, status.failed, status.running) == (10, 30, 0)
    assert system.ask(StopWorker(Quick)) == "Quick"
    assert len(blocking.lines) == 1

    blocking.let_go()
    dead = eventually(lambda: deaths(blocking, 10))
    assert [text.split()[1] for text in dead] == ids


def test_a_handler_that_blocks_delays_no_queue_with_a_warning(
    system: SystemRef, blocking: Blocking, url: str, namespace: str
) -> None:
    """What there is to say of a job that has to wait for a newer version holds up none behind it."""
    system.ask(Enqueue(Late))
    assert blocking.hangs.wait(PATIENCE_S)
    Quick.ran.clear()
    persistence = open_persistence(url, namespace=namespace)
    session = persistence.session(timeout=PATIENCE_S)
    assert session.push("raw", [Push("Quick", 1, (NewJob("newer", b"\x63of the future"),))]) == (None,)
    session.close()
    persistence.close()
    system.ask(EnqueueMany(Enqueue(Quick, {"number": number}) for number in range(10)))
    system.drain()
    assert Quick.ran == list(range(10))
    blocking.let_go()
    eventually(lambda: [one for one in blocking.lines if "newer Exqueue" in one.getMessage()])


def deaths(handler: Blocking, count: int) -> list[str]:
    """The lines at ERROR, once there are so many."""
    found = [record.getMessage() for record in handler.lines if record.levelno == logging.ERROR]
    return found if len(found) >= count else []


def test_a_death_is_said_once_although_the_reporter_crashes_before(system: SystemRef, blocking: Blocking) -> None:
    """It stands on the board until it is said: the next Reporter finds it there."""
    system.ask(Enqueue(Late))
    assert blocking.hangs.wait(PATIENCE_S)
    crash(system, "reporter")
    job_id = system.ask(Enqueue(Mail))
    system.drain()
    assert system.ask(GetJob(job_id)).state == "dead"
    assert deaths(blocking, 1) == []

    blocking.let_go()
    eventually(lambda: deaths(blocking, 1))
    other = system.ask(Enqueue(Mail))
    lines = eventually(lambda: deaths(blocking, 2))
    assert [text.split()[1] for text in lines] == [job_id, other]
    assert restarts(system.ask(GetTree())) == {"reporter": 1}


def test_a_stop_says_the_deaths_that_are_left(system: SystemRef, blocking: Blocking, url: str, namespace: str) -> None:
    """A system that stops while the Reporter hangs gives the lock back all the same, and leaves no death unsaid."""
    with ExqueueSystem.start(url, namespace=namespace) as other:
        system.ask(Enqueue(Late))
        assert blocking.hangs.wait(PATIENCE_S)
        job_id = system.ask(Enqueue(Mail))
        system.drain()
        system.stop(block=False)
        # All others have ended: the Reporter is being told to stop, ahead of what waits in its inbox.
        eventually(lambda: system.urn_of("producer") is None)
        assert other.ask(GetStatus()).leader is None
        assert system.is_alive()
        blocking.let_go()
        eventually(lambda: not system.is_alive())
        assert [text.split()[1] for text in deaths(blocking, 1)] == [job_id]


# -- handlers that raise
def test_fault_031_a_handler_that_raises_harms_nothing(
    system: SystemRef, listening: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """No actor crashes of it, however often; the lines go to the standard error with what was raised."""
    handler = Raising()
    listening.addHandler(handler)
    for job in (Quick, Mail):
        system.ask(StartWorker(job))
    ids = system.ask(EnqueueMany(Enqueue(Mail) for _ in range(10)))
    system.ask(EnqueueMany(Enqueue(Quick, {"number": number}) for number in range(10)))
    system.drain()
    # 20 retries, 10 deaths, and that this node leads.
    eventually(lambda: handler.count >= 31)

    assert Quick.ran == list(range(10))
    assert queue_status(system, "outgoing").dead == 10
    assert restarts(system.ask(GetTree())) == {}
    # What is logged meanwhile would be counted before it is written.
    system.stop()
    written = capsys.readouterr().err
    assert written.count("ConnectionError: the log server is gone") == handler.count
    for job_id in ids:
        assert written.count(f"ERROR (a log handler failed): job {job_id} (Mail, queue outgoing) is dead") == 1


def test_a_handler_that_raises_does_not_stop_a_restart(
    system: SystemRef, listening: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """A supervisor that says what crashed goes on supervising."""
    listening.addHandler(Raising())
    system.ask(StartWorker(Quick))
    for path in ("queues/Quick/fetcher", "leader", "reporter"):
        crash(system, path)
    eventually(lambda: restarts(system.ask(GetTree())) == {"queues/Quick/fetcher": 1, "leader": 1, "reporter": 1})
    system.ask(Enqueue(Quick, {"number": 1}))
    system.drain()
    assert Quick.ran == [1]
    assert "fetcher crashed" in capsys.readouterr().err


# -- what is said
def test_a_retry_is_one_line_at_info(system: SystemRef, caplog: pytest.LogCaptureFixture) -> None:
    """Which job, which attempt, when again, and what it raised; without a traceback."""
    with caplog.at_level(logging.INFO, "exqueue"):
        system.ask(StartWorker(Late))
        first = system.ask(Enqueue(Late))
        eventually(lambda: said(caplog, first))
        # What is said of a second job comes after all that is said of the first.
        second = system.ask(Enqueue(Late))
        eventually(lambda: said(caplog, second))
    line = f"job {first} (Late, queue late) failed at attempt 1, tried again in 1000.0 s: ValueError: run 1"
    assert said(caplog, first) == [(logging.INFO, line)]


def test_a_success_is_not_said(system: SystemRef, caplog: pytest.LogCaptureFixture) -> None:
    """A busy queue does not fill the log."""
    with caplog.at_level(logging.INFO, "exqueue"):
        system.ask(StartWorker(Quick))
        ids = system.ask(EnqueueMany(Enqueue(Quick, {"number": number}) for number in range(10)))
        system.drain()
    assert [line for job_id in ids for line in said(caplog, job_id)] == []


def test_the_line_of_a_death_revives_the_job(system: SystemRef, caplog: pytest.LogCaptureFixture) -> None:
    """As it stands in the log, with only the names of this library and `system` known; so does the one that deletes."""
    system.ask(StartWorker(Mail))
    revived, deleted = (system.ask(Enqueue(Mail, {"to": to})) for to in ("a", "b"))
    eventually(lambda: error_of(caplog, revived) and error_of(caplog, deleted))
    Mail.is_mended = True
    Mail.runs.clear()

    run(command("To run it again: ", error_of(caplog, revived)), system)
    run(command("to delete it: ", error_of(caplog, deleted)), system)
    system.drain()
    assert Mail.runs == ["a"]
    assert system.ask(ListJobs("dead")) == ()
    for one in (revived, deleted):
        with pytest.raises(JobNotFound):
            system.ask(GetJob(one))


def error_of(caplog: pytest.LogCaptureFixture, job_id: str) -> str:
    """The line at ERROR about this job; empty while there is none."""
    return next((text for level, text in said(caplog, job_id) if level == logging.ERROR), "")


def command(label: str, text: str) -> str:
    """What stands behind the label, up to the end of the line or the semicolon."""
    found = re.search(re.escape(label) + r"([^;\n]+)", text)
    assert found is not None
    return found.group(1)


def run(line: str, system: SystemRef) -> None:
    """Run a line as at a prompt."""
    exec(line, {"system": system, "RetryDead": RetryDead, "DeleteDead": DeleteDead})  # noqa: S102 - it is what is tested


def test_a_death_tells_the_last_error(system: SystemRef, caplog: pytest.LogCaptureFixture) -> None:
    """One line at ERROR: id, class, queue, attempts, the traceback of the last attempt and of no other."""
    system.ask(StartWorker(Mail))
    job_id = system.ask(Enqueue(Mail))
    text = eventually(lambda: error_of(caplog, job_id))
    system.ask(Enqueue(Mail))
    eventually(lambda: len([record for record in caplog.records if record.levelno == logging.ERROR]) == 2)

    assert len([level for level, _ in said(caplog, job_id) if level >= logging.WARNING]) == 1
    first_line, *traceback = text.splitlines()
    assert first_line == (
        f"job {job_id} (Mail, queue outgoing) is dead after 3 failed attempts: "
        "it failed 3 times: all of its retries are used up."
    )
    assert traceback[0] == "Traceback (most recent call last):"
    assert traceback[-2] == "ValueError: run 3"
    assert "run 1" not in text


class Unspeakable(Exception):
    """Can't be made text, in whatever way."""

    def __str__(self) -> str:
        raise SystemExit(3)

    __repr__ = __str__


class Hostile:
    """Raises what is hard to report."""

    max_retries = 0

    def perform(self, *, how: str) -> None:
        if how == "unspeakable":
            raise Unspeakable
        if how == "long":
            raise ValueError("x" * 5_000_000 + " the end")
        self.descend(400)

    def descend(self, depth: int) -> None:
        """Raise from far below, by frames that do not repeat."""
        if depth == 0:
            raise ValueError("the bottom")
        exec(f"self.descend({depth} - 1)", {"self": self})  # noqa: S102 - so that Python does not fold the lines


@pytest.mark.parametrize(
    ("how", "end"),
    [
        ("unspeakable", "tests.system.test_reporter.Unspeakable: <exception str() failed>"),
        ("long", "x the end"),
        ("deep", "ValueError: the bottom"),
    ],
)
def test_whatever_a_job_raises_its_death_is_one_line(
    system: SystemRef, caplog: pytest.LogCaptureFixture, how: str, end: str
) -> None:
    """Of bounded size: what is too long loses its middle, never its end; what is no text is named by its type."""
    system.ask(StartWorker(Hostile))
    job_id = system.ask(Enqueue(Hostile, {"how": how}))
    text = eventually(lambda: error_of(caplog, job_id))
    traceback, _, commands = text.rpartition("\n")
    assert traceback.endswith(end)
    assert commands.startswith("To run it again: ")
    assert len(text) < MAX_TRACEBACK + 1_000
    assert ("characters cut" in text) == (how != "unspeakable")
    assert len([level for level, _ in said(caplog, job_id) if level >= logging.WARNING]) == 1
    assert restarts(system.ask(GetTree())) == {}
