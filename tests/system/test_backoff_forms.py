"""The forms in which a backoff may be given, as the events of a failing job tell its delays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pykka
import pytest

from exqueue import ConfigError, Enqueue, JobDied, JobFailed, StartWorker, Subscribe
from tests.naming import plain_repr
from tests.system.helpers import PATIENCE_S, eventually

if TYPE_CHECKING:
    from exqueue import SystemRef


class Ear(pykka.ThreadingActor):
    """Keeps what it hears."""

    use_daemon_thread = True

    def __init__(self, heard: list[Any]) -> None:
        super().__init__()
        self.heard = heard

    def on_receive(self, message: Any) -> None:
        self.heard.append(message)


class Fragile:
    max_retries = 3

    def perform(self) -> None:
        raise ValueError("always")


@pytest.mark.parametrize(
    ("backoff", "delays_s"),
    [
        (0.02, [0.02, 0.02, 0.02]),
        (0, [0, 0, 0]),
        ([0.01, 0.03], [0.01, 0.03, 0.03]),
        (lambda number: number / 100, [0.01, 0.02, 0.03]),
    ],
    ids=["seconds", "none", "sequence", "function"],
)
def test_each_form_gives_its_delays(system: SystemRef, backoff: Any, delays_s: list[float]) -> None:
    """Always the same, one of a list whose last is repeated, or what a function of the failure's number says."""
    heard: list[Any] = []
    ear = Ear.start(heard)
    try:
        system.ask(Subscribe(ear, JobFailed, JobDied))
        system.ask(StartWorker(Fragile, backoff=backoff))
        system.ask(Enqueue(Fragile))
        eventually(lambda: heard and type(heard[-1]) is JobDied)
    finally:
        ear.stop(timeout=PATIENCE_S)
    assert [one.retry_in_s for one in heard[:-1]] == delays_s
    assert [one.note for one in heard[:-1]] == [None] * 3
    assert (heard[-1].attempts, heard[-1].error.message) == (4, "always")


@pytest.mark.parametrize(
    "backoff", [-1, float("nan"), float("inf"), [], [1, -1], "5", [1, "2"], lambda: 1, True], ids=plain_repr
)
def test_what_is_no_backoff_is_refused(backoff: Any) -> None:
    """When the message is built, with the forms that are allowed."""
    with pytest.raises(ConfigError, match="backoff"):
        StartWorker(Fragile, backoff=backoff)
