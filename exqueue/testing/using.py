"""Putting the system of a test in the place of the one that a program starts."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Literal, overload
from unittest import mock

from exqueue.config import SystemConfig
from exqueue.errors import ConfigError
from exqueue.persistence.urls import open_persistence
from exqueue.supervision import ThreadRuntime
from exqueue.system import start_system
from exqueue.testing.bench import Bench
from exqueue.testing.clock import VirtualClock
from exqueue.testing.real import RealSystem
from exqueue.testing.redirecting import redirected
from exqueue.testing.stand_in import StandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from exqueue.persistence.base import Persistence
    from exqueue.supervision import Runtime
    from exqueue.system_ref import SystemRef

Mode = Literal["manual", "inline", "real"]


@overload
def use(
    mode: Literal["manual", "inline"] = "manual",
    *,
    clock: VirtualClock | None = None,
    instead_of: SystemRef | Iterable[SystemRef] = (),
) -> AbstractContextManager[StandIn]: ...
@overload
def use(
    mode: Literal["real"],
    *,
    clock: VirtualClock | None = None,
    instead_of: SystemRef | Iterable[SystemRef] = (),
    url: str = "memory://",
    namespace: str = "default",
) -> AbstractContextManager[RealSystem]: ...
def use(
    mode: Mode = "manual",
    *,
    clock: VirtualClock | None = None,
    instead_of: SystemRef | Iterable[SystemRef] = (),
    url: str = "memory://",
    namespace: str = "default",
) -> AbstractContextManager[Any]:
    """Give a system for a test, which ``ExqueueSystem.start(...)`` answers with too, until the end of the block.

    Args:
        mode: ``manual``: jobs are collected, and run by `StandIn.drain`. ``inline``: each runs as soon as it is
            enqueued (or due, see `StandIn.advance`), and what it raises is raised where it was enqueued. ``real``: a
            whole system, whose workers run them.
        clock: by which it goes; ``None``: a new one. In mode ``real`` time is the machine's.
        instead_of: systems that the program has started before; all that they are asked and told is answered by this
            one, whoever holds them.
        url: where the jobs are, in mode ``real``.
        namespace: the same.

    Raises:
        ConfigError: an argument is not allowed.
    """
    if mode == "real":
        return _real(url, namespace, instead_of)
    if mode not in ("manual", "inline"):
        raise ConfigError(f"mode is 'manual', 'inline' or 'real', not {mode!r}")
    return _stand_in(VirtualClock() if clock is None else clock, instead_of, is_inline=mode == "inline")


@contextmanager
def _stand_in(
    clock: VirtualClock, instead_of: SystemRef | Iterable[SystemRef], *, is_inline: bool
) -> Iterator[StandIn]:
    bench = Bench(SystemConfig("memory://", node="test"), clock)
    system = StandIn(bench, is_inline=is_inline)
    try:
        with _answering(system.start_again), redirected(instead_of, system):
            yield system
    finally:
        # A program that keeps it until the next test is told, instead of enqueueing where nobody looks.
        system.stop()
        bench.close()


@contextmanager
def _real(url: str, namespace: str, instead_of: SystemRef | Iterable[SystemRef]) -> Iterator[RealSystem]:
    config = SystemConfig(url, namespace=namespace)
    with (
        # Not by `ExqueueSystem.start`, which another one may answer that this one stands within.
        start_system(config, open_persistence(url, namespace=namespace), ThreadRuntime()) as started,
        _answering(lambda: system),
        redirected(instead_of, system := RealSystem(started)),
    ):
        yield system


@contextmanager
def _answering(system: Callable[[], SystemRef]) -> Iterator[None]:
    """Have `ExqueueSystem.start`, once it has checked its settings, answer this."""

    def answer(_config: SystemConfig, persistence: Persistence, runtime: Runtime, *_: Any) -> SystemRef:
        persistence.close()
        runtime.close()
        return system()

    with mock.patch("exqueue.system.start_system", answer):
        yield
