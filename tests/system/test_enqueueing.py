"""The ways to enqueue a job, and what a job sees of itself when it runs."""

import asyncio
import datetime as dt
import threading
import time
from collections import Counter

import exqueue
from exqueue import (
    CurrentJob,
    Enqueue,
    EnqueueMany,
    GetJob,
    GetStatus,
    JobInfo,
    ListJobs,
    PauseQueue,
    ResumeQueue,
    StartWorker,
    SystemRef,
    current_job,
)
from tests.system.helpers import Room, eventually, queue_status


def test_a_job_is_enqueued_by_its_class(system: SystemRef) -> None:
    """The answer is the id; `perform` gets the arguments, on an instance of its own."""
    seen: list[tuple[str, list[int]]] = []

    class Mail:
        def perform(self, *, to: str, parts: list[int]) -> None:
            seen.append((to, parts))

    job_id = system.ask(Enqueue(Mail, {"to": "info@example.com", "parts": [1, 2]}))
    assert isinstance(job_id, str)
    assert system.ask(GetJob(job_id)).state == "ready"
    system.ask(StartWorker(Mail))
    system.drain()

    assert seen == [("info@example.com", [1, 2])]


def test_a_job_is_enqueued_by_its_function(system: SystemRef) -> None:
    """A function under `@job` is a job class, and can still be called."""
    seen: list[int] = []

    @exqueue.job(queue="sums")
    def add(one: int, other: int = 1) -> None:
        seen.append(one + other)

    add(10)
    system.ask(StartWorker(add))
    system.ask(Enqueue(add, {"one": 2, "other": 3}))
    system.ask(Enqueue(add, {"one": 2}))
    system.drain()

    assert seen == [11, 5, 3]
    assert queue_status(system, "sums").processed == 2


def test_a_job_is_enqueued_by_its_subclass_of_job(system: SystemRef) -> None:
    """A subclass of `Job` brings its options, name and queue along."""
    seen: list[str | None] = []

    class Report(exqueue.Job):
        name = "monthly-report"
        queue = "reports"
        concurrency = 2

        def perform(self, *, month: str | None = None) -> None:
            seen.append(month)

    assert system.ask(StartWorker(Report)) == "reports"
    system.ask(Enqueue(Report, {"month": "May"}))
    system.enqueue(Report, month="June")
    system.drain()

    assert sorted(seen, key=str) == ["June", "May"]
    assert queue_status(system, "reports").concurrency == 2


def test_a_job_is_enqueued_by_its_name(system: SystemRef) -> None:
    """A program without the code gives the name, and the queue where that has another."""
    seen: list[int] = []

    class Plain:
        def perform(self, *, number: int) -> None:
            seen.append(number)

    class Elsewhere(Plain):
        queue = "other"
        aliases = ("Former",)

    system.ask(StartWorker(Plain))
    system.ask(StartWorker(Elsewhere))
    system.ask(Enqueue("Plain", {"number": 1}))
    system.drain()
    system.ask(Enqueue("Elsewhere", {"number": 2}, queue="other"))
    system.drain()
    system.ask(Enqueue("Former", {"number": 3}, queue="other"))
    system.drain()

    assert seen == [1, 2, 3]


def test_fault_027_an_async_perform_runs_to_its_end(system: SystemRef) -> None:
    """`async def perform` is awaited, several of them on the loop of one worker, and its tasks know the job."""
    seen: list[tuple[int, str | None]] = []

    class Awaiting:
        async def perform(self, *, number: int) -> None:
            await asyncio.sleep(0)
            seen.append((number, await asyncio.create_task(self.own_id())))

        async def own_id(self) -> str | None:
            job = current_job()
            return None if job is None else job.id

    system.ask(StartWorker(Awaiting))
    ids = [system.ask(Enqueue(Awaiting, {"number": number})) for number in range(3)]
    system.drain()

    assert seen == list(enumerate(ids))


def test_an_enqueue_that_is_only_told_is_stored_too(system: SystemRef) -> None:
    """`tell` goes on at once, and later changes to the arguments are harmless."""
    seen: list[list[int]] = []

    class Told:
        def perform(self, *, numbers: list[int]) -> None:
            seen.append(numbers)

    numbers = [1]
    system.tell(Enqueue(Told, {"numbers": numbers}))
    numbers.append(2)
    system.tell(StartWorker(Told))

    eventually(lambda: seen)
    assert seen == [[1]]


def test_thousands_of_jobs_of_two_queues_are_stored_in_one_message(system: SystemRef) -> None:
    """`EnqueueMany` answers the ids in the order given, and each job runs once."""
    seen: list[int] = []

    class Even:
        concurrency = 3

        def perform(self, *, number: int) -> None:
            seen.append(number)

    class Odd(Even):
        pass

    ids = system.ask(EnqueueMany(Enqueue(Odd if number % 2 else Even, {"number": number}) for number in range(2_500)))

    assert len(set(ids)) == 2_500
    assert system.ask(GetJob(ids[7])).kwargs == {"number": 7}
    assert (queue_status(system, "Even").ready, queue_status(system, "Odd").ready) == (1_250, 1_250)
    system.ask(StartWorker(Even))
    system.ask(StartWorker(Odd))
    system.drain(timeout=30)
    assert Counter(seen) == Counter(range(2_500))


def test_many_jobs_of_none_are_none(system: SystemRef) -> None:
    """An empty `EnqueueMany` answers an empty list."""
    assert system.ask(EnqueueMany([])) == []


