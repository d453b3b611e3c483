"""The verbs of the owner of a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from exqueue.errors import Fenced, StaleCall
from exqueue.persistence.bounds import check_size
from exqueue.persistence.sqlite.exchange import Request, exchange
from exqueue.persistence.sqlite.queue import (
    READY,
    RETURNED,
    RUNNING,
    SUSPECT,
    WAITING,
    count,
    find,
    first_due,
    make,
    named,
    state_of_return,
    with_one_more,
)
from exqueue.persistence.sqlite.verbs import Verbs
from exqueue.persistence.values import NO_LEAVE, Claimed, RunningEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.persistence.sqlite.connection import Step
    from exqueue.persistence.sqlite.queue import QueueRow
    from exqueue.persistence.values import Exchanged, Fence, Leave, Owned, Settlement, Verdict

_RUNS: Final = "SELECT id, run FROM jobs WHERE queue = ? AND state = ? ORDER BY rank, id"
_PUT_BACK: Final = "UPDATE jobs SET state = ?, run = NULL, recovered = ? WHERE queue = ? AND id = ?"
# The new owner has not said yet what it wants: its first exchange will look for itself.
_TAKE_SEAT: Final = """
    UPDATE queues SET epoch = ?, token = ?, seat = ?, call = 0, refused = '', hungry = 0, next_due = NULL
    WHERE key = ?
"""


class Owner(Verbs):
    """See `exqueue.persistence.base.Session`, "the owner of a queue"."""

    def claim(self, queue: str, fence: Fence, seat: int) -> Claimed:
        """See `Session.claim`."""
        with named(queue, self._file.path):
            return self._write(lambda step: _claim(step, make(step, queue, known=True), fence, seat))

    def exchange(
        self,
        queue: str,
        fence: Fence,
        seat: int,
        call: int,
        settlements: Sequence[Settlement],
        want: int,
        *,
        serial: bool,
        leave: Leave = NO_LEAVE,
    ) -> Exchanged:
        """See `Session.exchange`."""
        check_size("settlements", len(settlements))
        check_size("want", want)
        request = Request(fence, seat, call, tuple(settlements), want, serial, leave)
        with named(queue, self._file.path):
            return self._write(lambda step: exchange(step, queue, request))

    def sweep(self, owned: Sequence[Owned]) -> tuple[Verdict, ...]:
        """See `Session.sweep`."""
        return self._read(lambda step: tuple(_sweep(step, belief) for belief in owned)) if owned else ()


def _claim(step: Step, queue: QueueRow, fence: Fence, seat: int) -> Claimed:
    held = queue.fence
    if held is not None and (fence.epoch < held.epoch or (fence.epoch == held.epoch and fence.token != held.token)):
        raise Fenced(held.epoch)
    call = queue.call
    if fence != held:
        _recover(step, queue)
        _take_seat(step, queue, fence, seat)
        return Claimed(0, ())
    if seat > queue.seat:
        _take_seat(step, queue, fence, seat)
        call = 0
    elif 0 < seat < queue.seat:
        raise StaleCall(f"seat {seat} is older than the queue's {queue.seat}; nothing was changed")
    runs = step.db.execute(_RUNS, (queue.key, RUNNING)).fetchall()
    return Claimed(call, tuple(RunningEntry(job_id, run) for job_id, run in runs))


def _recover(step: Step, queue: QueueRow) -> None:
    """Put back by its place whatever ran under another leadership."""
    asked = "SELECT id, recovered FROM jobs INDEXED BY lines WHERE queue = ? AND state = ?"
    back = []
    for job_id, recovered in step.db.execute(asked, (queue.key, RUNNING)).fetchall():
        times = with_one_more(recovered, step.now)
        back.append((state_of_return(times, step.now), times, queue.key, job_id))
    step.db.executemany(_PUT_BACK, back)
    queue.moved.running, queue.moved.ready = -len(back), len(back)
    count(step, queue)


def _take_seat(step: Step, queue: QueueRow, fence: Fence, seat: int) -> None:
    step.db.execute(_TAKE_SEAT, (fence.epoch, fence.token, seat, queue.key))


def _sweep(step: Step, owned: Owned) -> Verdict:
    queue = find(step, owned.queue)
    if queue is None or (owned.fence, owned.seat, owned.call) != (queue.fence, queue.seat, queue.call):
        return "stale"
    if queue.paused or (queue.serial and _has(step, queue, RUNNING)):
        return "fine"
    if queue.serial and queue.head is not None:
        asked = "SELECT state, rank FROM jobs WHERE queue = ? AND id = ?"
        state, rank = step.db.execute(asked, (queue.key, queue.head)).fetchone() or (None, 0.0)
        is_due = state in {RETURNED, SUSPECT} or (state == WAITING and rank <= step.now)
        return "due" if is_due else "fine"
    if _has(step, queue, RETURNED) or _has(step, queue, SUSPECT) or _has(step, queue, READY):
        return "due"
    due_at = first_due(step, queue)
    return "due" if due_at is not None and due_at <= step.now else "fine"


def _has(step: Step, queue: QueueRow, state: int) -> bool:
    asked = "SELECT 1 FROM jobs WHERE queue = ? AND state = ? LIMIT 1"
    return step.db.execute(asked, (queue.key, state)).fetchone() is not None
