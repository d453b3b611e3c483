"""A Worker that crashes at any step on the board while it hands a run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from exqueue import Enqueue, GetJob, JobNotFound, StartWorker
from exqueue.actors import worker
from exqueue.actors.tables import RunTables
from tests.chaos.test_crashing_actors import actor
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue import SystemRef

JOBS = 5


class Counted:
    """Notes its runs."""

    runs: ClassVar[list[int]] = []

    def perform(self, *, number: int) -> None:
        type(self).runs.append(number)


class Trap:
    """A table of the board at which the Worker crashes once: before or after it writes or takes an entry."""

    def __init__(self, table: Any, method: str, when: str, crashes: list[str]) -> None:
        self._table = table
        self._at = (method, when)
        self._crashes = crashes

    def __setitem__(self, key: Any, value: Any) -> None:
        self._pass("set", "before")
        self._table[key] = value
        self._pass("set", "after")

    def pop(self, key: Any, default: Any) -> Any:
        self._pass("pop", "before")
        value = self._table.pop(key, default)
        self._pass("pop", "after")
        return value

    def _pass(self, method: str, when: str) -> None:
        if (method, when) == self._at and not self._crashes:
            self._crashes.append(method)
            raise RuntimeError("crashes on purpose")


STEPS = {
    "before it says that it runs": ("running", "set", "before"),
    "before it takes the run": ("handed", "pop", "before"),
    "after it took the run": ("handed", "pop", "after"),
    "before it says how the run ended": ("ended", "set", "before"),
    "after it said how the run ended": ("ended", "set", "after"),
    "before it tells the Fetcher": ("running", "pop", "after"),
}
RUN_AGAIN = "before it says how the run ended"
"""The one step at which the job has run and nobody knows how it ended."""


@pytest.mark.parametrize("step", STEPS)
def test_fault_088_a_worker_that_crashes_between_two_steps(
    start: Callable[..., SystemRef], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """It is restarted, no failure is counted, and each job is run once, but for the one of which nobody knows."""
    Counted.runs.clear()
    crashes: list[str] = []
    name, method, when = STEPS[step]

    def with_a_trap(board: Any, queue: str) -> RunTables:
        tables = RunTables(board, queue)
        setattr(tables, name, Trap(getattr(tables, name), method, when, crashes))
        return tables

    monkeypatch.setattr(worker, "RunTables", with_a_trap)
    system = start()
    system.ask(StartWorker(Counted, max_retries=0))
    ids = [system.ask(Enqueue(Counted, {"number": number})) for number in range(JOBS)]
    system.drain(timeout=20)
    eventually(lambda: actor(system, "queues/Counted/worker-1").restarts == 1)
    assert crashes == [method]
    assert Counted.runs == [*([0] if step == RUN_AGAIN else []), *range(JOBS)]
    for job_id in ids:
        with pytest.raises(JobNotFound):
            system.ask(GetJob(job_id))
