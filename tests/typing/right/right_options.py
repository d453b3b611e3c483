"""How a job is run may be overridden where its queue is started."""

from exqueue import ExqueueSystem, StartWorker

DELAYS: list[int] = [1, 5, 25]


class Resize:
    def perform(self, *, width: int) -> None: ...


def twice_as_long(failure: int) -> float:
    """Double the delay."""
    return 2.0**failure


def main() -> None:
    """Set each of them, alone and together."""
    with ExqueueSystem.start(
        "memory://right",
        namespace="types",
        node=None,
        lock_ttl=10,
        shutdown_timeout=1.5,
        ask_timeout=5,
        max_payload=1000,
        max_abandoned=0,
    ) as system:
        system.ask(StartWorker(Resize))
        system.ask(StartWorker(Resize, concurrency=10))
        system.ask(StartWorker(Resize, serial=True, max_retries=0, max_recoveries=4, isolation="thread"))
        system.ask(StartWorker(Resize, backoff=3))
        system.ask(StartWorker(Resize, backoff=0.5))
        system.ask(StartWorker(Resize, backoff=DELAYS))
        system.ask(StartWorker(Resize, backoff=(0.5, 1, 2)))
        system.ask(StartWorker(Resize, backoff=twice_as_long))
        system.ask(StartWorker(Resize, backoff=lambda failure: failure * 10))
        system.tell(StartWorker(Resize, backoff=None))


if __name__ == "__main__":
    main()
