"""Starting and stopping the work on a queue, and doing it again with other options while jobs run."""

import logging

import pytest

from exqueue import (
    ActorInfo,
    ConfigError,
    Enqueue,
    EnqueueMany,
    GetJob,
    GetStatus,
    GetTree,
    ListJobs,
    StartWorker,
    StopWorker,
    SystemRef,
)
from tests.system.helpers import Room, eventually, queue_status


def held_in(room: Room) -> type:
    """A job class whose jobs stay in the room."""

    class Held:
        def perform(self, *, who: int) -> None:
            room.visit(who)

    return Held


def queues_of(tree: ActorInfo) -> list[str]:
    """The names of the queues that stand in the tree."""
    return [queue.name for child in tree.children if child.name == "queues" for queue in child.children]


def test_the_answer_comes_when_the_actors_of_the_queue_stand(system: SystemRef) -> None:
    """`StartWorker` answers the queue's name, and then its supervisor, Fetcher and Workers are in the tree."""
    job = held_in(Room())

    assert system.ask(StartWorker(job, concurrency=2)) == "Held"

    queues = next(child for child in system.ask(GetTree()).children if child.name == "queues")
    assert [(one.name, one.alive) for one in queues.children[0].children] == [
        ("queues/Held/fetcher", True),
        ("queues/Held/worker-1", True),
        ("queues/Held/worker-2", True),
    ]


def test_the_tree_tells_which_job_a_worker_is_at(system: SystemRef) -> None:
    """A worker in the tree is doing its job while that runs, and nothing before and after."""

    def doing() -> list[str | None]:
        queues = next(child for child in system.ask(GetTree()).children if child.name == "queues")
        return [one.doing for one in queues.children[0].children if one.role == "Worker"]

    with Room() as room:
        job = held_in(room)
        system.ask(StartWorker(job, concurrency=2))
        before = doing()
        job_id = system.ask(Enqueue(job, {"who": 1}))
        room.await_entered(1)
        during = doing()
    system.drain()

    assert before == [None, None]
    assert sorted(during, key=str) == [None, f"job {job_id}"]
    eventually(lambda: doing() == [None, None])


def test_more_workers_take_part_while_jobs_run(system: SystemRef) -> None:
    """Starting again with a higher concurrency adds workers at once."""
    with Room() as room:
        job = held_in(room)
        system.ask(StartWorker(job))
        system.ask(EnqueueMany(Enqueue(job, {"who": who}) for who in range(3)))
        room.await_entered(1)

        system.ask(StartWorker(job, concurrency=3))

        room.await_entered(3)
        assert sorted(room.inside, key=str) == [0, 1, 2]


def test_fewer_workers_begin_nothing_until_those_too_many_have_ended(system: SystemRef) -> None:
    """After a lower concurrency running jobs end in peace, and no more than it start."""
    with Room() as room:
        job = held_in(room)
        system.ask(StartWorker(job, concurrency=3))
        system.ask(EnqueueMany(Enqueue(job, {"who": who}) for who in range(6)))
        room.await_entered(3)

        system.ask(StartWorker(job, concurrency=1))
        room.let_out(0, 1)
        eventually(lambda: queue_status(system, "Held").running == 1)
        room.open()
        system.drain()

        assert sorted(room.entered, key=str) == [0, 1, 2, 3, 4, 5]
        assert room.crowds[3:] == [1, 1, 1]


def test_fewer_and_then_more_workers_while_all_are_busy(system: SystemRef) -> None:
    """A worker that was to end and is wanted again before its job ended does not leave its slot empty."""
    with Room() as room:
        job = held_in(room)
        system.ask(StartWorker(job, concurrency=3))
        system.ask(EnqueueMany(Enqueue(job, {"who": who}) for who in range(6)))
        room.await_entered(3)

        system.ask(StartWorker(job, concurrency=1))
        system.ask(StartWorker(job, concurrency=3))
        room.let_out(0, 1, 2)

        room.await_entered(6)
        assert sorted(room.inside, key=str) == [3, 4, 5]


