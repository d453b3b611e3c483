"""Answering for systems that the program under test has started before, as when it was imported."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

from exqueue.checks import shown
from exqueue.errors import ConfigError
from exqueue.system_ref import SystemRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REDIRECTED: Final = ("ask", "tell", "enqueue", "drain", "is_alive", "run", "stop", "send_to", "urn_of")
"""What of another system is answered by the one of the test."""


@contextmanager
def redirected(systems: SystemRef | Iterable[SystemRef], to: SystemRef) -> Iterator[None]:
    """Have all that these systems are asked and told answered by another, until the end of the block.

    The very objects are changed, so that it holds for all who have imported them, under whichever name.

    Raises:
        ConfigError: one of them is no system, or is the other itself.
    """
    with ExitStack() as stack:
        for system in (systems,) if isinstance(systems, SystemRef) else systems:
            _check(system, to)
            own: dict[str, Any] = vars(system)
            stack.enter_context(mock.patch.dict(own, {name: getattr(to, name) for name in REDIRECTED}))
        yield


def _check(system: object, to: SystemRef) -> None:
    if not isinstance(system, SystemRef) or system is to:
        raise ConfigError(f"instead_of takes what ExqueueSystem.start gave, not {shown(system)}")
