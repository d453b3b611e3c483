"""What is aimed at: ratios within one run, or values where the speed of the machine is no part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from benchmarks.rig.figures import Figure

RATIO, VALUE = "ratio", "value"


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound for one measure.

    Args:
        bound: to be reached, or not to be exceeded.
        is_least: whether it is to be reached.
        of: `RATIO` or `VALUE`, which of the two is bounded.
        modes: in which it holds; of the others the figure is only told.
    """

    bound: float
    is_least: bool
    of: str = RATIO
    modes: str = "B"

    def __str__(self) -> str:
        """As it stands in a table."""
        return f"{'>=' if self.is_least else '<='} {self.bound:g}{' x' if self.of == RATIO else ''}"


def _least(bound: float, of: str = RATIO, modes: str = "B") -> Goal:
    return Goal(bound, True, of, modes)


def _most(bound: float, of: str = RATIO, modes: str = "B") -> Goal:
    return Goal(bound, False, of, modes)


GOALS: Final = {
    "drain, 10 workers": _least(1.4),
    "drain, 1 worker": _least(0.45),
    "drain, 50 workers": _least(1.8),
    "enqueue, one thread": _least(0.62),
    "enqueue, 8 threads": _least(1.5),
    "enqueue, batches of 1,000": _least(7),
    "10 ms jobs, 10 workers": _least(0.98, modes="AB"),
    "10 ms jobs, 50 workers": _least(0.97, modes="AB"),
    "latency, p50": _most(10),
    "latency, p99": _most(35),
    "idle, 10 queues: commands": _most(1, VALUE),
    "idle, 100 queues: commands": _most(5, VALUE),
    "idle, 10 queues: CPU": _most(0.3, VALUE),
    "idle, 100 queues: CPU": _most(1, VALUE),
    "memory of a waiting job": _most(180, VALUE),
    "memory of a node": _most(35, VALUE),
    "exchange of 10, 2,000,000 waiting": _most(1.05, modes="A"),
    "push of 10, 2,000,000 waiting": _most(1.05, modes="A"),
    "due in one second: started out of turn": _most(0, VALUE, "AB"),
    "due in one second: another queue's p99": _most(20, VALUE, "AB"),
    "longest call of a script": _most(5, VALUE, "A"),
}
"""On Redis; SQLite is held against its peers only."""

AGAINST_PEERS: Final = (
    ("drain, 10 workers", "exqueue", "dramatiq with prefetch", _least(3, modes="AB")),
    ("drain, 10 workers", "exqueue", "bullmq", _least(2, modes="AB")),
    ("worker CPU a job", "exqueue", "dramatiq with prefetch", _most(0.3)),
    ("drain, 10 workers", "exqueue on SQLite", "huey on SQLite", _least(3)),
)
"""Measure, who, against whom, and the bound of the ratio of the two in a run of all peers."""


def verdict(figure: Figure) -> bool | None:
    """Whether its goal is met; ``None`` when it has none, in this mode."""
    goal = GOALS.get(figure.measure) if figure.subject == "exqueue" else None
    if goal is None or figure.mode not in goal.modes:
        return None
    found = figure.ratio if goal.of == RATIO else figure.median
    if found is None:
        return None
    return found >= goal.bound if goal.is_least else found <= goal.bound
