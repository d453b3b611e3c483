"""A job class that was renamed runs what is still stored under its old names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import exqueue
from exqueue import ConfigError, Enqueue, EnqueueMany, GetJob, GetTree, RetryDead, StartWorker, StopWorker
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    from exqueue import SystemRef


class Renamed:
    """Was called `SendMail`, and before that `Mail`; its queue is still the first one."""

    aliases = ("SendMail", "Mail")
    queue = "Mail"
    max_retries = 7

    def perform(self, *, to: str) -> None:
        if to == "nobody":
            raise ValueError("no such person")


def no_queue_is_worked(system: SystemRef) -> bool:
    """Whether the last started queue is stopped."""
    return not next(child for child in system.ask(GetTree()).children if child.name == "queues").children


def test_jobs_of_every_old_name_run(system: SystemRef) -> None:
    """Beside those of the new one, in the order in which they came."""
    seen: list[str] = []

    @exqueue.job(name="letter", aliases=["mail", "post"], queue="mail")
    def letter(to: str) -> None:
        seen.append(to)

    for name, to in (("mail", "a"), ("letter", "b"), ("post", "c")):
        system.ask(Enqueue(name, {"to": to}, queue="mail"))
    system.ask(Enqueue(letter, {"to": "d"}))
    system.ask(StartWorker(letter))
    system.drain()

    assert seen == ["a", "b", "c", "d"]
    assert queue_status(system, "mail").processed == 4


def test_an_old_job_is_shown_under_its_old_name_and_has_the_options_of_the_new(system: SystemRef) -> None:
    """`max_retries` too, which is that of the class that will run it."""
    system.ask(StartWorker(Renamed, max_retries=0))
    job_id = system.ask(Enqueue("SendMail", {"to": "nobody"}, queue="Mail"))
    eventually(lambda: system.ask(GetJob(job_id)).state == "dead")
    info = system.ask(GetJob(job_id))
    assert (info.job, info.queue, info.max_retries, info.failures) == ("SendMail", "Mail", 0, 1)
    assert info.errors[0].message == "no such person"


def test_a_job_of_an_old_name_is_known_once_the_class_has_its_alias(system: SystemRef) -> None:
    """Until then it fails as unknown, and the error says what to do."""

    class Before:
        queue = "Mail"
        max_retries = 0

        def perform(self) -> None:
            """Knows nothing of the old name."""

    # Unknown classes have the default of 25 retries: it waits after its first failure.
    job_id = system.ask(Enqueue("Mail", {"to": "a"}))
    system.ask(StartWorker(Before))
    eventually(lambda: system.ask(GetJob(job_id)).failures == 1)
    assert "aliases=" in system.ask(GetJob(job_id)).errors[0].message
    system.ask(StopWorker(Before))
    eventually(lambda: no_queue_is_worked(system))

    system.ask(StartWorker(Renamed))
    eventually(lambda: system.ask(GetJob(job_id)).max_retries == 7)


def test_a_class_renamed_with_its_queue_leaves_its_jobs_where_they_are(system: SystemRef) -> None:
    """Jobs stay in the queue in which they were stored, where nobody works; with the old queue they run."""
    seen: list[str] = []

    class SendPost:
        aliases = ("SendMail",)

        def perform(self, *, to: str) -> None:
            seen.append(to)

    system.ask(Enqueue("SendMail", {"to": "a"}))
    system.ask(StartWorker(SendPost))
    system.drain()
    status = queue_status(system, "SendMail")
    assert (status.ready, status.worked_by, seen) == (1, None, [])
    system.ask(StopWorker(SendPost))
    eventually(lambda: no_queue_is_worked(system))

    system.ask(StartWorker(type("SendPost", (SendPost,), {"aliases": ("SendMail",), "queue": "SendMail"})))
    system.drain()
    assert seen == ["a"]


def test_two_classes_cannot_have_one_alias(system: SystemRef) -> None:
    """Nobody could tell which is meant; an alias that is another one's name is the same case."""

    class Another:
        name = "Another"
        aliases = ("Mail",)

        def perform(self) -> None:
            """Never run here."""

    class Mail:
        def perform(self) -> None:
            """Never run here."""

    system.ask(StartWorker(Renamed))
    for job in (Another, Mail):
        with pytest.raises(ConfigError, match="two job classes are named Mail"):
            system.ask(StartWorker(job))


def test_a_stopped_class_takes_its_aliases_along(system: SystemRef) -> None:
    """Another class may then have them."""

    class Successor:
        aliases = ("Mail",)
        queue = "Mail"

        def perform(self, *, to: str) -> None:
            """Takes over."""

    system.ask(StartWorker(Renamed))
    system.ask(StopWorker(Renamed))
    eventually(lambda: no_queue_is_worked(system))
    system.ask(StartWorker(Successor))
    system.ask(EnqueueMany([Enqueue("Mail", {"to": "a"}), Enqueue(Successor, {"to": "b"})]))
    system.drain()
    assert queue_status(system, "Mail").processed == 2


def test_a_retried_job_keeps_its_old_name(system: SystemRef) -> None:
    """What is stored is not rewritten, so that a node of the version before could still run it."""
    system.ask(StartWorker(Renamed, max_retries=0))
    job_id = system.ask(Enqueue("SendMail", {"to": "nobody"}, queue="Mail"))
    eventually(lambda: system.ask(GetJob(job_id)).state == "dead")
    system.ask(RetryDead(job_id))
    eventually(lambda: len(system.ask(GetJob(job_id)).errors) == 2)
    assert system.ask(GetJob(job_id)).job == "SendMail"
