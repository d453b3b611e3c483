"""The vocabulary: commands, queries, replies and events. Each command and query has one receiving role."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from exqueue.messages.commands import (
    CancelJob,
    DeleteAllDead,
    DeleteDead,
    Enqueue,
    EnqueueMany,
    PauseQueue,
    ResumeQueue,
    RetryAllDead,
    RetryDead,
    StartWorker,
    StopWorker,
)
from exqueue.messages.events import (
    EVENT_TYPES,
    ActorRestarted,
    Event,
    JobDied,
    JobEnqueued,
    JobFailed,
    JobInterrupted,
    JobStarted,
    JobSucceeded,
    LeadershipGained,
    LeadershipLost,
)
from exqueue.messages.message import Message
from exqueue.messages.queries import GetJob, GetStatus, GetTree, ListJobs, Subscribe, Subscriber, Unsubscribe
from exqueue.messages.replies import ActorInfo, CancelResult, JobInfo, QueueStatus, RunningJob, SystemStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "EVENT_TYPES",
    "RECIPIENT",
    "ActorInfo",
    "ActorRestarted",
    "CancelJob",
    "CancelResult",
    "DeleteAllDead",
    "DeleteDead",
    "Enqueue",
    "EnqueueMany",
    "Event",
    "GetJob",
    "GetStatus",
    "GetTree",
    "JobDied",
    "JobEnqueued",
    "JobFailed",
    "JobInfo",
    "JobInterrupted",
    "JobStarted",
    "JobSucceeded",
    "LeadershipGained",
    "LeadershipLost",
    "ListJobs",
    "Message",
    "OperatorMessage",
    "OrderMessage",
    "PauseQueue",
    "QueueStatus",
    "QueuesMessage",
    "ReporterMessage",
    "ResumeQueue",
    "RetryAllDead",
    "RetryDead",
    "RunningJob",
    "StartWorker",
    "StopWorker",
    "Subscribe",
    "Subscriber",
    "SystemStatus",
    "Unsubscribe",
    "is_message",
    "recipient_of",
]

OrderMessage = RetryDead | DeleteDead | RetryAllDead | DeleteAllDead | CancelJob | PauseQueue | ResumeQueue
OperatorMessage = OrderMessage | GetStatus | ListJobs | GetJob | GetTree
QueuesMessage = StartWorker | StopWorker
ReporterMessage = Subscribe | Unsubscribe

RECIPIENT: Final[Mapping[type, str]] = MappingProxyType(
    {
        Enqueue: "producer",
        EnqueueMany: "producer",
        RetryDead: "operator",
        DeleteDead: "operator",
        RetryAllDead: "operator",
        DeleteAllDead: "operator",
        CancelJob: "operator",
        PauseQueue: "operator",
        ResumeQueue: "operator",
        GetStatus: "operator",
        ListJobs: "operator",
        GetJob: "operator",
        GetTree: "operator",
        StartWorker: "queues",
        StopWorker: "queues",
        Subscribe: "reporter",
        Unsubscribe: "reporter",
    }
)
"""The path of the one actor that each type of message is for; an `Enqueue` reaches it as a `Store` made of it."""


def is_message(given: object) -> bool:
    """Whether this is something that a system can be told or asked."""
    return type(given) in RECIPIENT


def recipient_of(given: object) -> str:
    """Return the path of the actor that receives this message.

    Raises:
        TypeError: it is no message; says what is.
    """
    recipient = RECIPIENT.get(type(given))
    if recipient is None:
        raise TypeError(_no_message(given))
    return recipient


def _no_message(given: object) -> str:
    if isinstance(given, type) and given in RECIPIENT:
        return f"{given.__name__} is the type of a message, not a message: write {given.__name__}(...)"
    known = ", ".join(sorted(one.__name__ for one in RECIPIENT))
    # Only the type: what was sent by mistake may be an argument of a job.
    return f"an object of type {type(given).__name__} is no message to a system; messages are {known}"
