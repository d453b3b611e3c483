"""Using a stand-in for the length of a test."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

from exqueue.checks import shown
from exqueue.config import SystemConfig, check_report, url_of_environment
from exqueue.errors import ConfigError
from exqueue.system import ExqueueSystem
from exqueue.system_ref import SystemRef
from exqueue.testing.clock import MovableClock
from exqueue.testing.threaded import ThreadedStandIn
from exqueue.testing.threadless import ThreadlessStandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from exqueue.testing.stand_in import StandIn

Mode = Literal["manual", "inline", "real"]
"""``manual``: jobs are kept until `StandIn.drain`. ``inline``: what is ready runs at once, in the thread that made it
so. ``real``: a whole system with its actors and workers."""


@contextmanager
def use(
    mode: Mode = "manual",
    *,
    instead_of: SystemRef | Iterable[SystemRef] = (),
    check: bool = True,
    clock: MovableClock | None = None,
    url: str = "memory://",
    namespace: str = "default",
) -> Iterator[StandIn]:
    """Have a stand-in while the block runs; meanwhile `ExqueueSystem.start` answers it, too.

    Args:
        mode: see `Mode`.
        instead_of: systems that the program under test has started already, see `StandIn.stand_in_for`.
        check: whether a failed job fails the test where nothing else is said.
        clock: by which jobs fall due; a new one by default. Not in mode ``real``.
        url: where the jobs are, in mode ``real``.
        namespace: the same.

    Raises:
        ConfigError: an argument is not allowed.
    """
    if mode not in get_args(Mode):
        raise ConfigError(f"mode is one of {', '.join(get_args(Mode))}, not {shown(mode)}")
    start = ExqueueSystem.start
    stand_in: StandIn
    if mode == "real":
        stand_in = ThreadedStandIn(start(url, namespace=namespace), check=check)
    else:
        stand_in = ThreadlessStandIn(clock or MovableClock(), inline=mode == "inline", check=check)
    try:
        stand_in.stand_in_for(*((instead_of,) if isinstance(instead_of, SystemRef) else instead_of))
        _let_start_answer(partial(_checked, stand_in))
        yield stand_in
    finally:
        _let_start_answer(start)
        stand_in._end()  # noqa: SLF001 - no test is to call it


def _checked(
    stand_in: StandIn, url: str | None = None, *, report: Callable[..., object] | None = None, **settings: Any
) -> StandIn:
    """As `ExqueueSystem.start` of the real one: what that refuses is refused."""
    SystemConfig(url_of_environment() if url is None else url, **settings)
    check_report(report)
    return stand_in


def _let_start_answer(start: Callable[..., Any]) -> None:
    ExqueueSystem.start = staticmethod(start)  # type: ignore[method-assign] # for the length of a test
