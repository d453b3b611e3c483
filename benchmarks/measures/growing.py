"""Whether a long queue costs more than a short one, and for how long the server is held up by one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.exchanging import line_name
from benchmarks.rig.figures import Reading
from benchmarks.rig.programs import Program

if TYPE_CHECKING:
    from benchmarks.stage import Place, Stage

SIZES: Final = (2_000, 20_000, 200_000, 2_000_000)
SHORT: Final = 20_000
TURNS: Final = 5
MILLI, MICRO = 1e3, 1e6
SLOWER_THAN_US: Final = 200


def growth(stage: Stage) -> list[Reading]:
    """An exchange and a push of ten jobs, against the same in the shortest queue; and the longest call of a script."""
    longest = stage.scaled(SIZES[-1])
    sizes = [each for each in SIZES if each <= max(longest, SHORT)]
    with stage.place() as place:
        costs = stage.result_of("growth", place, sizes=sizes)
        (exchange, push), readings = costs[0], []
        for size, (one_exchange, one_push) in zip(sizes, costs, strict=True):
            waiting = f"{size:,} waiting"
            readings.append(Reading(f"exchange of 10, {waiting}", "us", one_exchange * MICRO, exchange * MICRO))
            readings.append(Reading(f"push of 10, {waiting}", "us", one_push * MICRO, push * MICRO))
        if not stage.is_sqlite:
            readings.append(Reading("longest call of a script", "ms", _longest_s(stage, place, sizes[-1]) * MILLI))
        return readings


def _longest_s(stage: Stage, place: Place, size: int) -> float:
    """The longest call of the turn in which that was shortest: what interrupts a server makes it only longer."""
    found = []
    with Program("limits", place.given(queue=line_name(size)), stage.cpu, place.records) as asker:
        for _ in range(TURNS):
            stage.server.watch_scripts(SLOWER_THAN_US)
            asker.ask()
            found.append(stage.server.longest_script_s())
    return min(found)
