"""What the promises forbid of one job."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from exqueue.codec import Codec
from exqueue.errors import NewerRecordError, RecordError
from exqueue.persistence.inspection.bounds import CLOCK_SLACK_S, is_number, is_time, number_in
from exqueue.persistence.inspection.remedies import (
    DropMark,
    DropRun,
    Forget,
    Put,
    SetHusks,
    SetRecovered,
    SetTrail,
    blame,
)
from exqueue.persistence.values import RECOVERY_WINDOW_S, SUSPECT_AFTER
from exqueue.record import (
    decode_record,
    decode_trail,
    decode_trail_if_readable,
    encode_trail,
    is_damaged_trail,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.inspection.facts import JobFacts, Line, Place, QueueFacts
    from exqueue.persistence.inspection.remedies import Blame, Fault

    Readable = Callable[[bytes], str | None]
    """Says why a record can't be decoded; ``None`` when it can."""

FRONT: Final = 0.0
"""The place before every place that was ever drawn."""

NEVER_RAN: Final = "0|0|0|"
"""What the mark of a death begins with that no run ended in; its time follows, in ms."""

_RUN: Final = re.compile(rb"(\d+)\|(\d+)\|(\d+)\|(\d+)")
_KEPT: Final[tuple[Line, ...]] = ("dead", "waiting", "suspects", "returned", "ready", "running")
"""Of several places the first of these is kept: what waits for a person or a time, before what runs at once."""


def readable() -> Readable:
    """Decodes records as a node does that knows no types of the user's."""
    codec = Codec()

    def why_not(record: bytes) -> str | None:
        try:
            decode_record(record, codec)
        except NewerRecordError:
            return None
        except RecordError as error:
            return str(error)
        return None

    return why_not


def of_job(job: JobFacts, queue: QueueFacts, now: float, why_not: Readable | None) -> list[Fault]:
    """What is wrong with one job.

    Args:
        job: all that is stored of it.
        queue: seen at the same moment.
        now: by the store's clock.
        why_not: see `Readable`; ``None`` takes records and trails for opaque.
    """
    fault = blame(queue.name, job.id)
    # Where it stands can't be told before.
    if wrong_husks := _of_husks(job, queue, fault):
        return wrong_husks
    if job.record is None:
        return _of_leftovers(job, queue, fault)
    placed = _of_places(job, queue, now, fault, why_not)
    found = list(placed)
    if job.run is not None and job.places and all(place.line != "running" for place in job.places):
        found.append(
            fault(
                "old_run",
                f"it does not run and has the run {_shown(job.run)}: whoever had that could still end the job",
                "removes that run; the job stays where it is",
                DropRun(queue.name, job.id),
            )
        )
    if job.mark is not None and not placed and job.places[0].line != "dead":
        found.append(
            fault(
                "mark_without_death",
                f"it is marked as dead and not reported yet, and is {_called(job.places[0])}",
                "removes the mark",
                DropMark(queue.name, job.id),
            )
        )
    if why_not is not None:
        found += _of_trail(job, queue, fault)
    return found + _of_recoveries(job, queue, now, fault)


def highest_place(job: JobFacts) -> int:
    """The highest number of a first fetch that stands with the job; 0 when there is none."""
    run = _parts(job.run)
    numbers = [place.number for place in job.places if place.line in {"returned", "suspects"}]
    fetched = [int(number) for number in numbers if number is not None and _is_place(number)]
    return max((*fetched, run[0] if run is not None else 0), default=0)


def _of_leftovers(job: JobFacts, queue: QueueFacts, fault: Blame) -> list[Fault]:
    remedy = Forget(queue.name, job.id)
    if job.places:
        said = f"it stands in {_lines(job.places)}, and there is no record of it: nobody can run it"
        return [fault("place_without_record", said, "removes the entry; there is nothing else of the job", remedy)]
    told = {
        "a trail": job.trail,
        "recoveries": job.recovered or dict(job.unreadable).get("recovered"),
        "the mark of a death": job.mark,
        "a run": job.run,
    }
    left = [name for name, value in told.items() if value]
    if not left:
        return []
    said = f"there is no such job, and of it {' and '.join(left)}: a new job of this id would inherit that"
    return [fault("leftovers", said, "removes what is left", remedy)]


