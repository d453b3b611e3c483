"""What `Enqueue` and `EnqueueMany` refuse when they are built, and what they carry."""

import collections
import dataclasses
import math
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest

from exqueue.errors import ArgumentsError, ConfigError
from exqueue.job import job
from exqueue.messages import (
    CancelJob,
    DeleteDead,
    Enqueue,
    EnqueueMany,
    GetJob,
    RetryDead,
)

A_CENTURY = 100 * 365 * 86_400
LATER = datetime(2030, 1, 1, tzinfo=UTC)


class SendEmail:
    def perform(self, *, to: str, title: str = "Hello") -> None: ...


class Charge:
    queue = "billing"

    def perform(self, *, amount: int) -> None: ...


@job(queue="pictures")
def resize(path: str, width: int = 100) -> None:
    """Make a picture smaller."""


def test_an_enqueue_knows_the_name_and_the_queue_of_its_job() -> None:
    """From the class, from the function, or from the name."""
    seen = [(one.name, one.queue) for one in (Enqueue(SendEmail), Enqueue(Charge), Enqueue(resize), Enqueue("Other"))]
    assert seen == [("SendEmail", "SendEmail"), ("Charge", "billing"), ("resize", "pictures"), ("Other", "Other")]


def test_a_job_given_by_its_name_may_have_another_queue() -> None:
    """The program that enqueues may have nothing of its code."""
    message = Enqueue("SendEmail", {"to": "a"}, queue="mail")
    assert (message.name, message.queue, message.definition) == ("SendEmail", "mail", None)


def test_the_queue_of_a_class_can_be_named_but_not_changed() -> None:
    """Workers look for the jobs of a class in its own queue only."""
    assert Enqueue(Charge, queue="billing").queue == "billing"
    with pytest.raises(ConfigError, match=r"Charge has the queue 'billing', not 'mail'.*set queue on the class"):
        Enqueue(Charge, queue="mail")


@pytest.mark.parametrize(("name", "queue"), [("<lambda>", None), ("", None), ("SendEmail", "a b"), ("x" * 129, None)])
def test_fault_048_an_illegal_name_is_refused(name: str, queue: str | None) -> None:
    """That of the job and that of the queue."""
    with pytest.raises(ConfigError, match="must be 1 to 128 characters"):
        Enqueue(name, queue=queue)


@pytest.mark.parametrize("given", [SendEmail(), lambda: None, None, 5, b"SendEmail"])
def test_what_is_no_job_cannot_be_enqueued(given: Any) -> None:
    """A class, a function under ``@job``, or a name."""
    with pytest.raises(ConfigError, match="a job is a class with perform"):
        Enqueue(given)


def test_an_enqueue_without_arguments_has_none() -> None:
    """And shares no dict with another."""
    first, second = Enqueue(SendEmail), Enqueue(SendEmail)
    assert first.kwargs == {}
    assert first.kwargs is not second.kwargs


@pytest.mark.parametrize(
    "kwargs",
    [{"to": "a"}, MappingProxyType({"to": "a"}), collections.OrderedDict(to="a"), collections.ChainMap({"to": "a"})],
)
def test_any_mapping_may_be_the_arguments(kwargs: Any) -> None:
    """They are handed on as a plain dict."""
    message = Enqueue(SendEmail, kwargs)
    assert type(message.kwargs) is dict
    assert message.kwargs == {"to": "a"}


@pytest.mark.parametrize("kwargs", [[("to", "a")], "to", 5, None, {"to"}])
def test_arguments_that_are_no_mapping_are_refused(kwargs: Any) -> None:
    """By their type; the value may be private."""
    with pytest.raises(TypeError, match=f"kwargs must be a mapping.*not {type(kwargs).__name__}$"):
        Enqueue(SendEmail, kwargs)


@pytest.mark.parametrize("delay", [0, 0.5, 3600, A_CENTURY])
def test_a_delay_is_kept(delay: float) -> None:
    """From none to a century."""
    assert Enqueue(SendEmail, delay=delay).delay == delay


@pytest.mark.parametrize("delay", [-1, -0.001, math.nan, math.inf, -math.inf, A_CENTURY + 1, 10**400])
def test_a_delay_after_which_nothing_could_run_is_refused(delay: float) -> None:
    """Negative, NaN or endless."""
    with pytest.raises(ConfigError, match="delay must be seconds, 0 to"):
        Enqueue(SendEmail, delay=delay)


@pytest.mark.parametrize("delay", ["5", True, timedelta(seconds=5), [5], b"5"])
def test_a_delay_that_is_no_number_is_refused(delay: Any) -> None:
    """By its type."""
    with pytest.raises(TypeError, match="delay must be seconds"):
        Enqueue(SendEmail, delay=delay)


@pytest.mark.parametrize("at", [LATER, datetime(1999, 1, 1, tzinfo=timezone(timedelta(hours=2)))])
def test_a_time_of_any_zone_is_kept(at: datetime) -> None:
    """One that has passed means at once."""
    assert Enqueue(SendEmail, at=at).at is at


def test_a_timedelta_is_told_how_to_be_a_delay() -> None:
    """The refusal shows the way to seconds."""
    with pytest.raises(TypeError, match=r"give delay\.total_seconds\(\)"):
        Enqueue(SendEmail, delay=timedelta(seconds=5))  # type: ignore[arg-type]  # what is tested


