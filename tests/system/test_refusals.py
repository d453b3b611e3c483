"""Mistakes are refused where they are made: in the caller, before anything is stored."""

from typing import Any

import pytest

from exqueue import (
    ArgumentsError,
    CancelJob,
    ConfigError,
    Enqueue,
    EnqueueMany,
    ExqueueSystem,
    GetJob,
    GetStatus,
    JobNotFound,
    JobStarted,
    ListJobs,
    NotSupportedYet,
    PauseQueue,
    PayloadError,
    ResumeQueue,
    StartWorker,
    StopWorker,
    Subscribe,
    SystemRef,
    Unsubscribe,
)
from tests.naming import plain_repr
from tests.system.helpers import Room, eventually


class Mail:
    def perform(self, *, to: str, title: str = "") -> None:
        """Never run here."""


class Unused:
    def perform(self) -> None:
        """Never run here."""


def nothing_is_stored(system: SystemRef) -> bool:
    """Whether no queue has a job."""
    return all(not queue.ready and not queue.waiting for queue in system.ask(GetStatus()).queues)


@pytest.mark.parametrize(
    "message", [None, "stop", 7, {}, StartWorker, GetStatus, object(), JobStarted, lambda: None], ids=plain_repr
)
def test_what_is_no_message_is_a_type_error(system: SystemRef, message: Any) -> None:
    """`ask` and `tell` refuse it at once, and the system lives on."""
    with pytest.raises(TypeError):
        system.ask(message)
    with pytest.raises(TypeError):
        system.tell(message)
    assert system.ask(GetStatus()).failed == ()


