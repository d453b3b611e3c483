"""What lists and subscriptions refuse when they are built."""

from types import SimpleNamespace
from typing import Any

import pytest

from exqueue.errors import ConfigError
from exqueue.messages import (
    EVENT_TYPES,
    GetStatus,
    JobDied,
    JobFailed,
    ListJobs,
    Subscribe,
    Unsubscribe,
)


class Ref:
    actor_urn = "urn:1"

    def tell(self, message: object) -> None: ...


REF = Ref()


@pytest.mark.parametrize("state", ["ready", "waiting", "running", "dead"])
def test_each_state_can_be_listed(state: Any) -> None:
    """The four states that a stored job can be in."""
    message = ListJobs(state, limit=1_000, offset=3)
    assert (message.state, message.queue, message.limit, message.offset) == (state, None, 1_000, 3)
    assert (ListJobs(state).limit, ListJobs(state).offset) == (100, 0)


@pytest.mark.parametrize("state", ["done", "Dead", "", None, 5, ["dead"]])
def test_another_state_is_refused_with_the_allowed_ones(state: Any) -> None:
    """The refusal lists them."""
    with pytest.raises(ConfigError, match="state must be one of ready, waiting, running, dead, not"):
        ListJobs(state)


@pytest.mark.parametrize(
    ("page", "error", "said"),
    [
        ({"limit": 0}, ConfigError, "limit must be from 1 to 1000, not 0"),
        ({"limit": 1_001}, ConfigError, "limit must be from 1 to 1000, not 1001"),
        ({"limit": 1.5}, TypeError, "limit must be a whole number from 1 to 1000, not 1.5"),
        ({"limit": True}, TypeError, "limit must be a whole number"),
        ({"limit": None}, TypeError, "limit must be a whole number"),
        ({"offset": -1}, ConfigError, "offset must be from 0"),
        ({"offset": 10**13}, ConfigError, "offset must be from 0"),
        ({"offset": "3"}, TypeError, "offset must be a whole number"),
    ],
)
def test_a_piece_that_cannot_be_had_is_refused(page: Any, error: type[Exception], said: str) -> None:
    """``limit`` is 1 to 1,000, ``offset`` 0 or more."""
    with pytest.raises(error, match=said):
        ListJobs("dead", **page)


def test_a_subscriber_hears_of_all_events_or_of_those_it_names() -> None:
    """Without types: all."""
    assert Subscribe(REF).event_types == EVENT_TYPES
    assert Subscribe(REF, JobDied, JobFailed).event_types == (JobDied, JobFailed)
    assert Subscribe(REF).actor_ref is Unsubscribe(REF).actor_ref is REF


@pytest.mark.parametrize("message", [Subscribe, Unsubscribe])
@pytest.mark.parametrize("ref", [None, 5, Ref, lambda event: None, SimpleNamespace(tell=print)])
def test_a_subscriber_must_be_an_actor_ref(message: Any, ref: Any) -> None:
    """Events are sent by ``tell``."""
    with pytest.raises(TypeError, match="ActorRef"):
        message(ref)


@pytest.mark.parametrize("event_type", ["JobDied", GetStatus, 5, None])
def test_an_unknown_event_type_is_refused_with_the_known_ones(event_type: Any) -> None:
    """The refusal lists them."""
    with pytest.raises(ConfigError, match=r"event types are JobEnqueued, JobStarted.*not"):
        Subscribe(REF, event_type)