def test_a_delayed_job_waits(system: SystemRef) -> None:
    """It is waiting until it is due, and runs no earlier, while the queue has nothing else to do."""
    ran_at: list[float] = []

    class Later:
        def perform(self) -> None:
            ran_at.append(time.time())

    system.ask(StartWorker(Later))
    before = time.time()
    job_id = system.ask(Enqueue(Later, delay=0.4))
    info: JobInfo = system.ask(GetJob(job_id))
    eventually(lambda: ran_at)

    assert info.state == "waiting"
    assert info.due_at is not None
    assert ran_at[0] >= info.due_at - 0.05
    assert ran_at[0] - before < 5


def test_a_job_for_a_time_waits_until_then(system: SystemRef) -> None:
    """`at` names the time, in whatever time zone; a time that has passed is now."""
    ran: list[str] = []

    class Dated:
        def perform(self, *, which: str) -> None:
            ran.append(which)

    zone = dt.timezone(dt.timedelta(hours=5))
    at = dt.datetime.now(tz=zone) + dt.timedelta(seconds=0.5)
    system.ask(StartWorker(Dated))
    ids = [
        system.ask(Enqueue(Dated, {"which": "soon"}, at=at)),
        system.ask(Enqueue(Dated, {"which": "past"}, at=at - dt.timedelta(days=1))),
        system.ask(Enqueue(Dated, {"which": "far"}, at=at + dt.timedelta(days=1))),
    ]
    eventually(lambda: len(ran) == 2)

    assert ran == ["past", "soon"]
    assert time.time() >= at.timestamp() - 0.05
    assert system.ask(GetJob(ids[2])).state == "waiting"


def test_an_id_that_is_still_stored_is_stored_once(system: SystemRef) -> None:
    """Enqueueing it again answers the same id and changes nothing; once it has run it is free again."""
    seen: list[int] = []

    class Once:
        def perform(self, *, number: int) -> None:
            seen.append(number)

    assert system.ask(Enqueue(Once, {"number": 1}, id="order-7")) == "order-7"
    assert system.ask(Enqueue(Once, {"number": 2}, id="order-7")) == "order-7"
    assert queue_status(system, "Once").ready == 1
    system.ask(StartWorker(Once))
    system.drain()
    assert seen == [1]

    system.ask(Enqueue(Once, {"number": 3}, id="order-7"))
    system.drain()
    assert seen == [1, 3]


def test_a_job_knows_itself(system: SystemRef) -> None:
    """`current_job` tells id, queue, attempt and a run that only grows; outside of a job there is none."""
    seen: list[CurrentJob] = []

    class Knowing:
        def perform(self) -> None:
            job = current_job()
            assert job is not None
            assert not job.cancelled
            seen.append(job)
            if len(seen) == 1:
                raise ValueError

    system.ask(StartWorker(Knowing, backoff=0))
    job_id = system.ask(Enqueue(Knowing))
    eventually(lambda: len(seen) == 2)

    assert current_job() is None
    assert [(job.id, job.queue, job.attempt) for job in seen] == [(job_id, "Knowing", 1), (job_id, "Knowing", 2)]
    assert seen[0].epoch >= 1
    assert (seen[0].epoch, seen[0].run) < (seen[1].epoch, seen[1].run)


def test_fault_024_a_job_enqueues_another(system: SystemRef) -> None:
    """From inside `perform` both `ask` and `tell` work, also into its own queue."""
    done = threading.Event()
    seen: list[int] = []

    class Chain:
        def perform(self, *, number: int) -> None:
            seen.append(number)
            if number == 0:
                system.ask(Enqueue(Chain, {"number": 1}))
            elif number == 1:
                system.tell(Enqueue(Chain, {"number": 2}))
            else:
                done.set()

    system.ask(StartWorker(Chain))
    system.ask(Enqueue(Chain, {"number": 0}))

    assert done.wait(10)
    assert seen == [0, 1, 2]


def test_fault_024_a_job_waits_for_another_of_its_own_queue(system: SystemRef) -> None:
    """With a worker for each it gets its answer: asking from a job blocks nobody but its own worker."""
    seen: list[str] = []
    done = threading.Event()

    class Asking:
        def perform(self, *, is_inner: bool) -> None:
            if is_inner:
                done.set()
                return
            inner = system.ask(Enqueue(Asking, {"is_inner": True}))
            assert done.wait(10)
            eventually(lambda: [job.id for job in system.ask(ListJobs("running")) if job.id != inner] == [job_id])
            seen.append(system.ask(GetStatus()).node)
            assert system.ask(PauseQueue("Asking"))
            assert system.ask(ResumeQueue("Asking"))

    job_id = system.ask(Enqueue(Asking, {"is_inner": False}))
    system.ask(StartWorker(Asking, concurrency=2))
    system.drain()

    assert seen == [system.ask(GetStatus()).node]
    assert (queue_status(system, "Asking").processed, queue_status(system, "Asking").failed) == (2, 0)


def test_jobs_are_listed_in_the_order_in_which_they_will_run(system: SystemRef) -> None:
    """`ListJobs` gives each state a page at a time."""
    with Room() as room:

        class Listed:
            def perform(self, *, number: int) -> None:
                room.visit(number)

        ids = system.ask(EnqueueMany(Enqueue(Listed, {"number": number}) for number in range(5)))
        late, soon = (system.ask(Enqueue(Listed, {"number": 9}, delay=delay)) for delay in (3_000, 1_000))
        system.ask(StartWorker(Listed))
        room.await_entered(1)

        assert [job.id for job in system.ask(ListJobs("running"))] == ids[:1]
        assert [job.id for job in system.ask(ListJobs("ready"))] == ids[1:]
        assert [job.id for job in system.ask(ListJobs("ready", "Listed", limit=2, offset=1))] == ids[2:4]
        assert [job.id for job in system.ask(ListJobs("waiting", queue="Listed"))] == [soon, late]
        assert system.ask(ListJobs("dead")) == ()
        assert system.ask(ListJobs("ready", "elsewhere")) == ()
