"""For the tests of programs that use Exqueue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.testing.crash import crash

if TYPE_CHECKING:
    from exqueue.testing.simulation import Simulated, Simulation, simulate

__all__ = ["Simulated", "Simulation", "crash", "simulate"]


def __getattr__(name: str) -> object:
    """Load what simulates only for those who ask for it: it needs greenlet, which most programs do not have."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from exqueue.testing import simulation  # noqa: PLC0415 - see above

    return getattr(simulation, name)
