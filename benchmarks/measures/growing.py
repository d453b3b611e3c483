"""Whether a long queue costs more than a short one, and for how long the server is held up by one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.exchanging import line_name
from benchmarks.rig.figures import Reading

if TYPE_CHECKING:
    from benchmarks.stage import Stage

SIZES: Final = (2_000, 20_000, 200_000, 2_000_000)
SHORT_RUN: Final = (2_000, 20_000)
MILLI, MICRO = 1e3, 1e6
SLOWER_THAN_US: Final = 200


def growth(stage: Stage) -> list[Reading]:
    """An exchange and a push of ten jobs, against the same in the shortest queue; and the longest call of a script."""
    sizes = [each for each in SIZES if stage.scaled(each) == each or each in SHORT_RUN]
    if stage.is_sqlite:
        sizes = [each for each in SIZES if each <= stage.scaled(SIZES[-1])]
    with stage.place() as place:
        if not stage.is_sqlite:
            stage.server.watch_scripts(SLOWER_THAN_US)
        costs = stage.result_of("growth", place, sizes=sizes)
        (exchange, push), readings = costs[0], []
        for size, (one_exchange, one_push) in zip(sizes, costs, strict=True):
            waiting = f"{size:,} waiting"
            readings.append(Reading(f"exchange of 10, {waiting}", "us", one_exchange * MICRO, exchange * MICRO))
            readings.append(Reading(f"push of 10, {waiting}", "us", one_push * MICRO, push * MICRO))
        if not stage.is_sqlite:
            stage.result_of("limits", place, queue=line_name(sizes[-1]))
            longest = stage.server.longest_script_s() * MILLI
            readings.append(Reading("longest call of a script", "ms", longest))
        return readings
