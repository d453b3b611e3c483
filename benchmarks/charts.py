"""Bars as SVG: a few rectangles and words, which need no library and look alike everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from benchmarks.table import number

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, LABELS, VALUES = 760, 250, 110
BAR, GAP, HEAD, MARGIN = 18, 8, 44, 12
COLOURS: Final = {"A": "#7fa8d1", "B": "#2f5f8f", "-": "#2f5f8f"}
"""Readable on white and on black, also without colours: the modes differ in lightness."""
TICK: Final = "#c0392b"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Args:
        label: to its left.
        mode: a key of `COLOURS`.
        value: its length, 0 or more.
        low: where its spread begins.
        high: where it ends.
        goal: where a tick stands; ``None`` for none.
    """

    label: str
    mode: str
    value: float
    low: float
    high: float
    goal: float | None = None


def chart(title: str, unit: str, bars: Sequence[Bar]) -> str:
    """The text of an SVG file.

    Raises:
        ValueError: there are no bars.
    """
    if not bars:
        raise ValueError("a chart needs a bar")
    longest = max(max(bar.high, bar.goal or 0.0) for bar in bars) or 1.0
    scale = (WIDTH - LABELS - VALUES) / longest
    height = HEAD + len(bars) * (BAR + GAP) + MARGIN
    body = [line for place, bar in enumerate(bars) for line in _drawn(bar, HEAD + place * (BAR + GAP), scale)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">'
    )
    return "\n".join(
        [
            head,
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="{MARGIN}" y="26" font-size="15" font-weight="bold">{escape(title)} ({escape(unit)})</text>',
            *body,
            "</svg>",
            "",
        ]
    )


def _drawn(bar: Bar, top: int, scale: float) -> list[str]:
    end = LABELS + bar.value * scale
    middle, base = top + BAR / 2, top + BAR - 5
    lines = [
        f'<text x="{LABELS - 8}" y="{base}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect x="{LABELS}" y="{top}" width="{bar.value * scale:.1f}" height="{BAR}" fill="{COLOURS[bar.mode]}"/>',
        _line(LABELS + bar.low * scale, LABELS + bar.high * scale, middle, middle, 'stroke="#000000"'),
        f'<text x="{max(end, LABELS + bar.high * scale) + 8:.1f}" y="{base}">{number(bar.value)}</text>',
    ]
    if bar.goal is not None:
        x = LABELS + bar.goal * scale
        lines.append(_line(x, x, top - 3, top + BAR + 3, f'stroke="{TICK}" stroke-width="2"'))
    return lines


def _line(x1: float, x2: float, y1: float, y2: float, look: str) -> str:
    return f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" {look}/>'