def test_a_running_job_ends_under_the_options_it_began_with(system: SystemRef) -> None:
    """Other options hold for the runs that begin after them."""
    with Room() as room:

        class Failing:
            def perform(self) -> None:
                room.visit()
                raise ValueError

        system.ask(StartWorker(Failing, max_retries=0))
        job_id = system.ask(Enqueue(Failing))
        room.await_entered(1)

        system.ask(StartWorker(Failing, max_retries=5, backoff=60))
        room.open()

        eventually(lambda: system.ask(GetJob(job_id)).state != "running")
        assert system.ask(GetJob(job_id)).state == "dead"
        later = system.ask(Enqueue(Failing))
        eventually(lambda: system.ask(GetJob(later)).state == "waiting")


def test_a_stopped_queue_ends_what_runs_and_begins_nothing(system: SystemRef) -> None:
    """`StopWorker` lets the running job end; what is ready stays until the class is started again."""
    with Room() as room:
        job = held_in(room)
        system.ask(StartWorker(job))
        system.ask(EnqueueMany(Enqueue(job, {"who": who}) for who in range(2)))
        room.await_entered(1)

        assert system.ask(StopWorker(job)) == "Held"
        room.open()
        eventually(lambda: queues_of(system.ask(GetTree())) == [])

        assert room.left == [0]
        assert [one.kwargs for one in system.ask(ListJobs("ready"))] == [{"who": 1}]
        system.ask(StartWorker(job))
        room.await_left(2)


def test_a_queue_stopped_and_started_while_a_job_runs_goes_on(system: SystemRef) -> None:
    """Starting a class again takes back the stop that still waits for its running job."""
    with Room() as room:
        job = held_in(room)
        system.ask(StartWorker(job))
        system.ask(EnqueueMany(Enqueue(job, {"who": who}) for who in range(3)))
        room.await_entered(1)

        system.ask(StopWorker(job))
        system.ask(StartWorker(job))
        room.open()

        room.await_left(3)
        assert queues_of(system.ask(GetTree())) == ["queues/Held"]


def test_a_class_that_is_not_started_cannot_be_stopped(system: SystemRef) -> None:
    """`StopWorker` for it is a `ConfigError` that says which are started."""
    job = held_in(Room())

    with pytest.raises(ConfigError, match="Held is not started here"):
        system.ask(StopWorker(job))


def test_two_classes_share_a_queue_only_under_the_same_options(system: SystemRef) -> None:
    """Concurrency belongs to the queue: a second class that asks for another is refused, and the first works on."""
    done = Room()
    done.open()

    class One:
        queue = "shared"

        def perform(self) -> None:
            done.visit("one")

    class Two(One):
        pass

    system.ask(StartWorker(One, concurrency=2))
    with pytest.raises(ConfigError, match="concurrency belongs to the queue"):
        system.ask(StartWorker(Two, concurrency=3))
    system.ask(StartWorker(Two, concurrency=2))
    system.ask(Enqueue(One))
    system.ask(Enqueue(Two))
    done.await_left(2)


def test_two_classes_of_one_name_are_refused_to_who_asks(system: SystemRef) -> None:
    """The second class of a name is a `ConfigError` that names both, and the first works on."""
    first, second = held_in(Room()), held_in(Room())
    system.ask(StartWorker(first))

    with pytest.raises(ConfigError, match="two job classes are named Held"):
        system.ask(StartWorker(second))
    system.ask(StartWorker(first))


def test_two_classes_of_one_name_are_one_error_when_told(system: SystemRef, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for the answer to a `tell`: the refusal is one ERROR, and stands in the status."""
    system.ask(StartWorker(held_in(Room())))

    system.tell(StartWorker(held_in(Room())))

    failed = eventually(lambda: system.ask(GetStatus()).failed)
    assert len(failed) == 1
    assert "two job classes are named Held" in failed[0]
    # It is in the status first.
    errors = eventually(lambda: [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR])
    assert errors == list(failed)
