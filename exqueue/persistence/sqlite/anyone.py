"""The verbs of anyone: push, and what a person may do with jobs and queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from exqueue.errors import StaleCall, StorageFull
from exqueue.persistence.bounds import check_size
from exqueue.persistence.sqlite.callers import once
from exqueue.persistence.sqlite.queue import (
    DEAD,
    FRONT,
    READY,
    RETURNED,
    WAITING,
    clear_head,
    count,
    find,
    last_ready,
    make,
)
from exqueue.persistence.sqlite.reads import STATES
from exqueue.persistence.sqlite.verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exqueue.errors import ExqueueError
    from exqueue.persistence.sqlite.connection import Step
    from exqueue.persistence.sqlite.queue import QueueRow
    from exqueue.persistence.values import Mark, NewJob, Push, Removed

_STORE: Final = "INSERT OR IGNORE INTO jobs (queue, id, state, rank, record) VALUES (?, ?, ?, ?, ?)"
_REVIVE: Final = """
    UPDATE jobs SET state = ?, rank = ?, recovered = NULL, unreported = NULL WHERE queue = ? AND id = ? AND state = ?
"""
_REPORTED: Final = "UPDATE jobs SET unreported = NULL WHERE queue = ? AND id = ? AND unreported = ?"
_DELETE_DEAD: Final = "DELETE FROM jobs WHERE queue = ? AND id = ? AND state = ?"


class Anyone(Verbs):
    """See `exqueue.persistence.base.Session`, "anyone"."""

    def push(self, caller: str, pushes: Sequence[Push]) -> tuple[ExqueueError | None, ...]:
        """See `Session.push`: all in one transaction, which waits for the disk once."""
        for push in pushes:
            check_size("jobs of one push", len(push.jobs))
        if not pushes:
            return ()
        try:
            return self._write(lambda step: tuple(_push(step, caller, push) for push in pushes), durable=True)
        except StorageFull as full:
            if len(pushes) == 1:
                return (full,)
        # There is no room for all of them: there may be for some.
        return tuple(self.push(caller, (push,))[0] for push in pushes)

    def retry_dead(self, queue: str, caller: str, n: int, ids: Sequence[str]) -> tuple[str, ...]:
        """See `Session.retry_dead`."""
        check_size("ids", len(ids))
        return tuple(self._command(queue, caller, n, lambda step, it: _retry_dead(step, it, ids)))

    def delete_dead(self, queue: str, caller: str, n: int, ids: Sequence[str]) -> tuple[str, ...]:
        """See `Session.delete_dead`."""
        check_size("ids", len(ids))
        return tuple(self._command(queue, caller, n, lambda step, it: _delete_dead(step, it, ids)))

    def cancel(self, queue: str, caller: str, n: int, job_id: str) -> Removed | None:
        """See `Session.cancel`."""
        answer: Removed | None = self._command(queue, caller, n, lambda step, it: _cancel(step, it, job_id))
        return answer

    def set_paused(self, queue: str, caller: str, n: int, paused: bool) -> None:
        """See `Session.set_paused`."""

        def pause(step: Step, it: QueueRow) -> None:
            step.db.execute("UPDATE queues SET paused = ?, known = 1 WHERE key = ?", (paused, it.key))

        self._command(queue, caller, n, pause)

    def reported(self, queue: str, marks: Sequence[Mark]) -> None:
        """See `Session.reported`."""
        check_size("marks", len(marks))

        def unmark(step: Step) -> None:
            found = find(step, queue)
            if found is not None:
                step.db.executemany(_REPORTED, [(found.key, mark.id, mark.run) for mark in marks])

        if marks:
            self._write(unmark)

    def _command(self, name: str, caller: str, n: int, act: Callable[[Step, QueueRow], object]) -> Any:
        """What a person told to do, under the caller's number; it wakes the owner."""

        def command(step: Step) -> Any:
            queue = make(step, name, known=False)

            def act_and_wake() -> object:
                reply = act(step, queue)
                count(step, queue)
                step.signal(name)
                return reply

            return once(step, queue.key, caller, n, act_and_wake)

        return self._write(command, durable=True)


def _push(step: Step, caller: str, push: Push) -> ExqueueError | None:
    queue = make(step, push.queue, known=True)
    try:
        once(step, queue.key, caller, push.n, lambda: _store(step, queue, push.queue, push.jobs))
    except StaleCall as stale:
        return stale
    return None


def _store(step: Step, queue: QueueRow, name: str, jobs: Sequence[NewJob]) -> None:
    """Store the jobs that are not there yet, and wake the owner if one of them concerns it."""
    rank, moved, earliest = last_ready(step, queue), queue.moved, None
    for job in jobs:
        due = job.at if job.at is not None else step.now + job.delay
        is_fresh = due <= step.now
        state, place = (READY, rank + 1) if is_fresh else (WAITING, due)
        if not step.db.execute(_STORE, (queue.key, job.id, state, place, job.record)).rowcount:
            continue
        if is_fresh:
            rank, moved.ready = rank + 1, moved.ready + 1
        else:
            moved.waiting += 1
            earliest = due if earliest is None else min(earliest, due)
    count(step, queue)
    wakes_hungry = bool(moved.ready and queue.hungry)
    is_sooner = earliest is not None and (queue.next_due is None or earliest < queue.next_due)
    if not wakes_hungry and not is_sooner:
        return
    # Said once: what follows in a burst finds the owner awake already.
    hungry, next_due = 0 if wakes_hungry else queue.hungry, earliest if is_sooner else queue.next_due
    step.db.execute("UPDATE queues SET hungry = ?, next_due = ? WHERE key = ?", (hungry, next_due, queue.key))
    step.signal(name)


def _retry_dead(step: Step, queue: QueueRow, ids: Sequence[str]) -> list[str]:
    rank, revived = last_ready(step, queue), []
    for job_id in dict.fromkeys(ids):
        state, place = (RETURNED, float(FRONT)) if job_id == queue.head else (READY, rank + 1)
        if step.db.execute(_REVIVE, (state, place, queue.key, job_id, DEAD)).rowcount:
            revived.append(job_id)
            rank += state == READY
    queue.moved.dead, queue.moved.ready = -len(revived), len(revived)
    return revived


def _delete_dead(step: Step, queue: QueueRow, ids: Sequence[str]) -> list[str]:
    deleted = []
    for job_id in dict.fromkeys(ids):
        if step.db.execute(_DELETE_DEAD, (queue.key, job_id, DEAD)).rowcount:
            deleted.append(job_id)
            clear_head(step, queue, job_id)
    queue.moved.dead = -len(deleted)
    return deleted


def _cancel(step: Step, queue: QueueRow, job_id: str) -> Removed | None:
    row = step.db.execute("SELECT state FROM jobs WHERE queue = ? AND id = ?", (queue.key, job_id)).fetchone()
    if row is None:
        return None
    state: Removed = STATES[row[0]]
    if state != "running":
        step.db.execute("DELETE FROM jobs WHERE queue = ? AND id = ?", (queue.key, job_id))
        clear_head(step, queue, job_id)
        setattr(queue.moved, state, -1)
    return state
