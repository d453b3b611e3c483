"""What a job is given may be anybody's secrets: it stands in the log at DEBUG only, and costs nothing without."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from exqueue import Enqueue, GetJob, JobInfo, ListJobs, StartWorker
from tests.system.helpers import eventually

if TYPE_CHECKING:
    import pytest

    from exqueue import SystemRef

SECRET = "tea-at-dawn"


class Quick:
    """Ends at once."""

    def perform(self, *, number: int) -> None:
        pass


class Mail:
    """Fails at each run."""

    queue = "outgoing"
    max_retries = 2
    backoff = 0.0

    def perform(self, *, to: str = "") -> None:
        raise ValueError("not sent")


class Late(Mail):
    """Is tried again in a long time."""

    queue = "late"
    backoff = 1_000.0


@dataclass(frozen=True, slots=True)
class Hostile:
    """An argument that counts how often it is to be made text, and refuses."""

    number: int
    shown: ClassVar[list[int]] = []

    def __repr__(self) -> str:
        self.shown.append(self.number)
        raise SystemExit(3)


class Takes:
    """Does nothing with its argument."""

    def perform(self, *, what: Hostile) -> None:
        pass


def said(caplog: pytest.LogCaptureFixture, job_id: str) -> list[tuple[int, str]]:
    """Level and text of each line about a job."""
    lines = [(record.levelno, record.getMessage()) for record in caplog.records]
    return [(level, text) for level, text in lines if job_id in text]


def is_dead(caplog: pytest.LogCaptureFixture, job_id: str) -> bool:
    """Whether its ERROR is written."""
    return logging.ERROR in [level for level, _ in said(caplog, job_id)]


def test_arguments_of_a_job_are_in_the_log_at_debug_only(system: SystemRef, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever becomes of it: success, retry, death, a class that is not started, arguments that do not fit.

    At DEBUG there is one line when it begins; an exception whose text has arguments is the user's own affair.
    """
    with caplog.at_level(logging.DEBUG, "exqueue"):
        for job in (Quick, Mail, Late):
            system.ask(StartWorker(job))
        fine = system.ask(Enqueue(Mail, {"to": SECRET}))
        ids = [
            system.ask(Enqueue(Late, {"to": SECRET})),
            system.ask(Enqueue("Mail", {"too": SECRET}, queue="outgoing")),
            system.ask(Enqueue("Quick", {"number": 1, "note": SECRET})),
            system.ask(Enqueue("Unknown", {"to": SECRET}, queue="late")),
            system.ask(Enqueue(Late, {"to": SECRET * 10_000})),
        ]
        eventually(lambda: all(said(caplog, one) for one in (fine, *ids)))
        eventually(lambda: len([info for info in system.ask(ListJobs("dead")) if info.queue == "outgoing"]) == 2)
        eventually(lambda: is_dead(caplog, ids[1]) and is_dead(caplog, fine))
    dead: JobInfo = system.ask(GetJob(fine))
    assert dead.kwargs == {"to": SECRET}
    with_secret = [record for record in caplog.records if SECRET in record.getMessage() + (record.exc_text or "")]
    assert {record.levelno for record in with_secret} == {logging.DEBUG}
    runs = [text for record in with_secret if fine in (text := record.getMessage())]
    arguments = {"to": SECRET}
    assert runs == [
        f"job {fine} (Mail, queue outgoing) begins attempt {attempt} on queues/outgoing/worker-1 with {arguments}"
        for attempt in (1, 2, 3)
    ]


def test_arguments_are_not_made_text_for_nothing(system: SystemRef, caplog: pytest.LogCaptureFixture) -> None:
    """Without DEBUG nobody calls their ``__repr__``."""
    Hostile.shown.clear()
    with caplog.at_level(logging.INFO, "exqueue"):
        system.ask(StartWorker(Takes))
        system.ask(Enqueue(Takes, {"what": Hostile(1)}))
        system.drain()
    assert Hostile.shown == []
    with caplog.at_level(logging.DEBUG, "exqueue"):
        job_id = system.ask(Enqueue(Takes, {"what": Hostile(2)}))
        eventually(lambda: said(caplog, job_id))
    assert said(caplog, job_id)[0][1].endswith("with (an argument's __repr__ raised)")
    assert Hostile.shown == [2]
