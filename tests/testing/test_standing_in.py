"""How the program under test gets the stand-in."""

import threading
from collections.abc import Iterator

import pytest

from exqueue import (
    CancelJob,
    ConfigError,
    DeleteAllDead,
    DeleteDead,
    Enqueue,
    EnqueueMany,
    ExqueueSystem,
    GetJob,
    GetStatus,
    GetTree,
    JobDied,
    JobEnqueued,
    JobFailed,
    JobNotFound,
    JobStarted,
    JobSucceeded,
    ListJobs,
    PauseQueue,
    ResumeQueue,
    RetryAllDead,
    RetryDead,
    StartWorker,
    StopWorker,
    Subscribe,
    SystemRef,
    SystemStopped,
    Unsubscribe,
    job,
)
from exqueue.messages import RECIPIENT, Message
from exqueue.testing import MovableClock, StandIn, use
from tests.testing.jobs import SendEmail, done, fragile


@pytest.fixture
def started() -> Iterator[SystemRef]:
    """A system that a program has started when it was imported."""
    with ExqueueSystem.start("memory://") as system:
        yield system


def sign_up(system: SystemRef, name: str) -> str:
    """Code under test that is handed its system."""
    return system.enqueue(SendEmail, to=name)


def test_it_is_a_system() -> None:
    """It can be handed to whatever takes a `SystemRef`."""
    with use() as system:
        assert isinstance(system, SystemRef)
        assert sign_up(system, "ann") == system.enqueued()[0].id
        assert "stand-in" in repr(system)
        assert "stand-in" in str(system)


def test_start_answers_the_stand_in() -> None:
    """Until the end, however that comes; whoever has imported the class, as it is patched on it."""
    before = ExqueueSystem.start
    with use() as system:
        assert ExqueueSystem.start("redis://nowhere", namespace="x") is system
        with use("inline") as inner:
            assert ExqueueSystem.start() is inner
        assert ExqueueSystem.start() is system
    assert ExqueueSystem.start is before

    with pytest.raises(KeyError), use():
        raise KeyError
    assert ExqueueSystem.start is before


def test_it_answers_for_a_system_that_is_started(started: SystemRef) -> None:
    """Whoever holds it, and gives it back at the end."""
    holds_it_too = started
    with use(instead_of=started) as system:
        holds_it_too.enqueue(SendEmail, to="ann")
        started.tell(Enqueue(SendEmail, {"to": "bob"}))
        assert [each.kwargs["to"] for each in system.enqueued()] == ["ann", "bob"]
        assert len(started.ask(ListJobs("ready"))) == 2
        started.drain()
        assert done == ["ann", "bob"]
        with started:
            assert started.is_alive()
        assert not started.is_alive()

    assert started.is_alive()
    assert started.ask(ListJobs("ready")) == ()


def test_it_answers_for_several(started: SystemRef) -> None:
    """Also later, and nested; what is no system is refused."""
    with ExqueueSystem.start("memory://") as other, use(instead_of=[started]) as system:
        system.stand_in_for(other)
        other.enqueue(SendEmail, to="ann")
        with use(instead_of=[started, other]) as inner:
            other.enqueue(SendEmail, to="bob")
            assert len(inner.enqueued()) == 1
        started.enqueue(SendEmail, to="cas")
        assert [each.kwargs["to"] for each in system.enqueued()] == ["ann", "cas"]
        for wrong in (None, "system", system):
            with pytest.raises(ConfigError, match="takes the place"):
                system.stand_in_for(wrong)  # type: ignore[arg-type] # what is tested


def test_it_ends_with_its_test() -> None:
    """What a program has kept of it says so."""
    with use() as system:
        pass
    with pytest.raises(SystemStopped, match="the test is over"):
        system.enqueue(SendEmail, to="ann")
    assert not system.is_alive()


def test_a_stop_of_the_program_is_no_end_of_the_test() -> None:
    """It refuses what comes then, as a system does; what was enqueued can be looked at and drained."""
    with use() as system:
        with ExqueueSystem.start() as started:
            started.enqueue(SendEmail, to="ann")
            started.run()
        with pytest.raises(SystemStopped):
            started.enqueue(SendEmail, to="bob")
        system.assert_enqueued(SendEmail, to="ann")
        assert system.drain().succeeded == 1


def test_two_have_nothing_in_common() -> None:
    """Each has a store of its own."""
    with use() as one, use() as other:
        one.enqueue(SendEmail, to="ann")
        assert other.enqueued() == ()
        assert other.drain().runs == 0
        assert one.drain().runs == 1


