"""What the owner of a queue does with it in memory: claim, exchange, sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exqueue.errors import Fenced, StaleCall
from exqueue.persistence.memory.queue import FRONT, Run
from exqueue.persistence.values import (
    MAX_PROMOTED,
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
    from exqueue.persistence.values import Verdict


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments of one exchange, see `Session.exchange`."""

    fence: Fence
    seat: int
    call: int
    settlements: tuple[Settlement, ...]
    want: int
    serial: bool
    suspect: bool


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
        suspect_waits=bool(_offered(queue, queue.suspects)),
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
    leave = request.suspect
    handed_out: dict[str, Run] = {}
    while len(handed_out) < want:
        picked = _pick(queue, leave=leave, now=now)
        if picked is None:
            break
        job_id, place, needed_leave = picked
        leave = leave and not needed_leave
        run = Run(place, request.seat, request.call, int(now * 1000))
        handed_out[job_id] = queue.running[job_id] = run
        if request.serial:
            queue.head = job_id
    return handed_out


def _pick(queue: Queue, *, leave: bool, now: float) -> tuple[str, int, bool] | None:
    """Take the next job out of its line: its id, its place, and whether it needed the leave."""
    lines = (queue.returned, queue.suspects) if leave else (queue.returned,)
    offered = [(first, line) for line in lines if (first := _offered(queue, line)) is not None]
    if offered:
        (place, job_id), line = min(offered, key=lambda entry: entry[0])
        line.take(job_id)
        return job_id, int(place), line is queue.suspects
    if queue.serial and queue.head is not None:
        return None
    while queue.ready:
        job_id, _ = queue.ready.popitem(last=False)
        place = queue.draw_place()
        is_suspect = queue.is_suspect(job_id, now)
        if leave or not is_suspect:
            return job_id, place, is_suspect
        queue.suspects.put(job_id, place)
    return None


def _offered(queue: Queue, line: Line) -> tuple[float, str] | None:
    """The job of a line that may be handed out: its first, in a serial queue with a head the head only."""
    if not queue.serial or queue.head is None:
        return line.first()
    return (line.number(queue.head), queue.head) if queue.head in line else None


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
    offered = _offered(queue, queue.returned) or _offered(queue, queue.suspects) or (halting is None and queue.ready)
    return "due" if offered or (due_at is not None and due_at <= now) else "fine"
