"""Who receives which message, and that all of the vocabulary are values."""

import dataclasses
from typing import Any

import pytest

import exqueue.messages as vocabulary
from exqueue.messages import (
    EVENT_TYPES,
    RECIPIENT,
    Enqueue,
    GetStatus,
    RetryDead,
    StartWorker,
    Subscribe,
    commands,
    is_message,
    queries,
    recipient_of,
)


class SendEmail:
    def perform(self, *, to: str, title: str = "Hello") -> None: ...


class Ref:
    actor_urn = "urn:1"

    def tell(self, message: object) -> None: ...


REF = Ref()


def public_dataclasses(module: Any) -> set[type]:
    """Return the messages that a module defines."""
    return {
        one
        for name, one in vars(module).items()
        if isinstance(one, type)
        and dataclasses.is_dataclass(one)
        and not name.startswith("_")
        and one.__module__ == module.__name__
    }


def test_each_command_and_query_has_one_receiver() -> None:
    """None can be sent that nobody receives."""
    assert set(RECIPIENT) == public_dataclasses(commands) | public_dataclasses(queries)
    assert set(RECIPIENT.values()) == {"producer", "operator", "queues", "reporter"}


def test_the_receivers_are_those_of_the_design() -> None:
    """One of each role."""
    messages = (Enqueue(SendEmail), RetryDead("a"), GetStatus(), StartWorker(SendEmail), Subscribe(REF))
    assert [recipient_of(one) for one in messages] == ["producer", "operator", "operator", "queues", "reporter"]


def test_the_table_of_receivers_cannot_be_changed() -> None:
    """It is data, not state."""
    with pytest.raises(TypeError):
        RECIPIENT[int] = "operator"  # type: ignore[index]  # what is tested


@pytest.mark.parametrize("given", [{"password": "hush"}, "GetStatus", None, GetStatus, SendEmail, [GetStatus()]])
def test_what_is_no_message_is_refused_with_what_is(given: object) -> None:
    """By its type; the value may be private."""
    assert not is_message(given)
    with pytest.raises(TypeError, match="message") as refused:
        recipient_of(given)
    assert "hush" not in str(refused.value)


def test_a_message_that_was_not_built_is_told_from_others() -> None:
    """The most likely slip: the parentheses were forgotten."""
    with pytest.raises(TypeError, match=r"write GetStatus\(...\)"):
        recipient_of(GetStatus)
    with pytest.raises(TypeError, match="an object of type type is no message to a system; messages are CancelJob"):
        recipient_of(SendEmail)


def test_every_message_event_and_reply_is_a_frozen_value_with_slots() -> None:
    """They go from thread to thread."""
    types = [one for one in vars(vocabulary).values() if isinstance(one, type) and dataclasses.is_dataclass(one)]
    assert len(types) == 17 + 9 + 6
    for one in types:
        assert one.__dataclass_params__.frozen, one  # type: ignore[attr-defined]  # set by dataclasses, not declared
        assert "__slots__" in vars(one), one


def test_all_events_can_be_subscribed_to() -> None:
    """The union for type checkers and the tuple for `Subscribe` are the same."""
    assert set(EVENT_TYPES) == set(vocabulary.Event.__args__)