@pytest.mark.parametrize(
    ("kwargs", "problem"),
    [
        ({}, "Mail needs 'to'"),
        ({"to": "a", "titel": "b"}, "Mail takes no 'titel'"),
        ({"to": "a", "self": "b"}, "Mail takes no 'self'"),
        ({"title": "b"}, "Mail needs 'to'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(system: SystemRef, kwargs: dict[str, object], problem: str) -> None:
    """The refusal names the argument and shows the signature, under `ask` and `tell` alike; nothing is stored."""
    many = EnqueueMany([Enqueue(Mail, {"to": "fine"}), Enqueue(Mail, kwargs)])
    for send in (system.ask, system.tell):
        for message in (Enqueue(Mail, kwargs), many):
            with pytest.raises(ArgumentsError, match=problem) as caught:
                send(message)
            assert "to: str" in str(caught.value)
    assert nothing_is_stored(system)


def deep(levels: int) -> list[Any]:
    """Lists inside lists."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "path", "kind"),
    [
        ({"lines": [1, 2, 3, object()]}, 'kwargs["to"]["lines"][3]', "object"),
        ({1: "one"}, 'kwargs["to"]', "int"),
        (["\ud800"], 'kwargs["to"][0]', "surrogate"),
        (deep(65), 'kwargs["to"]', "64"),
        (deep(1_000_000), 'kwargs["to"]', "64"),
        (open, 'kwargs["to"]', "builtin_function_or_method"),
    ],
    ids=["object", "key", "surrogate", "deep", "very deep", "function"],
)
def test_fault_038_041_042_a_value_that_cannot_be_stored_is_refused(
    system: SystemRef, value: object, path: str, kind: str
) -> None:
    """The refusal names the path of the value, never the value; nothing is stored."""
    for send in (system.ask, system.tell):
        with pytest.raises(PayloadError) as caught:
            send(Enqueue(Mail, {"to": value}))
        assert path in str(caught.value)
        assert kind in str(caught.value)
    assert nothing_is_stored(system)


def test_fault_045_arguments_that_are_too_large_are_refused(url: str, namespace: str) -> None:
    """`max_payload` bounds the arguments of one job."""
    with ExqueueSystem.start(url, namespace=namespace, max_payload=1_000) as system:
        system.ask(Enqueue(Mail, {"to": "x" * 900}))
        with pytest.raises(PayloadError, match=r"1,000"):
            system.ask(Enqueue(Mail, {"to": "x" * 1_100}))


def test_what_comes_later_says_so(system: SystemRef) -> None:
    """Options of a later version, and cancelling a running job, are `NotSupportedYet` and name what they are about."""
    with pytest.raises(NotSupportedYet, match="timeout"):
        StartWorker(Mail, timeout=5)  # type: ignore[call-arg]
    with Room() as room:

        class Held:
            def perform(self) -> None:
                room.visit()

        system.ask(StartWorker(Held))
        job_id = system.ask(Enqueue(Held))
        room.await_entered(1)
        with pytest.raises(NotSupportedYet, match="CancelJob of a running job"):
            system.ask(CancelJob(job_id))
        assert system.ask(GetJob(job_id)).state == "running"


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"concurrency": 5_000}, {"concurrency": 1.5}, {"speed": 9}])
def test_an_option_that_is_not_allowed_is_refused(options: dict[str, Any]) -> None:
    """The message is not even built, and says what is allowed."""
    with pytest.raises(ConfigError, match="|".join(options)):
        StartWorker(Mail, **options)


def test_fault_026_a_job_that_waits_can_be_cancelled(system: SystemRef) -> None:
    """`CancelJob` removes a ready or waiting job and says which it was."""
    ready, waiting = (system.ask(Enqueue(Mail, {"to": "a"}, delay=delay)) for delay in (0, 1_000))

    assert system.ask(CancelJob(ready)).state == "ready"
    assert system.ask(CancelJob(waiting)).state == "waiting"
    assert system.ask(ListJobs("ready")) == system.ask(ListJobs("waiting")) == ()


def test_fault_026_a_cancelled_job_does_not_come_back_after_a_restart(url: str, namespace: str) -> None:
    """Nor does one that waited for its retry; what was not cancelled runs."""
    ran: list[str] = []

    class Counted:
        def perform(self, *, who: str) -> None:
            ran.append(who)
            if who == "failing":
                raise ValueError

    with ExqueueSystem.start(url, namespace=namespace) as keeper:
        with ExqueueSystem.start(url, namespace=namespace) as first:
            failing = first.ask(Enqueue(Counted, {"who": "failing"}))
            first.ask(StartWorker(Counted, backoff=0.5))
            eventually(lambda: first.ask(GetJob(failing)).state == "waiting")
            first.ask(StopWorker(Counted))
            ready, kept = (first.ask(Enqueue(Counted, {"who": who})) for who in ("ready", "kept"))
            assert [first.ask(CancelJob(job)).queue for job in (ready, failing)] == ["Counted"] * 2
        with ExqueueSystem.start(url, namespace=namespace) as second:
            second.ask(StartWorker(Counted, backoff=0))
            second.drain()
            for job in (ready, failing, kept):
                with pytest.raises(JobNotFound):
                    second.ask(GetJob(job))
        assert keeper.ask(GetStatus()).queues[0].processed == 1
    assert ran[-1] == "kept"
    assert set(ran) == {"failing", "kept"}


def test_a_failed_start_names_what_is_wrong() -> None:
    """A URL or a namespace that is not allowed is a `ConfigError`, not a dead actor."""
    for url, namespace in (("ftp://elsewhere", "default"), ("memory://", "a b")):
        with pytest.raises(ConfigError):
            ExqueueSystem.start(url, namespace=namespace)


@pytest.mark.parametrize("command", [PauseQueue, ResumeQueue])
def test_a_queue_that_nobody_knows_is_not_paused(system: SystemRef, command: type[PauseQueue | ResumeQueue]) -> None:
    """A typo that looked like success would be found out too late, and would stay in the status for good."""
    with pytest.raises(ConfigError, match=r"no queue Mial at .*; there are: none"):
        system.ask(command("Mial"))
    system.ask(Enqueue(Mail, {"to": "ann"}))
    with pytest.raises(ConfigError, match=r"no queue Mial at .*; there are: Mail"):
        system.ask(command("Mial"))
    assert system.ask(command("Mail")) is True
    assert [queue.name for queue in system.ask(GetStatus()).queues] == ["Mail"]


def test_a_queue_without_a_job_that_another_node_has_started_can_be_paused(
    system: SystemRef, url: str, namespace: str
) -> None:
    """On a standby, whose queues nobody has claimed."""
    system.ask(StartWorker(Unused))
    eventually(lambda: system.ask(GetStatus()).is_leader)
    with ExqueueSystem.start(url, namespace=namespace) as standby:
        standby.ask(StartWorker(Mail))
        eventually(lambda: len(system.ask(GetStatus()).queues) == 2)
        assert system.ask(PauseQueue("Mail")) is True


@pytest.mark.parametrize("message", [Subscribe, Unsubscribe])
def test_a_system_is_no_subscriber(system: SystemRef, message: Any) -> None:
    """Its ``tell`` takes no events: each would raise."""
    with pytest.raises(TypeError, match="not to a system, which takes messages only"):
        message(system)


@pytest.mark.parametrize("send", ["ask", "tell"])
def test_one_of_many_that_is_refused_is_named_and_none_is_stored(system: SystemRef, send: str) -> None:
    """Whoever enqueues a thousand need not look for it; of one alone it would say nothing new."""

    class Plain:
        def perform(self, *, number: int) -> None:
            """Never run here."""

    good, bad = Enqueue(Plain, {"number": 1}), Enqueue(Plain, {"nubmer": 1})
    with pytest.raises(ArgumentsError, match="takes no 'nubmer'") as caught:
        getattr(system, send)(EnqueueMany([good, good, bad, good]))
    assert caught.value.__notes__ == ["this is entry 2 of 4, from 0; none of them is stored"]
    with pytest.raises(ArgumentsError) as alone:
        getattr(system, send)(EnqueueMany([bad]))
    assert not hasattr(alone.value, "__notes__")
    system.drain()
    assert system.ask(GetStatus()).queues == ()
