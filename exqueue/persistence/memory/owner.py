"""What the owner of a queue does with it in memory: claim, exchange, sweep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from exqueue.errors import Fenced, StaleCall
from exqueue.persistence.memory.queue import FRONT, Run
from exqueue.persistence.values import (
    MAX_PROMOTED,
    MAX_WEIGHED,
    Bury,
    Claimed,
    Done,
    Exchanged,
    Fence,
    Fetched,
    GiveBack,
    Owned,
    Recovered,
    Retry,
    RunningEntry,
    Settlement,
)

if TYPE_CHECKING:
    from exqueue.persistence.memory.line import Line
    from exqueue.persistence.memory.queue import Queue
    from exqueue.persistence.values import Leave, Verdict


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


class Candidate(NamedTuple):
    """A job that may be handed out, with the place that its run would have; they are handed out in this order."""

    place: int
    id: str
    needs_leave: bool


def claim(queue: Queue, fence: Fence, seat: int, now: float) -> Claimed:
    """See `Session.claim`."""
    held = queue.fence
    if held is not None and (fence.epoch < held.epoch or (fence.epoch == held.epoch and fence.token != held.token)):
        raise Fenced(held.epoch)
    if fence != held:
        for job_id, run in queue.running.items():
            queue.count_recovery(job_id, now)
            queue.put_back(job_id, run.place, now)
        queue.running.clear()
        queue.fence = fence
        _take_seat(queue, seat)
    elif seat > queue.seat:
        _take_seat(queue, seat)
    elif 0 < seat < queue.seat:
        raise StaleCall(f"seat {seat} is older than the queue's {queue.seat}; nothing was changed")
    return Claimed(queue.call, tuple(RunningEntry(job_id, run.name) for job_id, run in queue.running.items()))


def _take_seat(queue: Queue, seat: int) -> None:
    queue.seat, queue.call, queue.refused = seat, 0, ()
    # The new owner has not said yet what it wants; its first exchange will look for itself.
    queue.hungry, queue.next_due = False, None


def exchange(queue: Queue, request: Request, now: float) -> Exchanged:
    """See `Session.exchange`."""
    if request.fence != queue.fence:
        raise Fenced(queue.epoch)
    if request.seat != queue.seat or not queue.call <= request.call <= queue.call + 1:
        raise StaleCall(f"call {request.call} of seat {request.seat} does not follow {queue.call} of {queue.seat}")
    if request.call == queue.call:
        this = (request.seat, request.call)
        again = {job_id: run for job_id, run in queue.running.items() if (run.seat, run.call) == this}
        return _answer(queue, again, now)
    queue.refused = tuple(at for at, ended in enumerate(request.settlements) if not _settle(queue, ended, now))
    queue.call, queue.serial = request.call, request.serial
    _promote(queue, now)
    handed_out = _hand_out(queue, request, now)
    queue.hungry = len(handed_out) < request.want
    first = queue.waiting.first()
    queue.next_due = first[0] if first else None
    return _answer(queue, handed_out, now)


def _answer(queue: Queue, runs: dict[str, Run], now: float) -> Exchanged:
    def fetched(job_id: str, run: Run) -> Fetched:
        job = queue.jobs[job_id]
        return Fetched(job_id, run.name, job.record, job.trail, queue.recoveries(job_id, now))

    first = queue.waiting.first()
    return Exchanged(
        jobs=tuple(fetched(job_id, run) for job_id, run in runs.items()),
        refused=queue.refused,
        next_due=max(0.0, first[0] - now) if first else None,
        paused=queue.paused,
        suspect_waits=bool(_offered(queue, queue.suspects, 1)),
    )


def _settle(queue: Queue, ended: Settlement, now: float) -> bool:
    run = queue.running.get(ended.id)
    if run is None or run.name != ended.run:
        return False
    del queue.running[ended.id]
    match ended:
        case Done():
            queue.processed += 1
            queue.drop(ended.id)
        case Retry(delay=delay, trail=trail):
            if trail is not None:
                _fail(queue, ended.id, trail)
            queue.waiting.put(ended.id, now + max(0.0, delay))
        case Bury(trail=trail):
            _fail(queue, ended.id, trail)
            queue.dead.put(ended.id, now)
            queue.unreported[ended.id] = ended.run
        case GiveBack():
            queue.put_back(ended.id, run.place, now)
        case Recovered():
            queue.count_recovery(ended.id, now)
            queue.put_back(ended.id, run.place, now)
    return True


def _fail(queue: Queue, job_id: str, trail: bytes | None) -> None:
    queue.failed += 1
    if trail is not None:
        queue.jobs[job_id].trail = trail


def _promote(queue: Queue, now: float) -> None:
    for _ in range(MAX_PROMOTED):
        first = queue.waiting.first()
        if first is None or first[0] > now:
            return
        job_id = first[1]
        queue.waiting.take(job_id)
        if job_id == queue.head:
            queue.put_back(job_id, FRONT, now)
        else:
            queue.ready[job_id] = None


def _hand_out(queue: Queue, request: Request, now: float) -> dict[str, Run]:
    want = min(request.want, 1) if request.serial else request.want
    if queue.paused or (request.serial and queue.running):
        want = 0
    picked = _returned(queue, request.leave, want, now)
    if not (queue.serial and queue.head is not None):
        is_used = any(job.needs_leave for job in picked)
        leave = replace(request.leave, suspect=False) if is_used else request.leave
        picked += _fresh(queue, leave, want - len(picked), now)
    runs = {job.id: Run(job.place, request.seat, request.call, int(now * 1000)) for job in picked}
    queue.running.update(runs)
    if request.serial and picked:
        queue.head = picked[0].id
    return runs


def _returned(queue: Queue, leave: Leave, want: int, now: float) -> list[Candidate]:
    """Take those that went back out of their lines, by place, and the suspects that there is leave for."""
    plain = _offered(queue, queue.returned, want)
    offered = [Candidate(int(place), job_id, needs_leave=False) for place, job_id in plain]
    is_left = leave.suspect
    for place, job_id in _offered(queue, queue.suspects, MAX_WEIGHED):
        is_poison = leave.is_poison(queue.recoveries(job_id, now))
        if is_poison or is_left:
            offered.append(Candidate(int(place), job_id, not is_poison))
            is_left = is_left and is_poison
    picked = sorted(offered)[:want]
    for job in picked:
        (queue.suspects if job.id in queue.suspects else queue.returned).take(job.id)
    return picked


def _fresh(queue: Queue, leave: Leave, want: int, now: float) -> list[Candidate]:
    """Take those that were never fetched out of the line; a suspect without leave goes to the others of its kind."""
    picked: list[Candidate] = []
    is_left = leave.suspect
    while queue.ready and len(picked) < want:
        job_id, _ = queue.ready.popitem(last=False)
        place, recoveries = queue.draw_place(), queue.recoveries(job_id, now)
        needs_leave = queue.is_suspect(job_id, now) and not leave.is_poison(recoveries)
        if is_left or not needs_leave:
            picked.append(Candidate(place, job_id, needs_leave))
            is_left = is_left and not needs_leave
        else:
            queue.suspects.put(job_id, place)
    return picked


def _offered(queue: Queue, line: Line, most: int) -> list[tuple[float, str]]:
    """The first of a line that may be handed out; in a serial queue with a head only that."""
    if not queue.serial or queue.head is None:
        return list(islice(line, most))
    return [(line.number(queue.head), queue.head)] if queue.head in line else []


def sweep(queue: Queue, owned: Owned, now: float) -> Verdict:
    """See `Session.sweep`."""
    if (owned.fence, owned.seat, owned.call) != (queue.fence, queue.seat, queue.call):
        return "stale"
    if queue.paused or (queue.serial and queue.running):
        return "fine"
    halting = queue.head if queue.serial else None
    if halting is None:
        first = queue.waiting.first()
        due_at = first[0] if first else None
    else:
        due_at = queue.waiting.number(halting) if halting in queue.waiting else None
    went_back = _offered(queue, queue.returned, 1) or _offered(queue, queue.suspects, 1)
    offered = went_back or (halting is None and queue.ready)
    return "due" if offered or (due_at is not None and due_at <= now) else "fine"
