"""Measure Exqueue.

    python -m benchmarks.bench [--quick] [--store redis|sqlite] [--to FILE] [MEASURE ...]

The repetitions of all measures are interleaved: each has one in both modes before any has a second, so that a slow
minute of the machine falls on all alike.
"""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.catalogue import MEASURES, chosen
from benchmarks.rig.figures import Figure, Sheet, write_results
from benchmarks.rig.machine import about
from benchmarks.rig.programs import ProgramFailed
from benchmarks.rig.server import private_server
from benchmarks.stage import stages
from benchmarks.table import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.catalogue import Measure
    from benchmarks.stage import Stage

RESULTS = Path(__file__).parent / "results"
SUBJECTS = {"redis": "exqueue", "sqlite": "exqueue on SQLite"}
QUICK = 0.1
"""What share of the jobs and seconds is left in a quick run, of one repetition."""


def measured(store: str, measures: Sequence[Measure], scale: float, *, once: bool) -> tuple[tuple[Figure, ...], int]:
    """Take all repetitions of these measures on one store; the figures, and how many could not be taken."""
    sheet, failed = Sheet(SUBJECTS[store]), 0
    with stages(store, scale) as both:
        for repetition in range(1 if once else max(each.times(store) for each in measures)):
            due = [each for each in measures if repetition < each.times(store)]
            for measure, stage in itertools.product(due, both):
                if stage.takes(measure.modes) and not _taken(sheet, measure, stage):
                    failed += 1
    return sheet.figures(), failed


def _taken(sheet: Sheet, measure: Measure, stage: Stage) -> bool:
    begun = time.monotonic()
    where = f"{'sqlite' if stage.is_sqlite else stage.mode.name} {measure.name}"
    try:
        readings = measure.take(stage)
    except (ProgramFailed, RuntimeError) as error:
        print(f"{where}: not measured: {error}", flush=True)
        return False
    sheet.add(stage.mode.name, readings)
    print(f"{where}: {time.monotonic() - begun:.1f} s", flush=True)
    return True


def server_version() -> str:
    """Of the server that measurements get."""
    with private_server() as server:
        return server.version()


def main() -> int:
    """Measure, write the results, print the table; 1 when something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench")
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(each.name for each in MEASURES))
    parser.add_argument("--quick", action="store_true", help="one short repetition: whether all works, not how fast")
    parser.add_argument("--store", choices=sorted(SUBJECTS), help="only this one")
    parser.add_argument("--to", type=Path, help="the file for the results")
    wanted = parser.parse_args()
    try:
        measures = chosen(wanted.measures)
    except LookupError as unknown:
        parser.error(str(unknown))
    head, begun = about(server_version()), time.monotonic()
    figures: tuple[Figure, ...] = ()
    failed = 0
    for store in SUBJECTS if wanted.store is None else (wanted.store,):
        found, missed = measured(store, measures, QUICK if wanted.quick else 1.0, once=wanted.quick)
        figures, failed = figures + found, failed + missed
        print(f"\n{SUBJECTS[store]}\n{table(found)}\n", flush=True)
    whole = not (wanted.measures or wanted.quick or wanted.store)
    path = wanted.to or RESULTS / ("exqueue.json" if whole else "part.json")
    write_results(path, {**head, "took_s": round(time.monotonic() - begun)}, figures)
    print(f"{path}, after {time.monotonic() - begun:.0f} s" + (f"; {failed} not measured" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
