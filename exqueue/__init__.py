"""A simple and reliable background-job library: a supervision tree of actors over Redis, SQLite or memory.

The names are loaded when they are first used, so that ``import exqueue`` costs a program next to nothing.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

# At once, since the decorator has the name of its module: loaded later, the module would take its place.
from exqueue.job import Job, job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exqueue.codec import Unknown
    from exqueue.errors import (
        ActorDead,
        AmbiguousJob,
        ArgumentsError,
        AskTimeout,
        ConfigError,
        ExqueueError,
        Fenced,
        JobNotFound,
        NewerRecordError,
        NewerStore,
        NotSupportedYet,
        Outage,
        Overloaded,
        PayloadError,
        RecordError,
        StaleCall,
        StorageFull,
        StoreDamaged,
        SystemStopped,
    )
    from exqueue.execution import CurrentJob, current_job
    from exqueue.messages import (
        ActorInfo,
        ActorRestarted,
        CancelJob,
        CancelResult,
        DeleteAllDead,
        DeleteDead,
        Enqueue,
        EnqueueMany,
        GetJob,
        GetStatus,
        GetTree,
        JobDied,
        JobEnqueued,
        JobFailed,
        JobInfo,
        JobInterrupted,
        JobStarted,
        JobSucceeded,
        LeadershipGained,
        LeadershipLost,
        ListJobs,
        PauseQueue,
        QueueStatus,
        ResumeQueue,
        RetryAllDead,
        RetryDead,
        RunningJob,
        StartWorker,
        StopWorker,
        Subscribe,
        SystemStatus,
        Unsubscribe,
    )
    from exqueue.record import JobError
    from exqueue.registry import register_type
    from exqueue.system import ExqueueSystem
    from exqueue.system_ref import SystemRef

__version__ = "0.1.0.dev0"

__all__ = [
    "ActorDead",
    "ActorInfo",
    "ActorRestarted",
    "AmbiguousJob",
    "ArgumentsError",
    "AskTimeout",
    "CancelJob",
    "CancelResult",
    "ConfigError",
    "CurrentJob",
    "DeleteAllDead",
    "DeleteDead",
    "Enqueue",
    "EnqueueMany",
    "ExqueueError",
    "ExqueueSystem",
    "Fenced",
    "GetJob",
    "GetStatus",
    "GetTree",
    "Job",
    "JobDied",
    "JobEnqueued",
    "JobError",
    "JobFailed",
    "JobInfo",
    "JobInterrupted",
    "JobNotFound",
    "JobStarted",
    "JobSucceeded",
    "LeadershipGained",
    "LeadershipLost",
    "ListJobs",
    "NewerRecordError",
    "NewerStore",
    "NotSupportedYet",
    "Outage",
    "Overloaded",
    "PauseQueue",
    "PayloadError",
    "QueueStatus",
    "RecordError",
    "ResumeQueue",
    "RetryAllDead",
    "RetryDead",
    "RunningJob",
    "StaleCall",
    "StartWorker",
    "StopWorker",
    "StorageFull",
    "StoreDamaged",
    "Subscribe",
    "SystemRef",
    "SystemStatus",
    "SystemStopped",
    "Unknown",
    "Unsubscribe",
    "current_job",
    "job",
    "register_type",
]

_HOME: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ActorDead": "exqueue.errors",
        "ActorInfo": "exqueue.messages",
        "ActorRestarted": "exqueue.messages",
        "AmbiguousJob": "exqueue.errors",
        "ArgumentsError": "exqueue.errors",
        "AskTimeout": "exqueue.errors",
        "CancelJob": "exqueue.messages",
        "CancelResult": "exqueue.messages",
        "ConfigError": "exqueue.errors",
        "CurrentJob": "exqueue.execution",
        "DeleteAllDead": "exqueue.messages",
        "DeleteDead": "exqueue.messages",
        "Enqueue": "exqueue.messages",
        "EnqueueMany": "exqueue.messages",
        "ExqueueError": "exqueue.errors",
        "ExqueueSystem": "exqueue.system",
        "Fenced": "exqueue.errors",
        "GetJob": "exqueue.messages",
        "GetStatus": "exqueue.messages",
        "GetTree": "exqueue.messages",
        "JobDied": "exqueue.messages",
        "JobEnqueued": "exqueue.messages",
        "JobError": "exqueue.record",
        "JobFailed": "exqueue.messages",
        "JobInfo": "exqueue.messages",
        "JobInterrupted": "exqueue.messages",
        "JobNotFound": "exqueue.errors",
        "JobStarted": "exqueue.messages",
        "JobSucceeded": "exqueue.messages",
        "LeadershipGained": "exqueue.messages",
        "LeadershipLost": "exqueue.messages",
        "ListJobs": "exqueue.messages",
        "NewerRecordError": "exqueue.errors",
        "NotSupportedYet": "exqueue.errors",
        "NewerStore": "exqueue.errors",
        "Outage": "exqueue.errors",
        "Overloaded": "exqueue.errors",
        "PauseQueue": "exqueue.messages",
        "PayloadError": "exqueue.errors",
        "QueueStatus": "exqueue.messages",
        "RecordError": "exqueue.errors",
        "ResumeQueue": "exqueue.messages",
        "RetryAllDead": "exqueue.messages",
        "RetryDead": "exqueue.messages",
        "RunningJob": "exqueue.messages",
        "StaleCall": "exqueue.errors",
        "StartWorker": "exqueue.messages",
        "StopWorker": "exqueue.messages",
        "StorageFull": "exqueue.errors",
        "StoreDamaged": "exqueue.errors",
        "Subscribe": "exqueue.messages",
        "SystemRef": "exqueue.system_ref",
        "SystemStatus": "exqueue.messages",
        "SystemStopped": "exqueue.errors",
        "Unknown": "exqueue.codec",
        "Unsubscribe": "exqueue.messages",
        "current_job": "exqueue.execution",
        "register_type": "exqueue.registry",
    }
)
"""Where each public name is defined."""


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'exqueue' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
