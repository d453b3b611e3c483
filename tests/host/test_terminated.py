"""SIGTERM at any call of the persistence: nothing is lost, nothing that ended is repeated, and the stop is short."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from exqueue import Enqueue, ExqueueSystem, GetStatus, ListJobs, StartWorker
from exqueue.persistence.urls import open_persistence
from exqueue.persistence.values import Fence
from tests.host.programs import Program
from tests.host.terminated import JOBS, POINTS, TOLD, let_go, notes

if TYPE_CHECKING:
    from pathlib import Path

    from exqueue import SystemRef

GOOD = (0, 1, 2, 3, 30, 70, *TOLD)
RECOVERED = (900, 901)
ENDS_WITHIN_S = 5.0


@pytest.fixture(params=["redis", pytest.param("sqlite", marks=pytest.mark.long)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store that outlives the program."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    address: str = request.getfixturevalue("redis_url")
    return address


def leave_two_runs(url: str, namespace: str, observer: SystemRef) -> None:
    """Be a node that fetched two jobs and is gone, its lease over."""
    for number in RECOVERED:
        observer.ask(Enqueue("Good", {"number": number}))
    store = open_persistence(url, namespace=namespace)
    session = store.session(timeout=5.0)
    fence = session.acquire("gone", "gone", 60.0, 0)
    assert isinstance(fence, Fence)
    session.claim("Good", fence, 1)
    fetched = session.exchange("Good", fence, 1, 1, (), 2, serial=False)
    assert len(fetched.jobs) == 2
    assert session.release(fence)
    session.close()
    store.close()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("point", POINTS)
def test_fault_092_a_signal_at_a_call_of_the_persistence(
    tmp_path: Path, url: str, namespace: str, monkeypatch: pytest.MonkeyPatch, point: str, when: str
) -> None:
    """The program ends with 0, the lock is free, and the next node runs what is left and nothing else."""
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    with ExqueueSystem.start(url, namespace=namespace, node="observer") as observer:
        leave_two_runs(url, namespace, observer)
        command = (sys.executable, "-m", "tests.host.terminated")
        variables = {"POINT": f"{point} {when}"}
        with Program(tmp_path, "", url, namespace, command=command, variables=variables) as program:
            program.await_line("met")
            ended = program.end(within=20)
        assert ended.code == 0, ended
        assert ended.exit_s < ENDS_WITHIN_S
        assert notes()[-1] == "over False"
        assert observer.ask(GetStatus()).leader is None
        let_go.set()
        with ExqueueSystem.start(url, namespace=namespace, node="successor") as successor:
            for job in JOBS:
                successor.ask(StartWorker(job))
            successor.drain(timeout=20)
        check_runs(Counter(notes()))
        check_orders(observer, Counter(notes()))


def check_runs(noted: Counter[str]) -> None:
    """Each job that was stored ran to its end, once; one of which nobody knows whether it was stored, at most once."""
    for number in (*GOOD, *RECOVERED):
        is_stored = number in RECOVERED or noted[f"stored {number}"]
        assert noted[f"ended {number}"] == noted[f"begun {number}"]
        assert noted[f"ended {number}"] == 1 or not (is_stored or noted[f"ended {number}"]), number
    assert noted["failed 10"] == noted["ended 10"] <= 1
    assert noted["ended 10"] >= noted["stored 10"]
    for number in (20, 21):
        assert noted[f"stored {number}"] + noted[f"retried {number}"] <= noted[f"tried {number}"] <= 2
        assert noted[f"tried {number}"] <= 1 or noted["stored 40"]


def check_orders(observer: SystemRef, noted: Counter[str]) -> None:
    """What was answered holds."""
    dead = {job.kwargs["number"]: job.failures for job in observer.ask(ListJobs("dead")) if job.kwargs is not None}
    waiting = [job.kwargs for job in observer.ask(ListJobs("waiting"))]
    assert dead.keys() <= {20, 21}
    assert set(dead.values()) <= {1}
    assert bool(noted["tried 20"]) == (20 in dead)
    assert not (noted["deleted 21"] and 21 in dead)
    assert not (noted["cancelled 40"] and waiting)
    assert waiting or noted["cancelled 40"] or noted["refused SystemStopped"] or not noted["stored 40"]
    paused = [queue.name for queue in observer.ask(GetStatus()).queues if queue.paused]
    assert paused == ["Lost"] or not (paused or noted["paused Lost"])
