"""Figures as a table for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.goals import GOALS, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.rig.figures import Figure

HEAD = ("measure", "mode", "median (spread)", "ratio", "goal", "met?")
PLAIN_FROM = 100
"""From here on a number is told without decimals."""


def number(value: float) -> str:
    """To about three digits, thousands apart."""
    return f"{value:,.0f}" if abs(value) >= PLAIN_FROM else f"{value:.3g}"


def row(figure: Figure) -> tuple[str, ...]:
    """One line of the table."""
    goal, met = GOALS.get(figure.measure), verdict(figure)
    return (
        figure.measure,
        figure.mode,
        f"{number(figure.median)} {figure.unit} (+-{figure.spread / 2:.0%})",
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        "" if met is None or goal is None else str(goal),
        {None: "", True: "yes", False: "NO"}[met],
    )


def table(figures: Iterable[Figure]) -> str:
    """All of them, a line each, in columns."""
    rows = [HEAD, *(row(figure) for figure in figures)]
    widths = [max(len(each[column]) for each in rows) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(each, widths, strict=True)).rstrip() for each in rows
    )
