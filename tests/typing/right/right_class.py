"""A job is a plain class with ``perform``."""

from datetime import UTC, datetime, timedelta

from exqueue import Enqueue, EnqueueMany, ExqueueSystem, JobInfo, StartWorker, StopWorker, SystemRef

sent: list[str] = []


class SendEmail:
    def perform(self, *, to: str, title: str = "Hello") -> None:
        sent.append(f"{to}: {title}")


class Count:
    def perform(self, start: int, stop: int | None = None, **labels: str) -> int:
        return (stop or 0) - start


JOBS = [SendEmail, Count]
BY_NAME = {"email": SendEmail, "count": Count}


def enqueue_with_kwargs(system: SystemRef) -> None:
    """The arguments as a mapping are checked when they are enqueued."""
    job_id: str = system.ask(Enqueue(SendEmail, {"to": "a@example.com"}))
    ids: list[str] = system.ask(EnqueueMany([Enqueue(SendEmail, {"to": "b@example.com"}), Enqueue("Count", delay=600)]))
    assert len({job_id, *ids}) == 3
    system.tell(Enqueue(SendEmail, kwargs={"to": "c@example.com", "title": "By tell"}))


def enqueue_with_arguments(system: SystemRef) -> None:
    """The arguments as they are are checked by the type checker."""
    first: str = system.enqueue(SendEmail, to="d@example.com")
    second: str = system.enqueue(SendEmail, to="e@example.com", title="Good day")
    system.enqueue(Count, 1)
    system.enqueue(Count, 1, stop=3)
    system.enqueue(Count, start=1, stop=None, color="red")
    assert first != second


def enqueue_with_options(system: SystemRef) -> None:
    """Both."""
    later = Enqueue.of(SendEmail, to="f@example.com").options(at=datetime.now(tz=UTC) + timedelta(hours=1))
    sooner: Enqueue = Enqueue.of(Count, 1, 2).options(delay=60, id="count-1-2")
    assert system.ask(sooner) == "count-1-2"
    system.tell(later)


def main() -> None:
    """Do it all."""
    with ExqueueSystem.start("memory://", node="right", ask_timeout=5, lock_ttl=2.5) as system:
        for job in JOBS:
            queue: str = system.ask(StartWorker(job))
            assert queue == job.__name__
        for again, concurrency in ((SendEmail, 2), (Count, 1)):
            system.ask(StartWorker(again, concurrency=concurrency))
        enqueue_with_kwargs(system)
        enqueue_with_arguments(system)
        enqueue_with_options(system)
        system.drain(timeout=5)
        assert len(sent) == 5
        system.ask(Enqueue(BY_NAME["count"], {"start": 1}))
        system.ask(StopWorker(BY_NAME["count"]), timeout=3.0)
        ended: bool = system.stop()
        assert ended
    assert not system.is_alive()


def describe(info: JobInfo) -> str:
    """What is public can be named in annotations."""
    return f"{info.job} {info.id}: {info.state}"


if __name__ == "__main__":
    main()
