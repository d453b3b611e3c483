"""Wrong options and arguments of subclasses of `exqueue.Job`."""

from exqueue import Job, SystemRef


class Import(Job):
    max_retries = "3"  # error: wrong type
    serial = "yes"  # error: wrong type
    isolation = "fiber"  # error: wrong type
    backoff = "soon"  # error: wrong type
    aliases = (1, 2)  # error: wrong type
    queue = None  # error: wrong type

    def perform(self, *, path: str, rows: int = 0) -> None: ...


class Patient(Job):
    @staticmethod
    def backoff(failure: int) -> str:  # error: wrong type
        return str(failure)

    def perform(self) -> None: ...


class Idle(Job):
    concurrency = 2


def program(system: SystemRef) -> None:
    """One mistake a line."""
    system.enqueue(Import, path=b"a.csv")  # error: wrong type
    system.enqueue(Import, rows=1)  # error: missing
    system.enqueue(Import, path="a.csv", row=1)  # error: unknown keyword
    system.enqueue(Patient, 1)  # error: too many
    system.enqueue(Idle)  # error: wrong type
