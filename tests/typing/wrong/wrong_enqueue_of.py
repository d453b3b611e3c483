"""Wrong arguments and options of `exqueue.Enqueue.of`."""

from datetime import timedelta

from exqueue import Enqueue, Job, SystemRef


class SendEmail:
    def perform(self, *, to: str, title: str = "Hello") -> None: ...


class Import(Job):
    def perform(self, path: str) -> None: ...


def program(system: SystemRef) -> None:
    """One mistake a line."""
    Enqueue.of(SendEmail, to=3)  # error: wrong type
    Enqueue.of(SendEmail)  # error: missing
    Enqueue.of(SendEmail, to="a", text="b")  # error: unknown keyword
    Enqueue.of(SendEmail, "a")  # error: too many
    Enqueue.of(Import, 1)  # error: wrong type
    Enqueue.of("Import", path="a.csv")  # error: wrong type
    Enqueue.of(Import, "a.csv").options(delay="1 h")  # error: wrong type
    Enqueue.of(Import, "a.csv").options(delay=timedelta(hours=1))  # error: wrong type
    Enqueue.of(Import, "a.csv").options(at="tomorrow")  # error: wrong type
    Enqueue.of(Import, "a.csv").options(id=7)  # error: wrong type
    Enqueue.of(Import, "a.csv").options(queue="imports")  # error: unknown keyword
    number: int = system.enqueue(Import, "a.csv")  # error: wrong type
    print(number)
