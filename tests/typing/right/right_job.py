"""A job is a subclass of `exqueue.Job`, whose options are checked on the class."""

from collections.abc import Sequence

from exqueue import Enqueue, ExqueueSystem, Job, StartWorker

ran: list[str] = []


class Import(Job):
    name = "Import.v2"
    queue = "imports"
    aliases = ("Import", "ImportFile")
    concurrency = 4
    serial = False
    max_retries = 3
    max_recoveries = 5
    backoff = (1, 2.5, 60)
    isolation = "thread"

    def perform(self, *, path: str, rows: int = 0) -> None:
        ran.append(path)


class Slow(Job):
    backoff = 30

    def perform(self, seconds: float) -> None:
        ran.append("slow")


class Patient(Job):
    @staticmethod
    def backoff(failure: int) -> float:
        return 2.0**failure

    def perform(self) -> None:
        ran.append("patient")


class Usual(Job):
    backoff = None

    def perform(self) -> None:
        ran.append("usual")


class Mail(Job):
    queue = "mail"


class Welcome(Mail):
    def perform(self, *, to: str) -> str:
        ran.append(to)
        return to


class Annotated(Job):
    name: str = "Annotated.v2"
    queue: str = "annotated"
    aliases: Sequence[str] = ("Annotated",)
    concurrency: int = 2
    serial: bool = False
    max_retries: int = 3
    max_recoveries: int = 5

    def perform(self) -> None:
        ran.append("annotated")


class Static:
    @staticmethod
    def perform(*, to: str) -> None:
        ran.append(to)


def main() -> None:
    """Start them from a list, enqueue each with its own arguments."""
    jobs: list[type[Job]] = [Import, Slow, Patient, Usual, Welcome, Annotated]
    with ExqueueSystem.start("memory://") as system:
        for job in jobs:
            system.ask(StartWorker(job))
        system.ask(StartWorker(Static))
        system.enqueue(Import, path="a.csv")
        system.enqueue(Slow, 0.5)
        system.enqueue(Patient)
        system.enqueue(Welcome, to="b")
        system.enqueue(Static, to="c")
        for one in (Patient, Usual, Annotated):
            system.ask(Enqueue(one))
        system.drain()
    assert sorted(ran) == ["a.csv", "annotated", "b", "c", "patient", "patient", "slow", "usual"]


if __name__ == "__main__":
    main()
