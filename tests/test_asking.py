"""What an asker is told when no answer comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exqueue import (
    AskTimeout,
    CancelJob,
    DeleteAllDead,
    DeleteDead,
    GetJob,
    GetStatus,
    GetTree,
    ListJobs,
    PauseQueue,
    ResumeQueue,
    RetryAllDead,
    RetryDead,
    StartWorker,
    StopWorker,
    Subscribe,
    Unsubscribe,
)
from exqueue.actors.protocol import Store
from exqueue.asking import Asking
from exqueue.messages import RECIPIENT, Enqueue, EnqueueMany
from exqueue.persistence.values import NewJob
from exqueue.supervision import ActorContext

if TYPE_CHECKING:
    from typing import Any


class Plain:
    def perform(self) -> None:
        """Never run here."""


class Somebody:
    actor_urn = "urn"

    def tell(self, message: object) -> None:
        """Never told here."""


ORDERS = (
    *(RetryDead("x"), DeleteDead("x"), RetryAllDead(), DeleteAllDead(), CancelJob("x")),
    *(PauseQueue("x"), ResumeQueue("x")),
)
OTHERS = (StartWorker(Plain), StopWorker(Plain), Subscribe(Somebody()), Unsubscribe(Somebody()))
QUESTIONS = (GetStatus(), GetJob("x"), ListJobs("dead"), GetTree())
MAYBE, NOT = "; it may still be carried out", "; it is not carried out"


def told(message: Any, recipient: str, *, is_begun: bool) -> AskTimeout:
    """The error of a message that nobody answers."""
    context = ActorContext()
    reply = context.runtime.reply()
    assert not is_begun or reply.begin()
    with pytest.raises(AskTimeout, match=f": no answer from the {recipient} within 0 s") as caught:
        Asking(context).wait(reply, message, recipient, 0.0)
    context.runtime.close()
    return caught.value


def test_every_message_is_here() -> None:
    """None is forgotten below."""
    here = {type(message) for message in (*ORDERS, *OTHERS, *QUESTIONS)}
    assert here | {Enqueue, EnqueueMany} == set(RECIPIENT)


@pytest.mark.parametrize(
    ("message", "is_begun", "said"),
    [
        *((message, True, MAYBE) for message in (*ORDERS, *OTHERS)),
        *((message, False, NOT) for message in ORDERS),
        *((message, False, MAYBE) for message in OTHERS),
        *((message, is_begun, " within 0 s") for message in QUESTIONS for is_begun in (True, False)),
    ],
    ids=lambda value: type(value).__name__ if type(value) in RECIPIENT else None,
)
def test_a_time_out_says_what_becomes_of_the_message(message: Any, is_begun: bool, said: str) -> None:
    """Of what may change something: whether it may still do so. Of a question: nothing."""
    error = told(message, RECIPIENT[type(message)], is_begun=is_begun)
    assert str(error).endswith(said)
    assert error.stored is None


def test_a_time_out_tells_the_time_for_people() -> None:
    """A deadline that was 1 s away a moment ago is 1 s; microseconds say nothing."""
    context = ActorContext()
    with pytest.raises(AskTimeout, match=r" within 0\.01 s$"):
        Asking(context).wait(context.runtime.reply(), GetStatus(), "operator", 0.009_978_2)
    context.runtime.close()


@pytest.mark.parametrize(("is_begun", "stored"), [(True, "unknown"), (False, "no")])
def test_a_time_out_says_whether_jobs_are_stored(is_begun: bool, stored: str) -> None:
    """For people and for programs."""
    error = told(Store("q", (NewJob("a", b""), NewJob("b", b"")), 0), "producer", is_begun=is_begun)
    assert str(error).startswith("storing job a and 1 more: ")
    assert str(error).endswith(f"; stored: {stored}")
    assert error.stored == stored
