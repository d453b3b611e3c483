"""How a run ends: all that can be seen is compared; then everything is worked off, which shows what can't be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.persistence.values import Done, Exchanged, Fence, Leave
from tests.compared.choices import HOUR_S, IDS, QUEUES
from tests.persistence.conformance.play import STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.persistence.base import Session
    from exqueue.persistence.values import Settlement, StoredJob, Unreported
    from tests.compared.table import Table

ALL = 1_000
MOST_CALLS = 10 * len(IDS)
ENDING = "the end"


def look_at_all(table: Table) -> None:
    """Compare everything that the interface shows."""
    table.look("queues", lambda session: session.queues())
    table.look("overview", lambda session: session.overview(QUEUES))
    table.look("nodes", lambda session: session.nodes())
    table.look("all jobs", lambda session: [session.get_jobs(job_id, QUEUES) for job_id in IDS])
    table.look("all lists", lambda session: [_lists(session, queue) for queue in QUEUES])
    table.look("all unreported deaths", lambda session: [unreported(session, queue) for queue in QUEUES])


def work_off(table: Table, epoch: int) -> None:
    """Take both queues over with a new fence, retry what is dead, and run everything until nothing is left.

    The order in which jobs come shows the places, heads and recoveries that no reply tells.
    """
    fence = Fence(epoch, ENDING)
    for queue in QUEUES:
        _revive(table, queue, fence)
    table.pass_time(200 * HOUR_S)
    for queue in QUEUES:
        _run_all(table, queue, fence)


def _revive(table: Table, queue: str, fence: Fence) -> None:
    table.ask("claim", lambda session: session.claim(queue, fence, 1))
    table.ask("resume", lambda session: session.set_paused(queue, ENDING, 1, False))
    table.ask("retry_dead", lambda session: session.retry_dead(queue, ENDING, 2, IDS))


def _run_all(table: Table, queue: str, fence: Fence) -> None:
    settlements: list[Settlement] = []
    for call in range(1, MOST_CALLS):
        # Serially at first: the head of a queue that was worked so comes before all others.
        is_serial = call <= len(IDS) // 2
        handed_out = _turn(table, queue, fence, call, settlements, is_serial=is_serial)
        settlements = [Done(job_id, run) for job_id, run in handed_out]
        if not handed_out and not is_serial:
            break
    left = table.look(f"lists of {queue}", lambda session: _lists(session, queue))
    assert left == [(), (), (), ()], f"{queue} was not worked off: {left}"


def _turn(
    table: Table, queue: str, fence: Fence, call: int, settlements: Sequence[Settlement], *, is_serial: bool
) -> list[tuple[str, bytes]]:
    said = table.ask(
        "exchange",
        lambda it: it.exchange(queue, fence, 1, call, settlements, 2, serial=is_serial, leave=Leave(suspect=True)),
    )
    assert isinstance(said, Exchanged)
    return [(job.id, job.run) for job in said.jobs]


def unreported(session: Session, queue: str) -> Sequence[Unreported]:
    """The deaths that are not reported; their order is not promised."""
    return sorted(session.unreported(queue, ALL), key=lambda death: death.mark.id)


def _lists(session: Session, queue: str) -> list[tuple[StoredJob, ...]]:
    return [session.list_jobs(queue, state, ALL, 0) for state in STATES]
