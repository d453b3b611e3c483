"""What any version has stored is read, shown, run and settled for ever; and what is stored today is what was agreed."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import redis

from exqueue import ExqueueSystem, ListJobs, ResumeQueue, RetryAllDead, StartWorker
from exqueue.codec import Codec, default_codec
from exqueue.persistence.redis import RedisPersistence
from exqueue.persistence.redis.dialing import dialer
from exqueue.persistence.sqlite import SqlitePersistence
from exqueue.persistence.sqlite.host_time import HostTime
from exqueue.persistence.values import Done, Fence, Leave
from exqueue.record import decode_record, decode_trail, encode_record
from tests.compared.server_time import ServerTime
from tests.compared.stores import HandClock
from tests.golden import snapshots
from tests.golden.write import BOOT, HERE, TIMEOUT_S, content_of, files_of_today
from tests.servers import real_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from exqueue.persistence.base import Session

VERSIONS = sorted((path.parent.name for path in HERE.glob("*/content.py")), key=lambda name: int(name[1:]))
STORES = ("redis", "sqlite")
QUEUES = ("Mail", "Paused", "Serial")
WHAT_TO_DO = """
What is stored today in {name} is not what {version} has. If the format was not meant to change, mend that: stores that
exist would be read wrongly. If it was: leave {version} as it is, copy its content.py into a new directory beside it,
run `python -m tests.golden.write <its name>`, and keep the code that reads {version}."""


def golden(version: str, name: str) -> str:
    """A golden file."""
    return (HERE / version / name).read_text()


def load(kind: str, version: str, url: str, folder: Path, *, is_long_ago: bool) -> str:
    """Make a store of it; its URL. ``is_long_ago``: what a server forgets by itself is gone."""
    if kind == "redis":
        with redis.Redis.from_url(url) as client:
            snapshots.to_server(client, golden(version, "redis.json"), is_long_ago=is_long_ago)
        return url
    snapshots.to_file(folder / "golden.db", golden(version, "sqlite.sql"))
    return f"sqlite:///{folder}/golden.db"


@contextmanager
def opened(kind: str, version: str, folder: Path, *, later_s: float = 0.0) -> Iterator[Session]:
    """A session of the store by the clock of then, moved on by ``later_s``."""
    content, clock = content_of(version), HandClock()
    clock.now = json.loads(golden(version, "interface.json"))["overview"]["now"] + later_s
    with real_server() as server, redis.Redis.from_url(server.url) as client:
        url = load(kind, version, server.url, folder, is_long_ago=False)
        time = ServerTime(client)
        time.set(clock.now)
        time.age(content.NAMESPACE, later_s)
        store = (
            RedisPersistence(url, content.NAMESPACE, connect=time.connecting(dialer(url)))
            if kind == "redis"
            else SqlitePersistence(f"{folder}/golden.db", content.NAMESPACE, time=HostTime(clock, BOOT))
        )
        yield store.session(timeout=TIMEOUT_S)
        store.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_record_is_read_and_written_back_unchanged(version: str) -> None:
    """All types of arguments; one that this node does not know keeps its bytes."""
    content, codec = content_of(version), Codec()
    content.learn(codec)
    for name, text in json.loads(golden(version, "records.json")).items():
        data = snapshots.bytes_of(text)
        record = decode_record(data, codec)
        assert (record.job, record.enqueued_at) == (content.JOB, content.ENQUEUED_AT)
        assert bool(record.unknown) is (name == "gone")
        if name != "gone":
            assert record.kwargs == content.ARGUMENTS[name]
        if name == "gone" or version == VERSIONS[-1]:
            assert encode_record(record.job, record.kwargs, record.enqueued_at, codec) == data


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_not_known_is_read_where_it_is(version: str) -> None:
    """Of the record that a node without the type has had."""
    content, codec = content_of(version), Codec()
    content.learn(codec)
    content.learn_gone(codec)
    data = snapshots.bytes_of(json.loads(golden(version, "records.json"))["gone"])
    assert decode_record(data, codec).kwargs == content.GONE


@pytest.mark.parametrize("version", VERSIONS)
def test_every_trail_is_read(version: str) -> None:
    """With its errors and its reason."""
    found = {name: snapshots.bytes_of(text) for name, text in json.loads(golden(version, "trails.json")).items()}
    assert {name: decode_trail(data) for name, data in found.items()} == content_of(version).TRAILS


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_shows_what_it_showed_then(version: str, kind: str, tmp_path: Path) -> None:
    """Lists, counts, runs, marks, the lock and the nodes, read by the clock of then."""
    with opened(kind, version, tmp_path) as session:
        assert snapshots.of_interface(session, session.queues()) == golden(version, "interface.json")


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_job_of_a_store_is_settled(version: str, kind: str, tmp_path: Path) -> None:
    """By the next leader: what ran, what was given back, lost, buried or scheduled."""
    shown = json.loads(golden(version, "interface.json"))["jobs"]
    with opened(kind, version, tmp_path, later_s=24 * 3_600.0) as session:
        fence = session.acquire("node-2", "another", 60.0, 0)
        assert isinstance(fence, Fence)
        assert fence.epoch == 2
        for queue in QUEUES:
            stored = [job["id"] for jobs in shown[queue].values() for job in jobs]
            session.set_paused(queue, "somebody", 1, False)
            session.retry_dead(queue, "somebody", 2, [job["id"] for job in shown[queue]["dead"]])
            assert sorted(settled(session, queue, fence)) == sorted(stored)


def settled(session: Session, queue: str, fence: Fence) -> list[str]:
    """Run all jobs of a queue as its owner; their ids."""
    session.claim(queue, fence, 1)
    ids: list[str] = []
    ends: list[Done] = []
    for call in range(1, 40):
        answer = session.exchange(queue, fence, 1, call, ends, 1, serial=queue == "Serial", leave=Leave(suspect=True))
        assert answer.refused == ()
        ends = [Done(job.id, job.run) for job in answer.jobs]
        ids += [job.id for job in answer.jobs]
    return ids


def noting(name: str, seen: list[tuple[str, dict[str, Any]]]) -> type:
    """A job class of that name, whose jobs note what they were given."""

    def perform(self: object, **kwargs: Any) -> None:
        seen.append((name, kwargs))

    return type(name, (), {"perform": perform, "serial": name == "Serial"})


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_system_runs_every_job_of_a_store(version: str, kind: str, tmp_path: Path) -> None:
    """Long after, by the real clock: with the arguments that each was enqueued with."""
    content = content_of(version)
    content.learn(default_codec())
    seen: list[tuple[str, dict[str, Any]]] = []
    with real_server() as server:
        url = load(kind, version, server.url, tmp_path, is_long_ago=True)
        with ExqueueSystem.start(url, namespace=content.NAMESPACE, shutdown_timeout=5) as system:
            listed = [job for state in ("ready", "waiting", "running", "dead") for job in system.ask(ListJobs(state))]
            for queue in QUEUES:
                system.ask(StartWorker(noting(queue, seen)))
            system.ask(ResumeQueue("Paused"))
            assert system.ask(RetryAllDead()) == len([job for job in listed if job.state == "dead"])
            system.drain()
    assert len(listed) == len(seen) > len(QUEUES)
    wanted = [(job.queue, job.kwargs) for job in listed]
    assert sorted(seen, key=repr) == sorted(wanted, key=repr)


def test_what_is_stored_today_is_what_was_agreed() -> None:
    """A change of format is noticed before it is released."""
    version = VERSIONS[-1]
    for name, text in files_of_today(content_of(version)).items():
        assert text == golden(version, name), WHAT_TO_DO.format(name=name, version=version)
