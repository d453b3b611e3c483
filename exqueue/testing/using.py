"""Putting a stand-in in the place of the system that a program starts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal
from unittest import mock

from exqueue.config import SystemConfig
from exqueue.errors import ConfigError
from exqueue.testing.bench import Bench
from exqueue.testing.clock import VirtualClock
from exqueue.testing.stand_in import StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue.persistence.base import Persistence
    from exqueue.supervision import Runtime

Mode = Literal["manual", "inline"]


@contextmanager
def use(mode: Mode = "manual", *, clock: VirtualClock | None = None) -> Iterator[StandIn]:
    """Give a stand-in, which ``ExqueueSystem.start(...)`` answers with too, until the end of the block.

    Args:
        mode: ``manual``: jobs are collected, and run by `StandIn.drain`. ``inline``: each runs as soon as it is
            enqueued (or due, see `StandIn.advance`), and what it raises is raised where it was enqueued.
        clock: by which it goes; ``None``: a new one.

    Raises:
        ConfigError: there is no such mode.
    """
    if mode not in ("manual", "inline"):
        raise ConfigError(f"mode is 'manual' or 'inline', not {mode!r}")
    bench = Bench(SystemConfig("memory://", node="test"), VirtualClock() if clock is None else clock)
    system = StandIn(bench, is_inline=mode == "inline")

    def start_system(_config: SystemConfig, persistence: Persistence, runtime: Runtime, *_: Any) -> StandIn:
        persistence.close()
        runtime.close()
        return system.start_again()

    try:
        with mock.patch("exqueue.system.start_system", start_system):
            yield system
    finally:
        # A program that keeps it until the next test is told, instead of enqueueing where nobody looks.
        system.stop()
        bench.close()
