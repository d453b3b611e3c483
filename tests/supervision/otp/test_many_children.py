"""The work of a supervisor grows with the number of its children, not with its square."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from exqueue import supervision
from exqueue.supervision import CountChildren, Restart, StartChild, TerminateChild
from tests.supervision.otp.ends import end
from tests.supervision.tree import child, running

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

FEW, MANY = 250, 1_000
ROOM = str(Path(supervision.__file__).parent)


class Work:
    """Counts the lines of supervision that are executed, in all threads that begin while it counts."""

    def __init__(self) -> None:
        self._lines: dict[int, int] = {}

    @property
    def lines(self) -> int:
        """So many by now."""
        return sum(self._lines.values())

    def __enter__(self) -> Self:
        threading.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        threading.settrace(None)

    def _call(self, frame: FrameType, event: str, arg: object) -> Any:
        return self._line if frame.f_code.co_filename.startswith(ROOM) else None

    def _line(self, frame: FrameType, event: str, arg: object) -> Any:
        # Each thread counts by itself: a sum of all that two write at once loses some.
        thread = threading.get_ident()
        self._lines[thread] = self._lines.get(thread, 0) + 1
        return self._line


def static(number: int) -> None:
    """Start and stop with the supervisor."""
    with running(*(child(f"n{n}") for n in range(number))) as tree:
        assert tree.failed_start is None


def dynamic(number: int) -> None:
    """Start, ask for, stop and forget one by one."""
    with running() as tree:
        for n in range(number):
            tree.order(StartChild(child(f"n{n}", restart=Restart.TEMPORARY)))
        assert tree.order(CountChildren()).active == number
        for n in range(number):
            tree.order(TerminateChild(f"n{n}"))
        assert tree.order(CountChildren()).specs == 0


def mortal(number: int) -> None:
    """End by themselves one by one."""
    with running(*(child(f"n{n}", restart=Restart.TEMPORARY) for n in range(number))) as tree:
        for n in range(number):
            end(tree, f"n{n}", "normal")
        assert tree.order(CountChildren()).specs == 0


@pytest.fixture(autouse=True)
def no_other_tracer() -> None:
    """Leave the tracer of a coverage tool alone."""
    if sys.gettrace() is not None:
        pytest.skip("something else traces this run")


@pytest.mark.parametrize("life", [static, dynamic, mortal])
def test_otp_068_the_work_for_many_children_is_in_proportion(life: Callable[[int], None]) -> None:
    """Four times as many cost four times as much, give or take a tenth: counted in lines of code, not in seconds."""
    counts = []
    for number in (FEW, MANY):
        with Work() as work:
            life(number)
        counts.append(work.lines)
    few, many = counts
    assert few > FEW
    assert many / few == pytest.approx(MANY / FEW, rel=0.1)
