"""What the log and subscribers are told of the end of a system whose log is slow."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pykka
import pytest

from exqueue import Enqueue, ExqueueSystem, JobSucceeded, LeadershipLost, StartWorker, Subscribe
from tests.system.helpers import PATIENCE_S, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue import SystemRef


class Greet:
    def perform(self) -> None:
        """Succeed."""


class Slow(logging.Handler):
    """Hangs at its first line until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.hangs = threading.Event()
        self.let_go = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.hangs.set()
        assert self.let_go.wait(PATIENCE_S)


class Keeper(pykka.ThreadingActor):
    """Keeps what it is told."""

    seen: list[object]

    def __init__(self, seen: list[object]) -> None:
        super().__init__()
        self.seen = seen

    def on_receive(self, message: object) -> None:
        self.seen.append(message)


@pytest.fixture
def slow() -> Iterator[Slow]:
    """A handler of the library's log, for the time of a test."""
    logger, handler = logging.getLogger("exqueue"), Slow()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield handler
    handler.let_go.set()
    logger.removeHandler(handler)
    logger.setLevel(level)


def is_asked_to_stop(system: SystemRef, actor: str) -> bool:
    """Whether the stop of the tree has come to this actor, which has not seen it yet."""
    ref = system._context.names.whereis(actor)  # noqa: SLF001 - nothing public tells it
    return ref is not None and bool(ref.actor_inbox._control)  # type: ignore[attr-defined]  # noqa: SLF001


def test_a_stop_overtakes_no_line_and_no_event(slow: Slow) -> None:
    """What the Reporter was told before its stop is said before it ends, also when its log hung meanwhile."""
    seen: list[object] = []
    keeper = Keeper.start(seen)
    with ExqueueSystem.start("memory://", node="here") as system:
        system.ask(Subscribe(keeper, JobSucceeded, LeadershipLost))
        system.ask(StartWorker(Greet))
        assert slow.hangs.wait(PATIENCE_S)
        system.ask(Enqueue(Greet))
        system.drain()
        system.stop(block=False)
        eventually(lambda: is_asked_to_stop(system, "reporter"))
        slow.let_go.set()
        assert system.stop()
    keeper.stop()

    assert slow.lines == ["here leads with epoch 1", "here does not lead any more: the lock is given back"]
    assert [type(event) for event in seen] == [JobSucceeded, LeadershipLost]
