"""Errors as a program catches them: one root, the builtin that a stranger would expect, and what they carry."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
import redis

import exqueue
from exqueue import (
    AskTimeout,
    Enqueue,
    ExqueueError,
    ExqueueSystem,
    GetStatus,
    NewerStore,
    NotSupportedYet,
    Outage,
    StartWorker,
    StorageFull,
    StoreDamaged,
    SystemStopped,
)
from exqueue.persistence.redis.keys import namespace_keys, queue_keys
from exqueue.persistence.urls import open_persistence
from tests.servers import real_server

if TYPE_CHECKING:
    from exqueue import SystemRef


class Mail:
    def perform(self, *, to: str) -> None:
        """Never run here."""


def public_errors() -> list[type[Exception]]:
    """All that can be imported."""
    found = [getattr(exqueue, name) for name in exqueue.__all__]
    return [one for one in found if inspect.isclass(one) and issubclass(one, Exception)]


def test_every_error_has_one_root() -> None:
    """`except ExqueueError` catches all that the library raises on purpose."""
    assert len(public_errors()) > 10
    assert all(issubclass(one, ExqueueError) for one in public_errors())


@pytest.mark.parametrize(
    ("act", "builtin"),
    [
        (lambda system: system.ask(Enqueue(Mail, {"unto": "ann"})), TypeError),
        (lambda system: system.ask(Enqueue(Mail, {"to": object()})), ValueError),
        (lambda system: Enqueue(Mail, {"to": "ann"}, delay=-1), ValueError),
        (lambda system: system.ask(exqueue.GetJob("nowhere")), LookupError),
        (lambda system: StartWorker(Mail, concurrency=0), ValueError),
    ],
    ids=["arguments", "payload", "config", "not found", "option"],
)
def test_a_mistake_is_also_the_builtin_error_that_it_resembles(
    system: SystemRef, act: Any, builtin: type[Exception]
) -> None:
    """Whoever knows nothing of this library catches it by what he knows."""
    with pytest.raises(builtin) as caught:
        act(system)
    assert isinstance(caught.value, ExqueueError)


@pytest.mark.parametrize("option", [{"timeout": 5}, {"slow_after": 5}, {"isolation": "process"}], ids=str)
def test_an_option_of_a_later_version_is_never_just_ignored(option: Any) -> None:
    """On a class, under the decorator and in `StartWorker`."""
    (name,) = option
    with pytest.raises(NotSupportedYet, match=name):
        StartWorker(Mail, **option)
    with pytest.raises(NotSupportedYet, match=name):
        StartWorker(type("Later", (Mail,), option))
    with pytest.raises(NotSupportedYet, match=name):
        exqueue.job(name="later", **option)(lambda: None)


def test_a_stopped_system_says_so_and_answers_its_status(system: SystemRef) -> None:
    """A screen that still shows it has something to show."""
    system.stop()
    for message in (Enqueue(Mail, {"to": "ann"}), StartWorker(Mail)):
        for send in (system.ask, system.tell):
            with pytest.raises(SystemStopped, match="stopped"):
                send(message)
    assert "stopped" in system.ask(GetStatus()).failed[0]


@pytest.mark.parametrize("url", ["redis"], indirect=True)
def test_a_damaged_key_is_told_to_who_stores_there(system: SystemRef, url: str, namespace: str) -> None:
    """`StoreDamaged`, an outage that does not pass by itself: nothing was stored, and other queues go on."""
    with redis.Redis.from_url(url) as server:
        server.set(queue_keys(namespace, "Mail").jobs, "not a hash")
    with pytest.raises(StoreDamaged) as caught:
        system.ask(Enqueue(Mail, {"to": "ann"}))
    assert isinstance(caught.value, Outage)
    assert caught.value.stored == "no"
    assert isinstance(system.ask(Enqueue("Other")), str)


@pytest.mark.parametrize("url", ["redis"], indirect=True)
def test_a_newer_store_is_told_with_what_to_install(url: str, namespace: str) -> None:
    """`NewerStore`, an outage that does not pass by itself: it was not touched."""
    with redis.Redis.from_url(url) as server:
        server.set(namespace_keys(namespace).layout, "99 7.1.0")
    persistence = open_persistence(url, namespace=namespace)
    session = persistence.session(timeout=5)
    with pytest.raises(NewerStore, match=r"install Exqueue 7\.1\.0 or newer") as caught:
        session.queues()
    session.close()
    persistence.close()
    assert isinstance(caught.value, Outage)
    assert caught.value.stored == "no"


def test_a_full_server_is_told_to_who_stores_there(needs_server: None) -> None:
    """`StorageFull`: that job is certainly not stored, and can be enqueued again when there is room."""
    with real_server("--maxmemory-policy", "noeviction") as server, ExqueueSystem.start(server.url) as system:
        system.ask(Enqueue(Mail, {"to": "ann"}))
        with redis.Redis.from_url(server.url) as client:
            client.config_set("maxmemory", 1)
            with pytest.raises(StorageFull, match="stored: no") as caught:
                system.ask(Enqueue(Mail, {"to": "bob"}))
            client.config_set("maxmemory", 0)
        assert caught.value.stored == "no"
        system.ask(Enqueue(Mail, {"to": "bob"}))


def test_a_time_out_tells_what_is_stored(namespace: str) -> None:
    """`AskTimeout` is a `TimeoutError`, and of an enqueue it says `no` or `unknown`, else nothing."""
    with ExqueueSystem.start(f"unix:///tmp/{namespace}.none", namespace=namespace) as system:
        with pytest.raises(TimeoutError) as caught:
            system.ask(Enqueue(Mail, {"to": "ann"}), timeout=0.1)
        assert isinstance(caught.value, AskTimeout)
        assert caught.value.stored == "no"
        with pytest.raises(AskTimeout) as other:
            system.ask(exqueue.GetJob("x"), timeout=0.1)
        assert other.value.stored is None