def _of_husks(job: JobFacts, queue: QueueFacts, fault: Blame) -> list[Fault]:
    unreadable = dict(job.unreadable).get("husks")
    count = job.entries
    if unreadable is not None:
        said = f"how many of its entries in the ready line are to be skipped is {unreadable}, which is no number"
        # Those of a job that is not there; of one that is, all but its own.
        count -= job.record is not None and all(place.line == "ready" for place in job.places)
    elif job.husks > job.entries:
        said = (
            f"{job.husks} of its entries in the ready line are to be skipped, and there are {job.entries}: a new job "
            "of this id would be skipped and never run"
        )
    else:
        return []
    count = max(0, count)
    return [fault("wrong_husks", said, f"sets it to {count}", SetHusks(queue.name, job.id, count))]


def _of_places(job: JobFacts, queue: QueueFacts, now: float, fault: Blame, why_not: Readable | None) -> list[Fault]:
    """At most one fault: what is put into its place is looked at once more."""
    if not job.places:
        return [_no_place(job, queue, now, fault)]
    if len(job.places) > 1:
        kept = min(job.places, key=lambda place: _KEPT.index(place.line))
        said = f"it stands in {_lines(job.places)}: it could run twice, or run after its end"
        return [fault("two_places", said, f"keeps it in {kept.line} only", _put(job, queue, kept, now))]
    (place,) = job.places
    reason = why_not(job.record) if why_not is not None and job.record is not None else None
    if place.line != "dead" and reason is not None:
        said = f"its record of {len(job.record or b''):,} bytes can't be decoded, so nobody can run it: {reason}"
        remedy = _bury(job, queue, f"its record can't be decoded: {reason}", now)
        return [fault("undecodable_record", said, "puts it to the dead ones with the same bytes", remedy)]
    if place.line == "running":
        return _of_run(job, queue, fault)
    return _of_number(job, queue, place, now, fault)


def _no_place(job: JobFacts, queue: QueueFacts, now: float, fault: Blame) -> Fault:
    said = "it stands in no line and does not run: nobody would ever run it"
    if (strange := dict(job.unreadable).get("state")) is not None:
        said = f"its state is {strange}, which is none: nobody would ever run it"
    if decode_trail_if_readable(job.trail).buried:
        remedy = Put(queue.name, job.id, "dead", now, mark=_mark(now))
        return fault("no_place", said, "puts it to the dead ones, since its trail says that it was buried", remedy)
    return fault("no_place", said, "puts it at the end of the ready line", Put(queue.name, job.id, "ready"))


def _of_run(job: JobFacts, queue: QueueFacts, fault: Blame) -> list[Fault]:
    found = _parts(job.run)
    if found is None:
        said = f"it runs under {_shown(job.run)}, which is no run: nobody can end it, and the queue can't be claimed"
        remedy = Put(queue.name, job.id, "returned", FRONT, is_lost=True)
        return [fault("unreadable_run", said, "puts it back to the front of the line, as lost once", remedy)]
    place, seat, call = found
    if seat > queue.seat or (seat == queue.seat and call > queue.call):
        said = (
            f"it runs under call {call} of seat {seat}, and the queue's owner is at call {queue.call} of seat "
            f"{queue.seat}: the run is of another leadership, and nobody here can end it"
        )
        remedy = Put(queue.name, job.id, "returned", float(place), is_lost=True)
        return [fault("old_run", said, "puts it back to the line by its place, as lost once", remedy)]
    return []


