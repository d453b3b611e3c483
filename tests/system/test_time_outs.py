"""A time-out that is not allowed is refused before anything is sent, and the refusal says what is allowed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from exqueue import (
    ConfigError,
    DeleteAllDead,
    Enqueue,
    EnqueueMany,
    ExqueueSystem,
    GetStatus,
    PauseQueue,
    StartWorker,
    SystemRef,
)
from exqueue.checks import MAX_TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_ALLOWED = [math.inf, -math.inf, math.nan, 1e10, MAX_TIMEOUT_S + 1, -1, -0.001, True, "1", [], 10**400]


class Plain:
    def perform(self) -> None:
        """Nothing to do."""


def refused(call: Callable[..., Any], timeout: object) -> None:
    """It raises, naming the bounds and what was given."""
    with pytest.raises(ConfigError, match=r"timeout must be seconds, 0 to 31536000, not .*\(\w+\)"):
        call(timeout=timeout)


@pytest.mark.parametrize("timeout", NOT_ALLOWED, ids=lambda value: repr(value)[:12])
def test_a_time_out_that_is_not_allowed_sends_nothing(system: SystemRef, timeout: object) -> None:
    """Neither an order nor a job nor a stop is on its way when the caller is told of his mistake."""
    system.ask(Enqueue(Plain))
    for message in (
        PauseQueue("Plain"),
        Enqueue(Plain),
        EnqueueMany([Enqueue(Plain)]),
        StartWorker(Plain),
        GetStatus(),
    ):
        refused(lambda timeout, message=message: system.ask(message, timeout=timeout), timeout)
        refused(lambda timeout, message=message: system.ask(message, timeout=timeout, block=False), timeout)
    refused(system.drain, timeout)
    refused(system.stop, timeout)
    refused(lambda timeout: system.stop(block=False, timeout=timeout), timeout)
    assert [(queue.name, queue.ready, queue.paused) for queue in system.ask(GetStatus()).queues] == [
        ("Plain", 1, False)
    ]
    assert system.is_alive()


@pytest.mark.parametrize("timeout", [MAX_TIMEOUT_S, 60, None])
def test_a_time_out_that_is_allowed_is_kept_to(url: str, namespace: str, timeout: float | None) -> None:
    """Up to a year, which every wait of the platform can do."""
    with ExqueueSystem.start(url, namespace=namespace, shutdown_timeout=5) as system:
        system.ask(StartWorker(Plain), timeout=timeout)
        system.ask(Enqueue(Plain), timeout=timeout)
        assert system.ask(DeleteAllDead(), timeout=timeout) == 0
        system.drain(timeout=timeout)
        assert system.stop(timeout=timeout)


def test_no_time_is_a_time_out(system: SystemRef) -> None:
    """Zero seconds: one look."""
    system.drain(timeout=0)
    assert system.stop(timeout=0) in (True, False)
