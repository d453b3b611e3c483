"""Wrong subscribers and wrong events."""

from typing import Any

import pykka

from exqueue import JobDied, JobFailed, JobInfo, JobSucceeded, Subscribe, SystemRef, Unsubscribe


class Screen(pykka.ThreadingActor):
    def on_receive(self, message: Any) -> None:
        match message:
            case JobSucceeded():
                print(message.duration)  # error: no such attribute
            case JobFailed():
                print(message.error.text)  # error: no such attribute
                delay: str = message.retry_in_s  # error: wrong type
                print(delay)
            case JobDied():
                print(message.error.traceback)  # error: optional
            case _:
                pass


def program(system: SystemRef) -> None:
    """One mistake a line."""
    screen = Screen.start()
    system.ask(Subscribe(Screen))  # error: wrong type
    system.ask(Subscribe(print))  # error: wrong type
    system.ask(Subscribe(screen, JobInfo))  # error: wrong type
    system.ask(Subscribe(screen, "JobDied"))  # error: wrong type
    system.ask(Subscribe(screen, [JobDied, JobFailed]))  # error: wrong type
    system.ask(Subscribe())  # error: missing
    system.ask(Unsubscribe(screen, JobDied))  # error: too many
