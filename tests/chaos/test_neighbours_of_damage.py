"""One damaged queue: it is said once and shown, and nothing else is held up by it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from exqueue import (
    DeleteAllDead,
    Enqueue,
    GetJob,
    GetTree,
    JobNotFound,
    ListJobs,
    RetryAllDead,
    StartWorker,
    StoreDamaged,
)
from exqueue.actors import listener
from exqueue.codec import Codec
from exqueue.persistence.redis.keys import queue_keys
from exqueue.record import encode_record
from tests.chaos.weather import lines, restarts, status_of, weather_in
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from exqueue import SystemRef

AT = queue_keys("default", "Damaged")

SWEEP_EVERY_S = 1.0
FOUND_WITHIN_S = SWEEP_EVERY_S + 1.5

FOREIGN = ["owner", "ready", "waiting", "running", "dead"]


class Damaged:
    """Its queue is not what it was."""

    def perform(self) -> None:
        """Do nothing."""


class Failing:
    """Dies at once."""

    max_retries = 0

    def perform(self) -> None:
        """Fail."""
        raise ValueError("as ever")


class Sound:
    """Its queue has nothing to do with the other's."""

    ran = 0

    def perform(self) -> None:
        """Count."""
        type(self).ran += 1


@pytest.fixture(autouse=True)
def _anew(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "exqueue")
    Sound.ran = 0


def overwrite(client: redis.Redis, role: str) -> None:
    """Make a key of the damaged queue one of another type."""
    key = getattr(AT, role)
    client.delete(key)
    client.set(key, "somebody else was here")


def hide_a_job(client: redis.Redis) -> None:
    """Store a job of the sound queue without waking anybody, as if the wake-up had been lost."""
    at = queue_keys("default", "Sound")
    client.hset(at.jobs, "hidden", encode_record("Sound", {}, 0.0, Codec()))
    client.lpush(at.ready, "hidden")


@pytest.mark.parametrize("role", FOREIGN)
def test_the_others_go_on_beside_a_damaged_queue(
    start: Callable[..., SystemRef], client: redis.Redis, role: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Their status is complete, their jobs are found, listed and revived, and no actor crashes."""
    system = start()
    for job in (Damaged, Failing, Sound):
        system.ask(StartWorker(job))
        system.ask(Enqueue(job))
    system.drain()
    dead = system.ask(ListJobs("dead", queue="Failing"))[0].id
    overwrite(client, role)

    status = eventually(lambda: next((one for one in [status_of(system)] if one.failed), None))
    assert status is not None
    assert [queue.name for queue in status.queues] == ["Damaged", "Failing", "Sound"]
    assert f":{role}'" in (queue_status(system, "Damaged").damage or "")
    assert [(queue.processed, queue.dead, queue.damage) for queue in status.queues[1:]] == [(0, 1, None), (1, 0, None)]
    assert status.outage_since is None
    assert any(f":{role}'" in sentence and "queue Damaged is damaged" in sentence for sentence in status.failed)

    assert system.ask(GetJob(dead)).state == "dead"
    assert [job.id for job in system.ask(ListJobs("dead", queue="Failing"))] == [dead]
    assert system.ask(RetryAllDead(queue="Failing")) == 1
    eventually(lambda: queue_status(system, "Failing").dead == 1)
    system.ask(Enqueue(Sound))
    eventually(lambda: Sound.ran == 2)
    assert restarts(system.ask(GetTree())) == 0
    assert weather_in(caplog) == []
    assert len(lines(caplog, logging.ERROR, "queue Damaged is damaged")) <= 1


def test_what_is_asked_of_all_queues_names_the_damaged_one(
    start: Callable[..., SystemRef], client: redis.Redis
) -> None:
    """At once, with the key and what to do; what could be done in the others is done, and told."""
    system = start()
    for job in (Damaged, Failing):
        system.ask(StartWorker(job))
        system.ask(Enqueue(job))
    system.drain()
    overwrite(client, "dead")
    named = r"queue Damaged is damaged: the key 'exqueue:\{default:Damaged\}:dead'.*remove or rename it"
    with pytest.raises(StoreDamaged, match=rf"name another queue with queue=.*{named}"):
        system.ask(ListJobs("dead"))
    with pytest.raises(StoreDamaged, match=rf"DeleteAllDead was carried out on 1 jobs.*{named}"):
        system.ask(DeleteAllDead())
    assert queue_status(system, "Failing").dead == 0
    with pytest.raises(JobNotFound):
        system.ask(GetJob("nowhere"))


def test_a_lost_wake_up_is_found_beside_a_damaged_queue(
    start: Callable[..., SystemRef],
    client: redis.Redis,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The common look at all queues finds it in time, and the damage is said once, and that it is over."""
    monkeypatch.setattr(listener, "SWEEP_EVERY_S", SWEEP_EVERY_S)
    system = start()
    for job in (Damaged, Sound):
        system.ask(StartWorker(job))
    eventually(lambda: status_of(system).is_leader)
    overwrite(client, "ready")
    eventually(lambda: lines(caplog, logging.ERROR, "queue Damaged is damaged"))
    hide_a_job(client)
    eventually(lambda: Sound.ran == 1, FOUND_WITHIN_S)
    assert len(lines(caplog, logging.ERROR, "The queue stands still until that is mended")) == 1
    client.delete(AT.ready)
    eventually(lambda: lines(caplog, logging.INFO, "queue Damaged is in order again"))
    eventually(lambda: status_of(system).failed == ())


def test_a_leader_claims_the_queues_behind_a_damaged_one(
    start: Callable[..., SystemRef], client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Of those that are started elsewhere: the damage is said, and the next queue is claimed all the same."""
    office = start()
    for name in ("Damaged", "Elsewhere"):
        office.ask(Enqueue(name, {}, queue=name))
    overwrite(client, "owner")
    system = start()
    system.ask(StartWorker(Sound))
    eventually(lambda: client.hget(queue_keys("default", "Elsewhere").owner, "epoch"))
    eventually(lambda: lines(caplog, logging.ERROR, "queue Damaged is damaged"))
    assert status_of(system).outage_since is None