def _of_number(job: JobFacts, queue: QueueFacts, place: Place, now: float, fault: Blame) -> list[Fault]:
    strange = dict(job.unreadable).get("rank")
    if place.line == "ready":
        if strange is not None:
            said = f"it stands in the ready line with the rank {strange}: what comes after it has no order"
            return [fault("no_number", said, "puts it to the end of the line", Put(queue.name, job.id, "ready"))]
        if job.id != queue.head:
            return []
        said = "the queue holds on to it as its head, and it stands in the ready line, where a head is not looked for"
        front = Put(queue.name, job.id, "returned", FRONT)
        return [fault("wrong_line", said, "puts it to the front of the line", front)]
    number, has_time = place.number, place.line in {"waiting", "dead"}
    if number is None or not (is_time(number) if has_time else _is_place(number)):
        what, instead = ("time", now) if has_time else ("place", FRONT)
        said = f"it stands in {place.line} with the {what} {number}, which is none"
        remedy = Put(queue.name, job.id, place.line, instead)
        return [fault("no_number", said, f"gives it the {what} {'now' if has_time else '0'}", remedy)]
    if has_time:
        return []
    recoveries = sum(1 for at in _credible(job, now) if at > now - RECOVERY_WINDOW_S)
    if place.line == "returned" and recoveries >= SUSPECT_AFTER:
        said = f"it took down what ran it {recoveries} times and stands among those that run beside anything"
        remedy = Put(queue.name, job.id, "suspects", number)
        return [fault("wrong_line", said, "puts it to the suspects, by its place", remedy)]
    return []


def _of_trail(job: JobFacts, queue: QueueFacts, fault: Blame) -> list[Fault]:
    if job.trail is None or not is_damaged_trail(job.trail):
        return []
    said = f"its trail of {len(job.trail):,} bytes can't be read as a whole: earlier failures may be missing"
    remedy = SetTrail(queue.name, job.id, encode_trail(decode_trail(job.trail)))
    return [fault("undecodable_trail", said, "keeps what can be read, with a note", remedy)]


def _of_recoveries(job: JobFacts, queue: QueueFacts, now: float, fault: Blame) -> list[Fault]:
    strange, kept = dict(job.unreadable).get("recovered"), _credible(job, now)
    if strange is None and len(kept) == len(job.recovered):
        return []
    said = f"the times of its recoveries are {strange}: they can't be read"
    if strange is None:
        ahead = len(job.recovered) - len(kept)
        said = f"{ahead} of its recoveries are still to come: they would count for ever, and bury it unrun"
    remedy = SetRecovered(queue.name, job.id, kept)
    return [fault("unreadable_recoveries", said, f"keeps the {len(kept)} that are times of the past", remedy)]


def _credible(job: JobFacts, now: float) -> tuple[float, ...]:
    """The recoveries that have been."""
    return tuple(at for at in job.recovered if at <= now + CLOCK_SLACK_S)


def _put(job: JobFacts, queue: QueueFacts, kept: Place, now: float) -> Put:
    if kept.line in {"waiting", "dead"}:
        mark = _mark(now) if kept.line == "dead" else None
        return Put(queue.name, job.id, kept.line, now if kept.number is None else kept.number, mark=mark)
    return Put(queue.name, job.id, kept.line, kept.number)


def _bury(job: JobFacts, queue: QueueFacts, reason: str, now: float) -> Put:
    """Dead, with the reason in its trail."""
    trail = None
    if job.trail is None or not is_damaged_trail(job.trail):
        try:
            trail = encode_trail(decode_trail(job.trail).alive().buried_with(reason))
        except NewerRecordError:
            trail = None
    return Put(queue.name, job.id, "dead", now, trail=trail, mark=_mark(now))


def _mark(now: float) -> bytes:
    """Of a death by repair, so that the leader says so at ERROR as of every death."""
    return f"{NEVER_RAN}{int(now * 1000)}".encode()


def _parts(run: bytes | None) -> tuple[int, int, int] | None:
    """Place, seat and call of a run; ``None`` when it is none."""
    found = _RUN.fullmatch(run or b"")
    place, seat, call, started_ms = map(number_in, found.groups()) if found is not None else [None] * 4
    return None if place is None or seat is None or call is None or started_ms is None else (place, seat, call)


def _is_place(number: float) -> bool:
    return math.isfinite(number) and number == int(number) and is_number(int(number))


def _called(place: Place) -> str:
    return "ready" if place.line in {"ready", "returned", "suspects"} else place.line


def _lines(places: tuple[Place, ...]) -> str:
    counted = {place.line: sum(1 for other in places if other.line == place.line) for place in places}
    return " and ".join(line if count == 1 else f"{line} ({count} times)" for line, count in counted.items())


def _shown(run: bytes | None) -> str:
    return "nothing" if run is None else ascii(run[:40].decode("utf-8", "backslashreplace"))
