"""What each message is answered with is known before it is sent, and so it is."""

import pykka

from exqueue import (
    ActorInfo,
    AmbiguousJob,
    AskTimeout,
    CancelJob,
    CancelResult,
    DeleteAllDead,
    DeleteDead,
    Enqueue,
    EnqueueMany,
    ExqueueError,
    ExqueueSystem,
    GetJob,
    GetStatus,
    GetTree,
    JobError,
    JobInfo,
    JobNotFound,
    ListJobs,
    PauseQueue,
    QueueStatus,
    ResumeQueue,
    RetryAllDead,
    RetryDead,
    RunningJob,
    StartWorker,
    StopWorker,
    SystemRef,
    SystemStatus,
)


class Fail:
    max_retries = 0

    def perform(self, *, number: int) -> None:
        raise ValueError(number)


def look(system: SystemRef) -> None:
    """Ask for what is there."""
    status: SystemStatus = system.ask(GetStatus())
    queues: tuple[QueueStatus, ...] = status.queues
    running: tuple[RunningJob, ...] = status.running
    since: float | None = status.outage_since
    assert [queue.name for queue in queues] == ["Fail"]
    assert (running, since) == ((), None)
    tree: ActorInfo = system.ask(GetTree(), timeout=5)
    assert {child.name for child in tree.children} > {"leader", "reporter"}
    dead: tuple[JobInfo, ...] = system.ask(ListJobs("dead", limit=10))
    assert [job.state for job in dead] == ["dead"] * 3


def order(system: SystemRef, dead: list[str]) -> None:
    """Ask for what is to be done."""
    error: JobError = system.ask(GetJob(dead[0])).errors[0]
    traceback: str = error.traceback
    assert "ValueError" in traceback
    retried: bool = system.ask(RetryDead(dead[0]))
    deleted: bool = system.ask(DeleteDead(dead[1], queue="Fail"))
    assert (retried, deleted) == (True, True)
    revived: int = system.ask(RetryAllDead())
    assert revived == 1
    cancelled: CancelResult = system.ask(CancelJob(dead[0]))
    assert cancelled.state == "ready"
    assert [system.ask(PauseQueue("Fail")), system.ask(ResumeQueue("Fail"))] == [True, True]
    gone: int = system.ask(DeleteAllDead(queue="Fail"))
    assert gone == 0


def ask_without_waiting(system: SystemRef) -> None:
    """A future has the same answer; jobs are answered by id in either case."""
    future: pykka.Future[SystemStatus] = system.ask(GetStatus(), block=False)
    assert future.get(timeout=5).node == "right"
    status: SystemStatus = system.ask(GetStatus(), block=True)
    assert status.node == "right"
    job_id: str = system.ask(Enqueue(Fail, {"number": 9}), block=False)
    job_ids: list[str] = system.ask(EnqueueMany([Enqueue("Fail")]), block=False)
    assert job_id not in job_ids


def say_what_is_wrong(system: SystemRef) -> str:
    """What is raised has types, too."""
    try:
        system.ask(GetJob("none"))
    except (JobNotFound, AmbiguousJob) as wrong:
        return str(wrong)
    except AskTimeout as late:
        return late.stored or "nothing known"
    except ExqueueError:
        raise
    return ""


def main() -> None:
    """Ask every message."""
    with ExqueueSystem.start("memory://", node="right") as system:
        started: str = system.ask(StartWorker(Fail))
        many: list[str] = system.ask(EnqueueMany(Enqueue(Fail, {"number": number}) for number in range(3)))
        system.drain()
        look(system)
        stopped: str = system.ask(StopWorker(Fail))
        assert started == stopped == "Fail"
        order(system, many)
        ask_without_waiting(system)
        assert "none" in say_what_is_wrong(system)


if __name__ == "__main__":
    main()