def test_a_time_without_a_zone_is_refused() -> None:
    """Nobody could tell when that is on another machine."""
    with pytest.raises(ValueError, match="at must be timezone-aware"):
        Enqueue(SendEmail, at=datetime(2030, 1, 1))  # noqa: DTZ001  # what is tested


@pytest.mark.parametrize("at", [5, "2030-01-01T00:00:00Z", LATER.date(), timedelta(5)])
def test_a_time_that_is_no_datetime_is_refused(at: Any) -> None:
    """By its type."""
    with pytest.raises(TypeError, match="at must be a timezone-aware datetime"):
        Enqueue(SendEmail, at=at)


def test_a_delay_and_a_time_together_are_refused() -> None:
    """One of them would be ignored."""
    with pytest.raises(ConfigError, match="either delay or at, not both"):
        Enqueue(SendEmail, delay=0, at=LATER)


@pytest.mark.parametrize("message", [lambda id: Enqueue(SendEmail, id=id), RetryDead, DeleteDead, CancelJob, GetJob])
@pytest.mark.parametrize("id", ["", "a b", "x" * 129, "a\n", 5, b"a"])
def test_an_id_that_can_be_none_is_refused(message: Any, id: Any) -> None:
    """Wherever an id is given."""
    with pytest.raises((ConfigError, TypeError), match="id"):
        message(id)


def test_an_enqueue_shows_no_arguments() -> None:
    """Arguments do not belong in logs."""
    assert "secret" not in repr(Enqueue(SendEmail, {"to": "secret"}, id="a1"))


def test_an_enqueue_cannot_be_changed() -> None:
    """Messages go from hand to hand."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Enqueue(SendEmail).id = "b"  # type: ignore[misc]  # what is tested


def test_equal_enqueues_are_equal() -> None:
    """By value, as all messages."""
    assert Enqueue(SendEmail, {"to": "a"}, delay=5) == Enqueue(SendEmail, {"to": "a"}, delay=5)
    assert Enqueue(SendEmail, {"to": "a"}) != Enqueue(SendEmail, {"to": "b"})


def test_of_takes_the_arguments_of_perform() -> None:
    """By name or by position."""
    assert Enqueue.of(SendEmail, to="a", title="b") == Enqueue(SendEmail, {"to": "a", "title": "b"})
    assert Enqueue.of(resize, "a.png", width=5) == Enqueue(resize, {"path": "a.png", "width": 5})


def test_of_lets_perform_have_arguments_of_any_name() -> None:
    """Its own parameters take no name away."""

    class Odd:
        def perform(self, *, cls: int, job: int, kwargs: int) -> None: ...

    assert Enqueue.of(Odd, cls=1, job=2, kwargs=3).kwargs == {"cls": 1, "job": 2, "kwargs": 3}


def test_of_refuses_a_positional_argument_without_a_name() -> None:
    """Jobs are stored with keyword arguments only."""
    with pytest.raises(ArgumentsError, match="takes 0 positional arguments, not 1"):
        Enqueue.of(SendEmail, "a")  # type: ignore[call-arg]  # what is tested


def test_options_add_to_an_enqueue_and_leave_it_as_it_is() -> None:
    """What is left out stays."""
    plain = Enqueue.of(SendEmail, to="a")
    assert plain.options(delay=5).options(id="x") == Enqueue(SendEmail, {"to": "a"}, delay=5, id="x")
    assert plain.options(at=LATER).options(id="x").options() == Enqueue(SendEmail, {"to": "a"}, at=LATER, id="x")
    assert plain == Enqueue(SendEmail, {"to": "a"})
    assert Enqueue("Other", queue="q").options(delay=1).queue == "q"


def test_options_are_checked_as_in_enqueue() -> None:
    """Both in one call are as wrong there as here."""
    with pytest.raises(ConfigError, match="not both"):
        Enqueue.of(SendEmail, to="a").options(delay=5, at=LATER)


def test_a_later_time_takes_the_place_of_an_earlier_one() -> None:
    """In whichever form either is given; a delay of nothing takes it back."""
    for earlier in ({"delay": 5.0}, {"at": LATER}):
        one = Enqueue(SendEmail, {"to": "a"}, id="x", **earlier)
        assert one.options(at=LATER) == Enqueue(SendEmail, {"to": "a"}, at=LATER, id="x")
        assert one.options(delay=7) == Enqueue(SendEmail, {"to": "a"}, delay=7, id="x")
        assert one.options(delay=0) == Enqueue(SendEmail, {"to": "a"}, delay=0, id="x")


def test_enqueue_many_keeps_a_list_as_a_tuple() -> None:
    """Also an empty one, and one from a generator."""
    one = Enqueue(SendEmail)
    assert EnqueueMany([one, one]).jobs == (one, one)
    assert EnqueueMany(one for _ in range(2)).jobs == (one, one)
    assert EnqueueMany([]).jobs == ()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([Enqueue(SendEmail), SendEmail], "entry 1 is type"),
        ([{"to": "a"}], "entry 0 is dict"),
        (Enqueue(SendEmail), "not Enqueue"),
        ("abc", "not str"),
        ({}, "not dict"),
        (None, "not NoneType"),
    ],
)
def test_enqueue_many_refuses_anything_else(given: Any, said: str) -> None:
    """By the position and the type."""
    with pytest.raises(TypeError, match=said):
        EnqueueMany(given)
