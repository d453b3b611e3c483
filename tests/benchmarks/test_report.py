"""The page says what was measured, which goals are met, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks import report
from benchmarks.catalogue import MEASURES, chosen
from benchmarks.charts import LABELS, VALUES, WIDTH, Bar, chart
from benchmarks.goals import verdict
from benchmarks.rig.figures import Figure, write_results
from benchmarks.table import table

if TYPE_CHECKING:
    from pathlib import Path

ABOUT: dict[str, Any] = {
    "date": "2026-11-24T12:00",
    "commit": "0123456789ab",
    "machine": {"cpu": "some", "cpus": 2, "kernel": "6.1", "load_before": 0.1},
    "versions": {"python": "3.11.7", "server": "valkey 9.1.2", "redis": "8.1.0"},
}


def drain(ratio: float, mode: str = "B", subject: str = "exqueue") -> Figure:
    """Of ten workers."""
    return Figure(subject, "drain, 10 workers", mode, "jobs/s", (20_000.0,), (ratio,))


def test_a_goal_of_mode_b_is_judged_in_mode_b_only() -> None:
    """In A the figure is told and not judged; SQLite is judged against peers."""
    assert verdict(drain(1.4)) is True
    assert verdict(drain(1.39)) is False
    assert verdict(drain(1.39, "A")) is None
    assert verdict(drain(1.39, subject="exqueue on SQLite")) is None


def test_a_goal_of_a_value_looks_at_no_ratio() -> None:
    """And most of them are not to be exceeded."""
    memory = Figure("exqueue", "memory of a node", "B", "MB", (35.1,))
    assert verdict(memory) is False


def test_the_table_shows_what_is_not_met() -> None:
    """In words."""
    shown = table([drain(1.5), drain(1.0)])
    assert "yes" in shown
    assert "NO" in shown


def test_the_page_is_written_from_the_results(tmp_path: Path) -> None:
    """With a chart of each kind that there are figures for."""
    write_results(tmp_path / "exqueue.json", ABOUT, [drain(1.5), drain(1.2, "A")])
    assert report.written(tmp_path, tmp_path / "docs")
    page = (tmp_path / "docs" / "benchmarks.md").read_text()
    assert "| drain, 10 workers | B | 20,000 jobs/s ± 0% | 1.50 | >= 1.4 x | yes |" in page
    assert "2026-11-24" in page
    assert "make bench-peers" in page
    assert [path.name for path in (tmp_path / "docs" / "charts").iterdir()] == ["drain.svg"]


def test_peers_stand_beside_and_are_held_against_the_goals(tmp_path: Path) -> None:
    """The one that does better stands first."""
    write_results(tmp_path / "exqueue.json", ABOUT, [drain(1.5)])
    other = Figure("bullmq", "drain, 10 workers", "B", "jobs/s", (8_000.0,))
    write_results(tmp_path / "peers.json", ABOUT, [other, drain(1.5)])
    assert report.written(tmp_path, tmp_path / "docs")
    page = (tmp_path / "docs" / "benchmarks.md").read_text()
    assert "| drain, 10 workers | bullmq | B | 2.50 | >= 2 x | yes |" in page
    assert page.index("| exqueue | B |") < page.index("| bullmq | B |")


def test_without_results_nothing_is_written(tmp_path: Path) -> None:
    """A page without figures would look like one with bad ones."""
    assert not report.written(tmp_path, tmp_path / "docs")
    assert not (tmp_path / "docs").exists()


def test_a_chart_is_xml_whose_bars_are_as_long_as_their_values() -> None:
    """And whose words are escaped."""
    bars = [Bar("one", "A", 1.0, 1.0, 1.0), Bar("two", "B", 2.0, 2.0, 2.0, goal=1.0)]
    drawing = ET.fromstring(chart("a < b", "x", bars))  # noqa: S314 - it is our own text
    widths = [float(each.get("width", "0")) for each in drawing.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths[1:] == pytest.approx([(WIDTH - LABELS - VALUES) / 2, WIDTH - LABELS - VALUES], abs=0.1)
    assert drawing.findtext("{http://www.w3.org/2000/svg}title") == "a < b"


def test_measures_are_chosen_by_name() -> None:
    """Of an unknown one it is said which there are."""
    assert [each.name for each in chosen(["bulk", "enqueue"])] == ["enqueue", "bulk"]
    assert chosen([]) == MEASURES
    with pytest.raises(LookupError, match=r"no measure drain-2; there are .*drain-10"):
        chosen(["drain-2"])
