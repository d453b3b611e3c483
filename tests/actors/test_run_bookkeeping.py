"""What is to be settled of runs in nobody's hands, and of those that somebody may still end."""

from __future__ import annotations

from exqueue.actors.runs import Runs
from exqueue.actors.tables import RunKey, RunningRow, RunTables
from exqueue.execution import Run
from exqueue.persistence.values import GiveBack, Recovered, RunningEntry
from exqueue.supervision import Board


class Bench:
    """The runs of one queue, and which threads live."""

    def __init__(self) -> None:
        self.living: set[str] = set()
        self.tables = RunTables(Board(), "mail")
        self.runs = Runs(self.tables, self.living.__contains__)

    def hand_out(self, job_id: str) -> Run:
        """Have a run handed to a Worker that has not begun it."""
        run = Run("mail", job_id, b"run", b"", None, 0, 1, 1, 1)
        self.runs.assign(run)
        return run

    def begin(self, job_id: str) -> RunKey:
        """Have a run begun by a Worker whose thread lives."""
        run = self.hand_out(job_id)
        self.tables.running[run.key] = RunningRow("worker", f"urn of {job_id}", 0.0, run)
        del self.tables.handed[run.key]
        self.living.add(f"urn of {job_id}")
        return run.key


def test_a_run_whose_thread_died_is_settled_as_recovered() -> None:
    """Nobody will bring its outcome; the next one of the job is not its first."""
    bench = Bench()
    lost, kept = bench.begin("a"), bench.begin("b")
    bench.living.discard("urn of a")
    bench.runs.audit()
    assert bench.runs.settlements(10) == ((lost, Recovered(*lost)),)
    assert list(bench.tables.running) == [kept]


def test_a_successor_finds_a_run_whose_thread_died() -> None:
    """As the one before would have."""
    bench = Bench()
    lost, kept = bench.begin("a"), bench.begin("b")
    bench.living.discard("urn of a")
    bench.runs.take_over([RunningEntry(*lost), RunningEntry(*kept)])
    assert bench.runs.settlements(10) == ((lost, Recovered(*lost)),)


def test_a_run_that_nobody_has_begun_is_withdrawn_with_the_fence() -> None:
    """Its Worker finds nothing to take, whenever it hears of the run."""
    bench = Bench()
    run = bench.hand_out("a")
    bench.runs.lose_all()
    assert bench.runs.handed(run.key) is None
    assert not bench.tables.handed


def test_what_has_ended_is_not_given_back_when_the_time_is_over() -> None:
    """A stop interrupts what goes on, and repeats nothing that is done."""
    bench = Bench()
    goes_on, done = bench.begin("a"), bench.begin("b")
    bench.tables.ended[done] = type("Ended", (), {"settlement": "done"})()
    del bench.tables.running[done]
    assert list(bench.runs.interrupt_all()) == [goes_on]
    assert dict(bench.runs.settlements(10)) == {goes_on: GiveBack(*goes_on), done: "done"}
