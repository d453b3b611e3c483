"""Whole systems on one thread, in virtual time, where a seed decides all that is left to chance.

Needs greenlet: ``pip install 'exqueue[simulation]'``.
"""

try:
    import greenlet  # noqa: F401 - to say what is missing before anything else does
except ImportError as missing:
    raise ImportError("to simulate needs greenlet: pip install 'exqueue[simulation]'") from missing

from exqueue.testing.simulation.scenario import Simulated, Simulation, simulate

__all__ = ["Simulated", "Simulation", "simulate"]