class Subscriber:
    """Keeps the events, and the threads in which they came."""

    actor_urn = "urn:subscriber"

    def __init__(self) -> None:
        self.events: list[object] = []
        self.threads: set[threading.Thread] = set()

    def tell(self, message: object) -> None:
        """Hear an event."""
        self.events.append(message)
        self.threads.add(threading.current_thread())


def test_subscribers_hear_of_events() -> None:
    """In the thread of the test, those that they asked for, until they want no more."""
    everything, deaths = Subscriber(), Subscriber()
    deaths.actor_urn = "urn:deaths"
    with use(check=False) as system:
        assert system.ask(Subscribe(everything)) is True
        system.ask(Subscribe(deaths, JobDied))
        system.enqueue(SendEmail, to="ann")
        system.enqueue(fragile, name="a")
        system.drain(scheduled=True)
        assert system.ask(Unsubscribe(everything)) is True
        assert system.ask(Unsubscribe(everything)) is False
        system.enqueue(SendEmail, to="bob")
        system.drain()

    kinds = [type(event) for event in everything.events]
    assert kinds == [JobEnqueued, JobEnqueued, JobStarted, JobSucceeded, JobStarted, JobFailed, JobStarted, JobDied]
    assert [type(event) for event in deaths.events] == [JobDied]
    assert everything.threads == {threading.current_thread()}


def test_what_is_not_allowed_is_refused() -> None:
    """With what is."""
    with pytest.raises(ConfigError, match="manual, inline, real"), use("eager"):  # type: ignore[arg-type] # is tested
        pass


def test_the_clock_is_the_machines_and_ahead_of_it() -> None:
    """All its three faces by the same."""
    clock = MovableClock()
    before = clock.time(), clock.monotonic(), clock.boottime()
    clock.advance(1000)
    after = clock.time(), clock.monotonic(), clock.boottime()
    assert all(1000 <= later - earlier < 1030 for earlier, later in zip(before, after, strict=True))
    assert abs(clock.now().timestamp() - clock.time()) < 30
    with use(clock=clock) as system:
        assert system.clock is clock
        assert isinstance(system, StandIn)


def test_at_is_by_the_clock_of_the_machine_or_of_the_test() -> None:
    """A time that a program took from the machine falls due when the test has let as much pass."""
    with use() as system:
        system.ask(Enqueue(SendEmail, {"to": "ann"}, at=system.clock.now()))
        assert system.drain().succeeded == 1


def test_every_message_is_answered() -> None:
    """Or refused as a system refuses it: a message that is added is not forgotten here."""

    @job(max_retries=0)
    def dies() -> None:
        raise ValueError

    with use(check=False) as system:
        dead = [system.enqueue(dies) for _ in range(3)]
        system.drain()
        cancelled = system.enqueue(SendEmail, to="ann")
        subscriber = Subscriber()
        messages: list[Message[object]] = [
            Enqueue(SendEmail, {"to": "bob"}),
            EnqueueMany([]),
            StartWorker(SendEmail),
            StopWorker(SendEmail),
            RetryDead(dead[0]),
            DeleteDead(dead[1]),
            RetryAllDead(),
            DeleteAllDead(),
            CancelJob(cancelled),
            PauseQueue("SendEmail"),
            ResumeQueue("SendEmail"),
            GetStatus(),
            GetJob(dead[0]),
            GetTree(),
            ListJobs("ready"),
            Subscribe(subscriber),
            Unsubscribe(subscriber),
        ]
        assert {type(message) for message in messages} == set(RECIPIENT)
        for message in messages:
            assert system.ask(message) is not None
            system.tell(message)


def test_a_future_is_answered() -> None:
    """As by a system, with the answer or the error."""
    with use() as system:
        assert system.ask(GetStatus(), block=False).get().node == "test"
        with pytest.raises(JobNotFound):
            system.ask(RetryDead("none"), block=False).get()


def test_start_refuses_what_the_real_one_refuses() -> None:
    """A test finds a setting that is not allowed."""
    with use() as system:
        assert ExqueueSystem.start("redis://nowhere", lock_ttl=3.0, report=print) is system
        for settings in ({"lock_ttl": -1}, {"namespace": "a b"}, {"report": 3}):
            with pytest.raises(ConfigError):
                ExqueueSystem.start("memory://", **settings)
        with pytest.raises(TypeError):
            ExqueueSystem.start("memory://", lock_tll=3)  # type: ignore[call-arg] # what is tested
