"""A subscriber of the tests, which keeps what it hears."""

from __future__ import annotations

from typing import Any

import pykka

from tests.system.helpers import eventually


class Ear(pykka.ThreadingActor):
    """An actor of the host program that keeps what it hears, in order."""

    use_daemon_thread = True

    def __init__(self, heard: list[Any]) -> None:
        super().__init__()
        self.heard = heard

    def on_receive(self, message: Any) -> None:
        self.heard.append(message)


class Listener:
    """An `Ear` and what it has heard."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.ref = Ear.start(self.heard)

    def nth(self, number: int) -> Any:
        """The event of this number, from 1, as soon as it comes; it is the last one so far."""
        eventually(lambda: len(self.heard) >= number)
        assert len(self.heard) == number, self.heard
        return self.heard[-1]

    def one(self, kind: type[Any]) -> Any:
        """The first event of this type, as soon as it comes."""
        return eventually(lambda: [event for event in self.heard if type(event) is kind])[0]
