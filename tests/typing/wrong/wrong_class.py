"""Wrong arguments of a plain class, and what is no job."""

from exqueue import Enqueue, EnqueueMany, StartWorker, StopWorker, SystemRef


class SendEmail:
    def perform(self, *, to: str, title: str = "Hello") -> None: ...


class Count:
    def perform(self, start: int, stop: int | None = None) -> int:
        return (stop or 0) - start


class Idle:
    def work(self) -> None: ...


def plain() -> None:
    """Not under ``@job``."""


def program(system: SystemRef) -> None:
    """One mistake a line."""
    system.enqueue(SendEmail, to=3)  # error: wrong type
    system.enqueue(SendEmail, title="Hello")  # error: missing
    system.enqueue(SendEmail, to="a", titel="Hello")  # error: unknown keyword
    system.enqueue(SendEmail, "a")  # error: too many
    system.enqueue(SendEmail, to=None)  # error: wrong type
    system.enqueue(Count, "1")  # error: wrong type
    system.enqueue(Count, 1, stop="2")  # error: wrong type
    system.enqueue(Count, 1, 2, 3)  # error: too many
    system.enqueue(SendEmail, to="a", delay=3)  # error: unknown keyword
    system.enqueue(Idle)  # error: wrong type
    system.enqueue(plain)  # error: wrong type
    system.enqueue("SendEmail", to="a")  # error: wrong type
    system.ask(StartWorker(plain))  # error: wrong type
    system.ask(StopWorker("SendEmail"))  # error: wrong type
    system.ask(Enqueue(SendEmail(), {"to": "a"}))  # error: wrong type
    system.ask(Enqueue(SendEmail, {"to": "a"}, delay="soon"))  # error: wrong type
    system.ask(Enqueue(SendEmail, {"to": "a"}, at=1_800_000_000.0))  # error: wrong type
    system.ask(Enqueue(SendEmail, {"to": "a"}, priority=1))  # error: unknown keyword
    system.ask(EnqueueMany([SendEmail]))  # error: wrong type
