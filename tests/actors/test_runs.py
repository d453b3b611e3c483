"""What becomes of the runs of a queue that is lost to another leadership."""

from __future__ import annotations

from exqueue.actors.runs import Runs
from exqueue.actors.tables import RunningRow, RunTables
from exqueue.execution import Run
from exqueue.supervision import Board


def test_of_lost_runs_it_is_known_which_go_on_here() -> None:
    """Those that were not begun are nobody's, and one whose Worker is just ending it still executes."""
    tables = RunTables(Board(), "mail")
    runs = Runs(tables, lambda _urn: True)
    begun, ended, ending, handed = (Run("mail", job, b"run", b"", None, 0, 1, 1, 1) for job in "abcd")
    for run in (begun, ended, ending, handed):
        runs.assign(run)
        if run is not handed:
            tables.handed.pop(run.key)
    for run in (begun, ending):
        tables.running[run.key] = RunningRow("worker", "urn", 0.0, run)
    for run in (ended, ending):
        tables.ended[run.key] = object()
    lost = runs.lose_all()
    assert lost.going_on == {begun.key: begun, ending.key: ending}
    assert lost.ended == {ended.key: ended}
    assert len(runs) == 0
