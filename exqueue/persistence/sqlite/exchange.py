"""The one step in which an owner settles what ended and fetches what fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from exqueue.errors import Fenced, StaleCall
from exqueue.persistence.sqlite.queue import (
    FRONT,
    READY,
    RETURNED,
    RUNNING,
    SUSPECT,
    WAITING,
    UnreadableError,
    find,
    first_due,
    last_ready,
    recent,
    state_of_return,
)
from exqueue.persistence.sqlite.settling import settle
from exqueue.persistence.values import MAX_PROMOTED, MAX_WEIGHED, SUSPECT_AFTER, Exchanged, Fetched

if TYPE_CHECKING:
    from exqueue.persistence.sqlite.connection import Step
    from exqueue.persistence.sqlite.queue import QueueRow
    from exqueue.persistence.values import Fence, Leave, Settlement

_JOB: Final = "id, rank, recovered, trail, record"
_LINE: Final = f"SELECT {_JOB} FROM jobs WHERE queue = ? AND state = ? ORDER BY rank, id LIMIT ?"  # noqa: S608
_STORED: Final = f"SELECT {_JOB}, state FROM jobs WHERE queue = ? AND id = ?"  # noqa: S608 - constants
_SUSPECTS: Final = f"SELECT id, recovered FROM jobs WHERE queue = ? AND state = {SUSPECT} ORDER BY rank, id LIMIT ?"  # noqa: S608
_RUNS: Final = f"SELECT {_JOB}, run FROM jobs WHERE queue = ? AND state = {RUNNING} ORDER BY rank, id"  # noqa: S608
_DUE: Final = "SELECT id, recovered FROM jobs WHERE queue = ? AND state = ? AND rank <= ? ORDER BY rank, id LIMIT ?"
_MOVE: Final = "UPDATE jobs SET state = ?, rank = ? WHERE queue = ? AND id = ?"
_RUN: Final = f"UPDATE jobs SET state = {RUNNING}, rank = ?, run = ? WHERE queue = ? AND id = ?"  # noqa: S608
_NOTE: Final = """
    UPDATE queues SET call = ?, refused = ?, serial = ?, head = ?, places = ?, hungry = ?, next_due = ?,
      processed = processed + ?, failed = failed + ?,
      ready = ready + ?, waiting = waiting + ?, running = running + ?, dead = dead + ?
    WHERE key = ?
