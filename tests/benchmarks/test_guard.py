"""When the guard warns, when it fails, and that what is committed can be judged at all."""

from __future__ import annotations

import tomllib

import pytest

from benchmarks.guard import COMMITTED, judged, verdict


@pytest.mark.parametrize(
    ("best", "allowed", "word"),
    [
        (2.2, True, "well"),
        (1.5, True, "well"),
        (1.49, True, "warning"),
        (1.0, True, "warning"),
        (0.99, False, "FAILED"),
    ],
)
def test_a_quarter_less_is_a_warning_and_less_than_half_a_failure(best: float, allowed: bool, word: str) -> None:
    """The bounds themselves are still allowed."""
    is_allowed, line = verdict("drain", best, 2.0)
    assert is_allowed is allowed
    assert line.endswith(word)


def test_one_failure_is_enough() -> None:
    """However well the other one does."""
    allowed, lines = judged({"enqueue": 0.1, "drain": 9.0}, {"enqueue": 1.0, "drain": 1.0})
    assert not allowed
    assert len(lines) == 2


def test_the_committed_ratios_are_of_what_is_measured() -> None:
    """A name that nobody measures would be found by CI only."""
    committed = tomllib.loads(COMMITTED.read_text())["ratios"]
    assert judged({"enqueue": 10.0, "drain": 10.0}, committed)[0]
    assert set(committed) == {"enqueue", "drain"}
