"""A stored job whose id is no UTF-8, which no Exqueue would store: it is buried, and is in nobody's way."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import redis

from exqueue import DeleteDead, Enqueue, GetJob, GetTree, JobInfo, ListJobs, RetryDead, StartWorker, SystemRef
from exqueue.errors import JobNotFound
from exqueue.persistence.redis.keys import namespace_keys
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import NewJob, Push
from exqueue.testing import crash
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    from pathlib import Path

    from exqueue import ActorInfo

ID = "\udcff bad"


class Sound:
    def perform(self, *, number: int) -> None:
        pass


def put(url: str, namespace: str) -> None:
    """Store a job of that id whose record is sound."""
    persistence = open_persistence(url, namespace=namespace)
    session = persistence.session(timeout=5.0)
    with_record = session.list_jobs("Sound", "ready", 1, 0)[0].record
    assert session.push("raw", [Push("Sound", 1, (NewJob(ID, with_record),))]) == (None,)
    session.close()
    persistence.close()


def restarts(info: ActorInfo) -> int:
    """Of all actors of the tree."""
    return info.restarts + sum(map(restarts, info.children))


@pytest.mark.parametrize("serial", [False, True])
def test_it_is_dead_at_once_and_can_be_deleted(
    system: SystemRef, url: str, namespace: str, tmp_path: Path, serial: bool
) -> None:
    """With its reason, in a log of any encoding too; the jobs before and behind it are run, and no actor crashes."""
    handler = logging.FileHandler(tmp_path / "log", encoding="utf-8", errors="strict")
    logging.getLogger("exqueue").addHandler(handler)
    try:
        system.ask(Enqueue(Sound, {"number": 0}))
        put(url, namespace)
        for number in range(1, 5):
            system.ask(Enqueue(Sound, {"number": number}))
        system.ask(StartWorker(Sound, serial=serial))
        (dead,) = eventually(lambda: system.ask(ListJobs("dead")))
        info: JobInfo = system.ask(GetJob(ID))
        assert dead == info
        assert (info.id, info.job, info.kwargs, info.failures) == (ID, "Sound", {"number": 0}, 0)
        eventually(lambda: "is no UTF-8" in (tmp_path / "log").read_text())
    finally:
        logging.getLogger("exqueue").removeHandler(handler)
        handler.close()
    assert r"job \udcff bad (Sound, queue Sound) is dead" in (tmp_path / "log").read_text()
    system.ask(RetryDead(ID))
    eventually(lambda: system.ask(ListJobs("dead")))
    assert queue_status(system, "Sound").halted_by == (ID if serial else None)
    system.ask(DeleteDead(ID))
    system.drain()
    assert queue_status(system, "Sound").processed == 5
    assert restarts(system.ask(GetTree())) == 0


def test_what_no_store_has_is_not_found(system: SystemRef) -> None:
    """Whoever asks for an id that is no text is answered, whatever the store."""
    system.ask(Enqueue(Sound, {"number": 0}))
    with pytest.raises(JobNotFound):
        system.ask(GetJob(ID))
    with pytest.raises(JobNotFound):
        system.ask(DeleteDead(ID, queue="Sound"))
    assert restarts(system.ask(GetTree())) == 0


@pytest.mark.parametrize("url", ["redis"], indirect=True)
def test_a_queue_whose_name_is_no_text_harms_no_other(
    system: SystemRef, url: str, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Jobs are run and the status is told; whoever listens anew says what stands there."""
    with redis.Redis.from_url(url) as client:
        client.sadd(namespace_keys(namespace).queues, b"\xff")
        system.ask(StartWorker(Sound))
        system.ask(Enqueue(Sound, {"number": 1}))
        system.drain()
        assert queue_status(system, "Sound").processed == 1
        assert restarts(system.ask(GetTree())) == 0
    crash(system, "listener")
    eventually(lambda: [one for one in caplog.records if repr(b"\xff") in one.getMessage()])