"""


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments of one exchange, see `Session.exchange`."""

    fence: Fence
    seat: int
    call: int
    settlements: tuple[Settlement, ...]
    want: int
    serial: bool
    leave: Leave


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job that may be handed out, with the place that its run would have."""

    id: str
    place: int
    needs_leave: bool
    recovered: str | None
    trail: bytes | None
    record: bytes


def exchange(step: Step, name: str, request: Request) -> Exchanged:
    """See `Session.exchange`."""
    queue = find(step, name)
    if queue is None or request.fence != queue.fence:
        raise Fenced(0 if queue is None else queue.epoch)
    if request.seat != queue.seat or not queue.call <= request.call <= queue.call + 1:
        raise StaleCall(f"call {request.call} of seat {request.seat} does not follow {queue.call} of {queue.seat}")
    if request.call == queue.call:
        return _answer(step, queue, _handed_out_by(step, queue, request), first_due(step, queue))
    settled = settle(step, queue, request.settlements)
    queue.refused, queue.serial = ",".join(map(str, settled.refused)), int(request.serial)
    next_due = first_due(step, queue)
    if next_due is not None and next_due <= step.now:
        _promote(step, queue)
        next_due = first_due(step, queue)
    jobs = _hand_out(step, queue, request)
    hungry = len(jobs) < request.want
    told = (request.call, queue.refused, queue.serial, queue.head, queue.places, hungry, next_due)
    moved = queue.moved
    counted = (settled.processed, settled.failed, moved.ready, moved.waiting, moved.running, moved.dead)
    step.db.execute(_NOTE, (*told, *counted, queue.key))
    return _answer(step, queue, jobs, next_due)


def _answer(step: Step, queue: QueueRow, jobs: tuple[Fetched, ...], next_due: float | None) -> Exchanged:
    return Exchanged(
        jobs=jobs,
        refused=_positions(queue.refused),
        next_due=None if next_due is None else max(0.0, next_due - step.now),
        paused=bool(queue.paused),
        suspect_waits=_suspect_waits(step, queue),
    )


def _positions(refused: str) -> tuple[int, ...]:
    try:
        return tuple(map(int, refused.split(","))) if refused else ()
    except ValueError:
        raise UnreadableError(f"queues.refused is {refused[:40]!r}") from None


def _handed_out_by(step: Step, queue: QueueRow, request: Request) -> tuple[Fetched, ...]:
    """What the call handed out that still runs."""
    this = [b"%d" % request.seat, b"%d" % request.call]
    return tuple(
        Fetched(job_id, run, record, trail, recent(recovered, step.now))
        for job_id, _, recovered, trail, record, run in step.db.execute(_RUNS, (queue.key,)).fetchall()
        # One that somebody else took away or wrote is no run that anybody could have in hand.
        if run is not None and run.split(b"|")[1:3] == this
    )


def _suspect_waits(step: Step, queue: QueueRow) -> bool:
    if queue.serial and queue.head is not None:
        head = _head(step, queue)
        return head is not None and head.needs_leave
    asked = "SELECT 1 FROM jobs WHERE queue = ? AND state = ? LIMIT 1"
    return step.db.execute(asked, (queue.key, SUSPECT)).fetchone() is not None


def _promote(step: Step, queue: QueueRow) -> None:
    """Let what is due join the line; a serial head returns to the front."""
    rank, moved = last_ready(step, queue), []
    for job_id, recovered in step.db.execute(_DUE, (queue.key, WAITING, step.now, MAX_PROMOTED)).fetchall():
        if job_id == queue.head:
            moved.append((state_of_return(recovered, step.now), float(FRONT), queue.key, job_id))
        else:
            rank += 1
            moved.append((READY, rank, queue.key, job_id))
    step.db.executemany(_MOVE, moved)
    queue.moved.waiting -= len(moved)
    queue.moved.ready += len(moved)


def _hand_out(step: Step, queue: QueueRow, request: Request) -> tuple[Fetched, ...]:
    want = min(request.want, 1) if request.serial else request.want
    if want == 0 or queue.paused or (request.serial and _is_running(step, queue)):
        return ()
    picked = _returned(step, queue, want, request.leave)
    if len(picked) < want and not (request.serial and queue.head is not None):
        is_used = any(job.needs_leave for job in picked)
        leave = replace(request.leave, suspect=False) if is_used else request.leave
        picked += _fresh(step, queue, want - len(picked), leave)
    stamp = f"|{request.seat}|{request.call}|{int(step.now * 1000)}"
    jobs = tuple(
        Fetched(job.id, f"{job.place}{stamp}".encode(), job.record, job.trail, recent(job.recovered, step.now))
        for job in picked
    )
    entries = [(job.place, run.run, queue.key, job.id) for job, run in zip(picked, jobs, strict=True)]
    step.db.executemany(_RUN, entries)
    queue.moved.ready -= len(entries)
    queue.moved.running += len(entries)
    if request.serial and picked:
        queue.head = picked[0].id
    return jobs


def _is_running(step: Step, queue: QueueRow) -> bool:
    asked = "SELECT 1 FROM jobs WHERE queue = ? AND state = ? LIMIT 1"
    return step.db.execute(asked, (queue.key, RUNNING)).fetchone() is not None


def _returned(step: Step, queue: QueueRow, want: int, leave: Leave) -> list[Candidate]:
    """Those that went back, by place, and the suspects that there is leave for; in a serial queue with a head that."""
    if queue.serial and queue.head is not None:
        head = _head(step, queue)
        is_held = head is not None and head.needs_leave and not leave.suspect
        return [] if head is None or (is_held and not _is_poison(step, head.recovered, leave)) else [head]
    found = [_candidate(row, needs_leave=False) for row in _line(step, queue, RETURNED, want)]
    for job_id, is_poison in _let_go(step, queue, leave)[:want]:
        row = step.db.execute(_STORED, (queue.key, job_id)).fetchone()
        found.append(_candidate(row[:-1], needs_leave=not is_poison))
    found.sort(key=lambda job: (job.place, job.id))
    return found[:want]


def _let_go(step: Step, queue: QueueRow, leave: Leave) -> list[tuple[str, bool]]:
    """The suspects that there is leave for, by place, and whether each is poison."""
    most = int(leave.suspect) if leave.poison_from is None else MAX_WEIGHED
    is_left, found = leave.suspect, []
    # Without trails and records, which are large: most of them stay where they are.
    for job_id, recovered in step.db.execute(_SUSPECTS, (queue.key, most)).fetchall():
        is_poison = _is_poison(step, recovered, leave)
        if is_poison or is_left:
            found.append((job_id, is_poison))
            is_left = is_left and is_poison
    return found


def _is_poison(step: Step, recovered: str | None, leave: Leave) -> bool:
    return leave.is_poison(recent(recovered, step.now))


def _head(step: Step, queue: QueueRow) -> Candidate | None:
    """The serial head, if it stands in one of the lines of what went back."""
    row = step.db.execute(_STORED, (queue.key, queue.head)).fetchone()
    if row is None or row[-1] not in {RETURNED, SUSPECT}:
        return None
    return _candidate(row[:-1], needs_leave=row[-1] == SUSPECT)


def _candidate(row: Any, *, needs_leave: bool) -> Candidate:
    job_id, rank, recovered, trail, record = row
    return Candidate(job_id, int(rank), needs_leave, recovered, trail, record)


def _line(step: Step, queue: QueueRow, state: int, most: int) -> list[Any]:
    return step.db.execute(_LINE, (queue.key, state, most)).fetchall()


def _fresh(step: Step, queue: QueueRow, want: int, leave: Leave) -> list[Candidate]:
    """Those that were never fetched, each with a new place; a suspect without leave goes to the others of its kind."""
    picked: list[Candidate] = []
    is_left = leave.suspect
    while len(picked) < want:
        rows = _line(step, queue, READY, want - len(picked))
        held = []
        for job_id, _, recovered, trail, record in rows:
            queue.places += 1
            recoveries = recent(recovered, step.now)
            needs_leave = recoveries >= SUSPECT_AFTER and not leave.is_poison(recoveries)
            if needs_leave and not is_left:
                held.append((SUSPECT, queue.places, queue.key, job_id))
            else:
                is_left = is_left and not needs_leave
                picked.append(Candidate(job_id, queue.places, needs_leave, recovered, trail, record))
        if not held:
            break
        # What was picked still stands in the line: it is moved out of it, so that the next look finds others.
        held += [(RUNNING, job.place, queue.key, job.id) for job in picked]
        step.db.executemany(_MOVE, held)
    return picked
