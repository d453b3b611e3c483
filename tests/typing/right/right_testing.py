"""In tests the arguments of jobs are checked, and a stand-in is a system."""

import exqueue
from exqueue import Enqueue, GetStatus, SystemRef
from exqueue.testing import Drained, Enqueued, JobsFailed, Mode, MovableClock, StandIn, crash, use

mode: Mode = "inline"


class SendEmail:
    def perform(self, *, to: str, title: str = "Hello") -> None: ...


@exqueue.job
async def greet(name: str) -> None:
    """Do nothing."""


def sign_up(system: SystemRef) -> str:
    """Take any system."""
    return system.enqueue(SendEmail, to="ann@example.com")


def test_it(exqueue: StandIn, exqueue_clock: MovableClock) -> None:
    """As a test with fixtures."""
    job_id: str = sign_up(exqueue)
    assert job_id
    exqueue.ask(Enqueue(SendEmail, {"to": "bob@example.com"}, at=exqueue_clock.now()))
    found: Enqueued = exqueue.assert_enqueued(SendEmail, to="ann@example.com", delay=None)
    assert found.kwargs["to"]
    exqueue.refute_enqueued(greet, name="Ann")
    exqueue.perform(SendEmail, to="cas@example.com")
    exqueue.perform(greet, "Ann")
    counts: Drained = exqueue.drain(recursive=False, scheduled=True, check=False)
    runs: int = counts.runs
    assert runs == counts.succeeded == 2
    passed: Drained = exqueue.advance(3.5)
    assert passed == Drained()
    node: str = exqueue.ask(GetStatus()).node
    assert node == "test"


def main() -> None:
    """Without pytest."""
    clock = MovableClock()
    with use(clock=clock) as system:
        test_it(system, clock)
    with exqueue.ExqueueSystem.start("memory://") as started, use(mode, instead_of=started, check=False) as system:
        sign_up(started)
        assert len(system.enqueued(SendEmail)) == 1
    with use("real") as system:
        crash(system, "operator")
    assert issubclass(JobsFailed, AssertionError)


if __name__ == "__main__":
    main()
