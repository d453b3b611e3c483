"""For the tests of programs that use Exqueue. The names are loaded when they are first used."""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exqueue.testing.asserting import Drained
    from exqueue.testing.clock import VirtualClock
    from exqueue.testing.crashing import crash
    from exqueue.testing.enqueued import Enqueued
    from exqueue.testing.real import RealSystem
    from exqueue.testing.simulation import Simulated, Simulation, simulate
    from exqueue.testing.stand_in import StandIn
    from exqueue.testing.using import use

__all__ = [
    "Drained",
    "Enqueued",
    "RealSystem",
    "Simulated",
    "Simulation",
    "StandIn",
    "VirtualClock",
    "crash",
    "simulate",
    "use",
]

_HOME: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Drained": "asserting",
        "Enqueued": "enqueued",
        "RealSystem": "real",
        "Simulated": "simulation",
        "Simulation": "simulation",
        "StandIn": "stand_in",
        "VirtualClock": "clock",
        "crash": "crashing",
        "simulate": "simulation",
        "use": "using",
    }
)
"""Where each name is defined. What simulates needs greenlet, which most programs do not have."""


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"exqueue.testing.{home}"), name)
    globals()[name] = value
    return value
