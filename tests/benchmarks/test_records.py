"""What is counted of the records that jobs wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.jobs import RECORD_BYTES, arguments
from benchmarks.measures.waiting import latencies_ms, out_of_turn
from benchmarks.rig.records import LAYOUT, NS, Record, count, percentile, rate, read
from exqueue.codec import default_codec
from exqueue.record import encode_record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def test_a_file_is_counted_in_whole_records(tmp_path: Path) -> None:
    """A file that is not there yet holds none."""
    path = tmp_path / "records"
    assert count(path) == 0
    path.write_bytes(LAYOUT.pack(7, 10, 20) + LAYOUT.pack(8, 30, 40))
    assert count(path) == 2
    assert read(path) == [Record(7, 10, 20), Record(8, 30, 40)]


def test_a_rate_begins_at_the_end_of_the_first_job() -> None:
    """What came before is start-up; in whatever order threads have written."""
    done = [Record(0, 0, 3 * NS), Record(1, 0, 2 * NS), Record(2, 0, 4 * NS)]
    assert rate(done) == pytest.approx(1.0)


def test_one_job_has_no_rate() -> None:
    """A time needs two ends."""
    with pytest.raises(ValueError, match="two jobs"):
        rate([Record(0, 0, NS)])


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    """The smallest that so many do not exceed."""
    assert percentile(list(range(100, 0, -1)), share) == expected


def test_nothing_has_no_percentile() -> None:
    """Rather than 0."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_latency_ends_where_the_job_begins() -> None:
    """Not where it ends."""
    assert latencies_ms([Record(NS, NS + 2_000_000, 9 * NS)]) == [2.0]


def begun(marks: Iterable[int]) -> list[Record]:
    """Jobs that began in this order."""
    return [Record(mark, 0, 0) for mark in marks]


def test_what_threads_mix_up_is_in_turn() -> None:
    """Two may begin the other way round what they were given in order, and one may be held up for long."""
    assert out_of_turn(begun([1, 0, 3, 2, *range(4, 1_000)]), workers=2) == 0
    assert out_of_turn(begun([*range(1, 9), 0, *range(9, 1_000)]), workers=2) == 0


def test_a_job_that_began_before_its_turn_or_long_after_it_is_found() -> None:
    """Early by five with two threads, or late by more than a hundredth."""
    assert out_of_turn(begun([5, *range(5), *range(6, 1_000)]), workers=2) == 1
    assert out_of_turn(begun([*range(1, 12), 0, *range(12, 1_000)]), workers=2) == 1


def test_a_job_has_a_record_of_the_length_that_its_memory_is_told_of() -> None:
    """Whatever its mark is."""
    for mark in (1, 2**62):
        assert len(encode_record("Send-q", arguments(mark), 1.5, default_codec())) == RECORD_BYTES
