"""Wrong options of a system and of how a job is run."""

from exqueue import ExqueueSystem, StartWorker


class Resize:
    def perform(self, *, width: int) -> None: ...


def late(failure: str) -> float:
    """Take what no backoff is given."""
    return float(failure)


def program() -> None:
    """One mistake a line."""
    ExqueueSystem.start(6379)  # error: wrong type
    ExqueueSystem.start("memory://", ttl=3)  # error: unknown keyword
    with ExqueueSystem.start("memory://", lock_ttl="3 s") as system:  # error: wrong type
        system.ask(StartWorker(Resize, concurrency="10"))  # error: wrong type
        system.ask(StartWorker(Resize, 10))  # error: too many
        system.ask(StartWorker(Resize, workers=10))  # error: unknown keyword
        system.ask(StartWorker(Resize, serial="yes"))  # error: wrong type
        system.ask(StartWorker(Resize, max_retries=None))  # error: wrong type
        system.ask(StartWorker(Resize, max_retries=2.5))  # error: wrong type
        system.ask(StartWorker(Resize, backoff="exponential"))  # error: wrong type
        system.ask(StartWorker(Resize, backoff=["1", "2"]))  # error: wrong type
        system.ask(StartWorker(Resize, backoff=late))  # error: wrong type
        system.ask(StartWorker(Resize, backoff=lambda: 1.0))  # error: wrong type
        system.ask(StartWorker(Resize, isolation="fiber"))  # error: wrong type
        system.ask(StartWorker(Resize, queue="pictures"))  # error: unknown keyword
        system.ask(StartWorker())  # error: missing
        system.start("memory://")  # error: no such attribute
