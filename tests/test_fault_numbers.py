"""Each fault that is held to be survived has a test with its number in the name: ``test_fault_032_...``."""

from __future__ import annotations

import re
from pathlib import Path

TESTED = {
    "B, the job misbehaves": {11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 23, 24, 26, 27, 28, 29, 31},
    "C, payloads": {32, 33, 34, 35, 36, 37, 38, 39, 41, 42, 43, 45, 46, 47, 48},
    "F, supervision and the life of the process": {88, 89, 90, 92, 93, 94, 95, 96, 97, 98, 100},
    "G, SQLite and memory": {101, 102, 104, 105, 107, 109, 111},
}

UNTESTED: dict[int, str] = {}
"""The rows of these groups without a test, each with its reason."""

NUMBERED = re.compile(r"^ *(?:async )?def test_fault_((?:\d{3}_)+)", re.MULTILINE)


def numbers_in(text: str) -> set[int]:
    """The faults whose numbers stand in the names of the tests of a file."""
    return {int(number) for found in NUMBERED.findall(text) for number in found.rstrip("_").split("_")}


def test_every_fault_that_is_survived_has_its_test() -> None:
    """Renaming or deleting the last test of a row is noticed."""
    files = Path(__file__).parent.rglob("test_*.py")
    there = set[int]().union(*(numbers_in(file.read_text(encoding="utf-8")) for file in files))
    wanted = set[int]().union(*TESTED.values())
    assert sorted(wanted - there) == []
    assert sorted(there & UNTESTED.keys()) == []


def test_a_name_may_carry_several_numbers() -> None:
    """One proof may be that of two rows."""
    assert numbers_in("def test_fault_012_013_poison() -> None:\n    def test_fault_7_no() -> None:") == {12, 13}
