"""Wrong arguments in tests of a program."""

from exqueue import Job, job
from exqueue.testing import StandIn, use


class SendEmail(Job):
    def perform(self, *, to: str) -> None: ...


@job
def greet(name: str) -> None:
    """Do nothing."""


def test_it(exqueue: StandIn) -> None:
    """One mistake a line."""
    exqueue.enqueue(SendEmail, to=3)  # error: wrong type
    exqueue.perform(SendEmail, to=3)  # error: no overload
    exqueue.perform(greet)  # error: no overload
    exqueue.advance("3 s")  # error: wrong type
    exqueue.drain(later=True)  # error: unknown keyword
    use("eager")  # error: wrong type
