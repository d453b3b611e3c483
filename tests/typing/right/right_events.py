"""A pykka actor hears of events."""

import queue
from typing import Any

import pykka

from exqueue import (
    ActorRestarted,
    ExqueueSystem,
    JobDied,
    JobEnqueued,
    JobFailed,
    JobSucceeded,
    StartWorker,
    Subscribe,
    Unsubscribe,
)

heard: queue.SimpleQueue[str] = queue.SimpleQueue()


class Screen(pykka.ThreadingActor):
    use_daemon_thread = True

    def on_receive(self, message: Any) -> None:
        match message:
            case JobSucceeded(job=job, duration_s=duration_s):
                seconds: float = duration_s
                heard.put(f"{job} {seconds >= 0}")
            case JobFailed() | JobDied():
                cause = "" if message.error is None else message.error.traceback
                heard.put(cause)
            case _:
                heard.put("another")


class Quick:
    def perform(self) -> None: ...


def main() -> None:
    """Subscribe to some, to all, and to none any more."""
    screen = Screen.start()
    with ExqueueSystem.start("memory://") as system:
        subscribed: bool = system.ask(Subscribe(screen))
        system.ask(Subscribe(screen, JobSucceeded, JobFailed, JobDied))
        system.ask(StartWorker(Quick))
        system.enqueue(Quick)
        assert heard.get(timeout=5) == "Quick True"
        unsubscribed: bool = system.ask(Unsubscribe(screen))
        assert subscribed
        assert unsubscribed
        system.tell(Subscribe(screen, JobEnqueued, ActorRestarted))
    screen.stop()


if __name__ == "__main__":
    main()
