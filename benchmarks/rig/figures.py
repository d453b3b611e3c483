"""Figures: the values of all repetitions, each with its yardstick of the same repetition, and what is told of them."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FORMAT = 1
"""The version of the results' form."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one repetition.

    Args:
        measure: its name, ``drain, 10 workers``.
        unit: of the value.
        value: what was read.
        yardstick: what the value is compared with, in the same unit and from the same repetition; ``None`` for what
            stands for itself.
    """

    measure: str
    unit: str
    value: float
    yardstick: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """All repetitions of one measure in one mode.

    Args:
        subject: who was measured.
        measure: its name.
        mode: its name; of what does not depend on it ``-``.
        unit: of the values.
        values: one a repetition.
        ratios: each value by the yardstick of its repetition; empty where there is none.
    """

    subject: str
    measure: str
    mode: str
    unit: str
    values: tuple[float, ...]
    ratios: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        """Of the values."""
        return statistics.median(self.values)

    @property
    def ratio(self) -> float | None:
        """The median of the ratios."""
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def spread(self) -> float:
        """How far the values lie apart, from the lowest to the highest, as a share of the median."""
        return (max(self.values) - min(self.values)) / self.median if self.median else 0.0


class Sheet:
    """Gathers readings into figures.

    Args:
        subject: who is measured.
    """

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._readings: dict[tuple[str, str], list[Reading]] = {}

    def add(self, mode: str, readings: Iterable[Reading]) -> None:
        """Note the readings of one repetition."""
        for reading in readings:
            self._readings.setdefault((reading.measure, mode), []).append(reading)

    def figures(self) -> tuple[Figure, ...]:
        """One a measure and mode, in the order in which they came first."""
        return tuple(
            Figure(
                self._subject,
                measure,
                mode,
                readings[0].unit,
                tuple(each.value for each in readings),
                tuple(each.value / each.yardstick for each in readings if each.yardstick),
            )
            for (measure, mode), readings in self._readings.items()
        )


def write_results(path: Path, about: dict[str, Any], figures: Iterable[Figure]) -> None:
    """Write one file: when, where and of what version it was measured, and each figure with its median and extremes."""
    rows = [
        {**asdict(each), "median": each.median, "min": min(each.values), "max": max(each.values), "ratio": each.ratio}
        for each in figures
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"format": FORMAT, **about, "figures": rows}, indent=1) + "\n")


def read_results(path: Path) -> tuple[dict[str, Any], tuple[Figure, ...]]:
    """What `write_results` wrote.

    Raises:
        ValueError: the file is of another form.
    """
    content = json.loads(path.read_text())
    if content.pop("format", None) != FORMAT:
        raise ValueError(f"{path} has another form than {FORMAT}: measure again")
    rows = content.pop("figures")
    return content, tuple(
        Figure(row["subject"], row["measure"], row["mode"], row["unit"], tuple(row["values"]), tuple(row["ratios"]))
        for row in rows
    )
