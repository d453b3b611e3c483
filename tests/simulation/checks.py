"""What must hold of a history, whatever happened in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.workload import SERIAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue.testing.simulation.history import Event, History
    from tests.simulation.workload import Workload

RUN_WORDS = ("begins", "succeeds", "fails")
OWNER_WORDS = ("fetched", "done", "retry", "bury", "giveback", "recovered")


def queue_of(job_id: str) -> str:
    """The queue of a job of the `Workload`."""
    return job_id.rpartition("-")[0]


def valid(history: History) -> Iterator[Event]:
    """All events but those of runs on a node that does not own the queue (any more).

    Such a run is superseded: it may go on, on a node that stood still it may even begin, and it counts for nothing.
    """
    owners: dict[str, str] = {}
    for event in history.events:
        if event.what == "claims":
            owners[event.of] = event.node
        if event.what not in RUN_WORDS or owners.get(queue_of(event.of)) == event.node:
            yield event


def check_nothing_lost(history: History, load: Workload) -> None:
    """Every job has succeeded, and did not begin again once the store knew that; only owners fetch and settle."""
    done: set[str] = set()
    owners: dict[str, str] = {}
    for event in valid(history):
        if event.what == "claims":
            owners[event.of] = event.node
        if event.what in OWNER_WORDS:
            assert owners.get(queue_of(event.of)) == event.node, f"{event} by no owner\n{history.story()}"
        if event.what == "done":
            done.add(event.of)
        assert event.what != "begins" or event.of not in done, f"{event}\n{history.story()}"
    assert done >= {planned.id for planned in load.jobs}, history.story()


def check_nothing_repeated(history: History, load: Workload) -> None:
    """Every job has begun once, and once more for each time that it raised."""
    begun = {planned.id: history.count("begins", planned.id) for planned in load.jobs}
    assert begun == {planned.id: 1 + planned.raises for planned in load.jobs}, history.story()
    succeeded = [event.of for event in history.all("succeeds")]
    assert sorted(succeeded) == sorted(planned.id for planned in load.jobs), history.story()


def check_serial(history: History) -> None:
    """The serial queue's jobs begin in the order in which they were pushed, each when the one before has succeeded."""
    line: list[str] = []
    running: dict[str, str] = {}
    for event in valid(history):
        if event.what == "claims" and event.of == SERIAL:
            running = {job_id: node for job_id, node in running.items() if node == event.node}
        elif not event.of.startswith(f"{SERIAL}-"):
            continue
        elif event.what == "pushed":
            line.append(event.of)
        elif event.what == "done":
            line.remove(event.of)
        elif event.what == "begins":
            assert not running, f"{event} while {running}\n{history.story()}"
            assert event.of == line[0], f"{event} is not {line[0]}\n{history.story()}"
            running[event.of] = event.node
        elif event.what in ("succeeds", "fails"):
            running.pop(event.of, None)
