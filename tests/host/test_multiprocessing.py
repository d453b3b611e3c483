"""Children of `multiprocessing`, however they are made: each with a system of its own, and none is kept from ending."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest

from exqueue import GetStatus
from tests.host.programs import Program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from exqueue import SystemRef

METHODS = ["fork", "forkserver", "spawn"]

CHILD = """
import multiprocessing
def child(stop):
    mine = start()
    mine.ask(StartWorker(Note))
    mine.ask(Enqueue(Note, {"text": "child"}))
    mine.tell(Enqueue(Note, {"text": "told"}, delay=600))
    if stop:
        mine.stop()
"""


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("eager", "stop"), [(True, True), (True, False), (False, False)])
def test_a_process_enqueues_with_a_system_of_its_own(
    tmp_path: Path, redis_url: str, namespace: str, observer: SystemRef, method: str, *, eager: bool, stop: bool
) -> None:
    """It ends by itself in good order, also without a stop; nobody's lock or beat is left behind."""
    script = f"""
if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    if {eager}:
        system = start()
        system.ask(StartWorker(Note))
    process = context.Process(target=child, args=({stop},))
    process.start()
    process.join(20)
    say("exit", process.exitcode)
    if not {eager}:
        system = start()
        system.ask(StartWorker(Note))
    system.drain(timeout=20)
"""
    with Program(tmp_path, CHILD + script, redis_url, namespace) as program:
        ended = program.end()
    assert (ended.code, ended.lines, ended.err) == (0, ["exit 0"], "")
    assert program.notes == ["child"]
    status = observer.ask(GetStatus())
    assert (status.leader, status.nodes) == (None, ("observer",))
    assert [(queue.waiting, queue.processed) for queue in status.queues] == [(1, 1)]


@pytest.mark.parametrize("method", METHODS)
def test_a_system_cannot_be_handed_to_another_process(
    tmp_path: Path, redis_url: str, namespace: str, method: str
) -> None:
    """It can't be pickled, and a forked child that has it all the same is told so."""
    script = f"""
def use(system):
    try:
        system.ask(GetStatus())
    except SystemStopped as error:
        say("child", error)
if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    system = start()
    process = context.Process(target=use, args=(system,))
    try:
        process.start()
        process.join(20)
        say("exit", process.exitcode)
    except TypeError as error:
        say("parent", error)
"""
    with Program(tmp_path, CHILD + script, redis_url, namespace) as program:
        ended = program.end()
    assert ended.code == 0
    if method == "fork":
        assert ended.lines[0].startswith("child this system was started in process")
        assert ended.lines[1:] == ["exit 0"]
    else:
        assert ended.lines == ["parent a system can't be sent to another process: start one there"]


@pytest.mark.parametrize("carry", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_system_can_be_neither_pickled_nor_copied(observer: SystemRef, carry: Callable[[object], object]) -> None:
    """There is one of it."""
    with pytest.raises(TypeError, match="start one there"):
        carry(observer)


def test_a_job_may_use_processes(tmp_path: Path, redis_url: str, namespace: str) -> None:
    """A pool of processes inside a job, forked out of its thread, ends like any other."""
    script = """
def double(number):
    return 2 * number
class Pooled:
    max_retries = 0
    def perform(self, *, method):
        with multiprocessing.get_context(method).Pool(2) as pool:
            say(method, *pool.map(double, range(4)))
if __name__ == "__main__":
    system = start()
    system.ask(StartWorker(Pooled))
    for method in ("fork", "spawn"):
        system.ask(Enqueue(Pooled, {"method": method}))
    system.drain(timeout=20)
"""
    with Program(tmp_path, CHILD + script, redis_url, namespace) as program:
        ended = program.end()
    assert (ended.code, ended.lines, ended.err) == (0, ["fork 0 2 4 6", "spawn 0 2 4 6"], "")
