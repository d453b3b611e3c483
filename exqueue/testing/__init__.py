"""For the tests of programs that use Exqueue, see docs/testing.md. The fixtures of pytest are in `exqueue_pytest`."""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exqueue.testing.clock import MovableClock
    from exqueue.testing.crashing import crash
    from exqueue.testing.ended import Drained, Failed, JobsFailed
    from exqueue.testing.enqueued import Enqueued
    from exqueue.testing.simulation import Simulated, Simulation, simulate
    from exqueue.testing.stand_in import StandIn
    from exqueue.testing.using import Mode, use

__all__ = [
    "Drained",
    "Enqueued",
    "Failed",
    "JobsFailed",
    "Mode",
    "MovableClock",
    "Simulated",
    "Simulation",
    "StandIn",
    "crash",
    "simulate",
    "use",
]

_HOME: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Drained": "ended",
        "Enqueued": "enqueued",
        "Failed": "ended",
        "JobsFailed": "ended",
        "Mode": "using",
        "MovableClock": "clock",
        "Simulated": "simulation",
        "Simulation": "simulation",
        "StandIn": "stand_in",
        "crash": "crashing",
        "simulate": "simulation",
        "use": "using",
    }
)
"""Where each name is defined: loaded at its first use, as what simulates needs greenlet, which most do not have."""


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
