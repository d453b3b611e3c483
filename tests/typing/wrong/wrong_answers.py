"""Answers that are taken for something else, and messages that are none."""

import pykka

from exqueue import (
    CancelJob,
    DeleteAllDead,
    Enqueue,
    EnqueueMany,
    GetJob,
    GetStatus,
    GetTree,
    JobInfo,
    ListJobs,
    PauseQueue,
    RetryDead,
    StartWorker,
    SystemRef,
    SystemStatus,
)


class SendEmail:
    def perform(self, *, to: str) -> None: ...


def answers(system: SystemRef) -> None:
    """One mistake a line."""
    queues: list[str] = system.ask(GetStatus())  # error: wrong type
    print(queues, system.ask(GetStatus()).leader_name)  # error: no such attribute
    print(system.ask(GetStatus()).epoch + "1")  # error: wrong operand
    print(system.ask(GetStatus()).leader.upper())  # error: optional
    print(system.ask(GetTree()).ready)  # error: no such attribute
    jobs: list[JobInfo] = system.ask(ListJobs("dead"))  # error: wrong type
    print(jobs, system.ask(ListJobs("dead")).id)  # error: no such attribute
    traceback: int = system.ask(GetJob("a")).errors[0].traceback  # error: wrong type
    retried: str = system.ask(RetryDead("a"))  # error: wrong type
    print(traceback, retried, system.ask(CancelJob("a")).failures)  # error: no such attribute
    deleted: str = system.ask(DeleteAllDead())  # error: wrong type
    number: int = system.ask(Enqueue(SendEmail, {"to": "a"}))  # error: wrong type
    numbers: list[int] = system.ask(EnqueueMany([]))  # error: wrong type
    started: bool = system.ask(StartWorker(SendEmail))  # error: wrong type
    status: SystemStatus = system.ask(GetStatus(), block=False)  # error: wrong type
    future: pykka.Future[str] = system.ask(Enqueue(SendEmail), block=False)  # error: wrong type
    ended: str = system.stop()  # error: wrong type
    print(deleted, number, numbers, started, status, future, ended)


def messages(system: SystemRef) -> None:
    """One mistake a line."""
    system.ask("status")  # error: no overload
    system.ask(GetStatus)  # error: no overload
    system.ask(SendEmail)  # error: no overload
    system.ask(GetStatus(), timeout="1 s")  # error: no overload
    system.ask(GetStatus(), wait=True)  # error: no overload
    system.tell(SendEmail)  # error: wrong type
    system.tell({"to": "a"})  # error: wrong type
    system.tell(RetryDead)  # error: wrong type
    RetryDead(7)  # error: wrong type
    RetryDead()  # error: missing
    RetryDead("a", "SendEmail")  # error: too many
    ListJobs("done")  # error: wrong type
    ListJobs("dead", max=10)  # error: unknown keyword
    PauseQueue(SendEmail)  # error: wrong type
    system.drain("soon")  # error: wrong type
