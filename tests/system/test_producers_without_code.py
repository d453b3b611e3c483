"""A program that enqueues by name needs nothing of the code of the jobs: here it is one that has none of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from exqueue import ConfigError, Enqueue, EnqueueMany, ExqueueSystem, GetJob, ListJobs, StartWorker
from tests.system.helpers import PATIENCE_S, eventually, queue_status

if TYPE_CHECKING:
    from exqueue import SystemRef

ROOT = Path(__file__).parents[2]

PRODUCER = """
import os, sys
from exqueue import *
with ExqueueSystem.start(os.environ["URL"], namespace=os.environ["NAMESPACE"], node="producer") as system:
    mail = system.ask(Enqueue("SendEmail", {"to": "ann", "parts": [1, (2, 3)]}, queue="mail"))
    print(mail)
    print(system.ask(Enqueue("Count", {"number": 1}, id="first", delay=0)))
    print(*system.ask(EnqueueMany([Enqueue("Count", {"number": 2}), Enqueue("Count", {"number": 3}, delay=3_600)])))
    system.tell(Enqueue("Count", {"number": 4}))
    info = system.ask(GetJob(mail))
    print(info.job, info.queue, info.state, info.max_retries, info.kwargs)
    print(system.ask(GetStatus()).leader)
print(*sorted(name for name in sys.modules if name.startswith("tests")))
"""


class Work:
    """The job classes that only the other program has, and what their jobs were given."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, Any]] = []
        self.counted: list[int] = []

    def jobs(self) -> tuple[type, type]:
        """`SendEmail` and `Count`."""
        work = self

        class SendEmail:
            queue = "mail"

            def perform(self, *, to: str, parts: Any) -> None:
                work.mails.append((to, parts))

        class Count:
            def perform(self, *, number: int) -> None:
                work.counted.append(number)

        return SendEmail, Count


@pytest.mark.parametrize("url", ["redis", "sqlite"], indirect=True)
def test_another_program_enqueues_by_name(system: SystemRef, url: str, namespace: str) -> None:
    """It gets its ids, sees what it has stored, never leads, and its jobs run here."""
    produced = subprocess.run(
        [sys.executable, "-c", PRODUCER],
        env=os.environ | {"URL": url, "NAMESPACE": namespace, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_S,
        check=False,
    )
    assert produced.returncode == 0, produced.stderr
    mail, first, many, shown, leader, modules = produced.stdout.splitlines()
    assert (first, leader, modules) == ("first", "None", "")
    assert shown == "SendEmail mail ready None {'to': 'ann', 'parts': [1, (2, 3)]}"

    assert system.ask(GetJob(mail)).state == "ready"
    work = Work()
    for job in work.jobs():
        system.ask(StartWorker(job))
    system.drain()
    assert work.mails == [("ann", [1, (2, 3)])]
    assert work.counted == [1, 2, 4]
    assert [one.id for one in system.ask(ListJobs("waiting"))] == [many.split()[1]]


def test_what_a_producer_gets_wrong_is_found_out_by_the_job(system: SystemRef, url: str, namespace: str) -> None:
    """It can't check the arguments: the job fails with the signature, and is not lost."""
    with ExqueueSystem.start(url, namespace=namespace) as producer:
        job_id = producer.ask(Enqueue("Count", {"nummer": 1}))
        _, count = Work().jobs()
        system.ask(StartWorker(count, max_retries=0))
        eventually(lambda: producer.ask(GetJob(job_id)).state == "dead")
        info = producer.ask(GetJob(job_id))
    assert "Count takes no 'nummer' and needs 'number'" in info.errors[0].message
    assert info.kwargs == {"nummer": 1}


def test_a_name_in_the_wrong_queue_waits_where_it_was_stored(system: SystemRef) -> None:
    """Without `queue=` it is the queue of the job's name; the status shows that nobody works it."""
    send_email, _ = Work().jobs()
    system.ask(StartWorker(send_email))
    job_id = system.ask(Enqueue("SendEmail", {"to": "ann", "parts": None}))
    system.drain()
    assert system.ask(GetJob(job_id)).queue == "SendEmail"
    assert (queue_status(system, "SendEmail").ready, queue_status(system, "SendEmail").worked_by) == (1, None)


@pytest.mark.parametrize(("name", "queue"), [("Send Email", None), ("", None), ("Send", "a/b"), ("é", None)])
def test_what_is_no_name_is_refused_at_once(name: str, queue: str | None) -> None:
    """Also inside of many; nothing was sent."""
    with pytest.raises(ConfigError, match="1 to 128 characters"):
        EnqueueMany([Enqueue("Fine"), Enqueue(name, queue=queue)])
