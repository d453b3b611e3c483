"""Readings become figures, and figures survive the file of results."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks.rig.figures import Figure, Reading, Sheet, read_results, write_results

if TYPE_CHECKING:
    from pathlib import Path


def test_each_value_is_compared_with_the_yardstick_of_its_own_repetition() -> None:
    """A slow minute slows both: the ratio of the medians would say something else."""
    sheet = Sheet("exqueue")
    for value, raw in ((10.0, 5.0), (30.0, 10.0), (16.0, 16.0)):
        sheet.add("B", [Reading("drain", "jobs/s", value, raw)])
    (figure,) = sheet.figures()
    assert figure.ratios == (2.0, 3.0, 1.0)
    assert (figure.median, figure.ratio) == (16.0, 2.0)


def test_modes_are_kept_apart_and_what_stands_for_itself_has_no_ratio() -> None:
    """One figure a measure and mode."""
    sheet = Sheet("exqueue")
    sheet.add("A", [Reading("memory", "MB", 30.0)])
    sheet.add("B", [Reading("memory", "MB", 40.0)])
    assert [(each.mode, each.median, each.ratio) for each in sheet.figures()] == [("A", 30.0, None), ("B", 40.0, None)]


def test_the_spread_reaches_from_the_lowest_to_the_highest() -> None:
    """As a share of the median; nothing at all has none."""
    assert Figure("x", "m", "A", "s", (8.0, 10.0, 13.0)).spread == pytest.approx(0.5)
    assert Figure("x", "m", "A", "s", (0.0, 0.0)).spread == 0.0


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    """With what stands at their head."""
    path = tmp_path / "new" / "results.json"
    figures = (Figure("x", "m", "A", "s", (1.0, 3.0, 2.0), (0.5, 0.7, 0.6)), Figure("y", "n", "-", "B", (4.0,)))
    write_results(path, {"date": "2026-11-24"}, figures)
    assert read_results(path) == ({"date": "2026-11-24"}, figures)
    assert json.loads(path.read_text())["figures"][0]["median"] == 2.0


def test_results_of_another_form_are_refused(tmp_path: Path) -> None:
    """They would be misread."""
    path = tmp_path / "results.json"
    path.write_text('{"format": 0, "figures": []}')
    with pytest.raises(ValueError, match="measure again"):
        read_results(path)
