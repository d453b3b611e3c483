"""What is in a namespace of a file, for whoever checks it: as it was at one moment."""

from __future__ import annotations

import contextlib
import hashlib
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from exqueue.persistence.inspection.bounds import MOST_NUMBER, is_number
from exqueue.persistence.inspection.facts import Count, JobFacts, LeaseFacts, LockFacts, Place, QueueFacts
from exqueue.persistence.sqlite.oddities import Rows
from exqueue.persistence.sqlite.queue import DEAD, READY, RETURNED, RUNNING, SUSPECT, WAITING
from exqueue.persistence.sqlite.reads import STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exqueue.persistence.inspection.facts import Line
    from exqueue.persistence.inspection.remedies import Fault
    from exqueue.persistence.sqlite.connection import Step

LINES: Final[dict[int, Line]] = {
    READY: "ready",
    RETURNED: "returned",
    SUSPECT: "suspects",
    WAITING: "waiting",
    DEAD: "dead",
    RUNNING: "running",
}
"""What the values of ``jobs.state`` are called here."""

_JOB: Final = "id, state, rank, run, recovered, trail, record, unreported"
_QUEUES: Final = (
    "SELECT name, known, epoch, token, seat, call, places, head, refused, processed, failed, key FROM queues "
    "WHERE namespace = ? ORDER BY name"
)
_LOCK: Final = "SELECT epoch, token, lease_epoch, lease_token, lease_node, lease_until, lease_boot FROM locks"
_COUNTS: Final = ("ready", "waiting", "running", "dead")
MOST_SHOWN: Final = 60


class SqliteView:
    """See `exqueue.persistence.inspection.inspector.View`."""

    def __init__(self, step: Step, path: str) -> None:
        self._step = step
        self._rows = Rows(step, path)
        self._keys: dict[str, int] = {}

    def oddities(self) -> Iterator[Fault]:
        """See `View.oddities`."""
        return self._rows.walk()

    def queues(self) -> Sequence[QueueFacts]:
        """See `View.queues`."""
        found = []
        for *row, key in self._step.db.execute(_QUEUES, (self._step.namespace,)).fetchall():
            has_jobs = self._step.db.execute("SELECT 1 FROM jobs WHERE queue = ? LIMIT 1", (key,)).fetchone()
            if key not in self._rows.unfit and (row[1] or has_jobs):
                found.append(_queue(row))
                self._keys[row[0]] = key
        return found

    def lock(self) -> LockFacts | None:
        """See `View.lock`."""
        if not self._rows.has_sound_lock:
            return None
        row = self._step.db.execute(f"{_LOCK} WHERE namespace = ?", (self._step.namespace,)).fetchone()
        if row is None:
            return LockFacts(self._step.now)
        epoch, token, of_epoch, of_token, node, until, boot = row
        lease = None
        if of_epoch is not None and until is not None and boot == self._step.boot and until > self._step.lease_now:
            lease = LeaseFacts(of_epoch, str(of_token), str(node), until - self._step.lease_now)
        unreadable = () if is_number(epoch) else (("epoch", str(epoch)),)
        return LockFacts(self._step.now, 0 if unreadable else epoch, token, lease, unreadable)

    def jobs(self, queue: QueueFacts) -> Iterator[JobFacts]:
        """See `View.jobs`."""
        asked = f"SELECT {_JOB} FROM jobs WHERE queue = ? ORDER BY id"  # noqa: S608 - constants
        return (_job(row) for row in self._step.db.execute(asked, (self._keys[queue.name],)))

    def confirm(self, queue: QueueFacts, job_id: str) -> tuple[QueueFacts, JobFacts]:
        """See `View.confirm`: nothing changes here meanwhile."""
        asked = f"SELECT {_JOB} FROM jobs WHERE queue = ? AND id = ?"  # noqa: S608 - constants
        row = self._step.db.execute(asked, (self._keys[queue.name], job_id)).fetchone()
        return queue, JobFacts(job_id, None, ()) if row is None else replace(_job(row), stamp=_stamp(row))

    def counts(self, queue: QueueFacts) -> Sequence[Count]:
        """See `View.counts`."""
        key = self._keys[queue.name]
        asked = f"SELECT {', '.join(_COUNTS)} FROM queues WHERE key = ?"  # noqa: S608 - constants
        said = dict(zip(_COUNTS, self._step.db.execute(asked, (key,)).fetchone(), strict=True))
        found = dict.fromkeys(_COUNTS, 0)
        grouped = "SELECT state, count(*) FROM jobs WHERE queue = ? GROUP BY state"
        for state, count in self._step.db.execute(grouped, (key,)).fetchall():
            if state in LINES:
                found[STATES[state]] += count
        return tuple(Count(name, said[name], found[name]) for name in _COUNTS)


def stamp_of(step: Step, key: int, job_id: str) -> bytes:
    """What everything that is stored of a job comes to now, see `JobFacts`; empty: there is none."""
    asked = f"SELECT {_JOB} FROM jobs WHERE queue = ? AND id = ?"  # noqa: S608 - constants
    row = step.db.execute(asked, (key, job_id)).fetchone()
    return b"" if row is None else _stamp(row)


def _stamp(row: Sequence[Any]) -> bytes:
    return hashlib.sha256(repr(row).encode(errors="backslashreplace")).digest()


def _queue(row: Sequence[Any]) -> QueueFacts:
    name, known, epoch, token, seat, call, places, head, refused, processed, failed = row
    numbers = {
        "epoch": epoch,
        "seat": seat,
        "call": call,
        "places": places,
        "processed": processed,
        "failed": failed,
    }
    unreadable = [(field, str(number)) for field, number in numbers.items() if not is_number(number)]
    if refused and not all(part.isdecimal() for part in refused.split(",")):
        unreadable.append(("refused", ascii(refused[:MOST_SHOWN])))
    return QueueFacts(
        name, bool(known), epoch if is_number(epoch) else 0, token, seat, call, places, head, tuple(unreadable)
    )


def _job(row: Sequence[Any]) -> JobFacts:
    job_id, state, rank, run, recovered, trail, record, mark = row
    times, is_whole = _times(recovered)
    unreadable = [] if is_whole else [("recovered", ascii(recovered[:MOST_SHOWN]))]
    line = LINES.get(state)
    if line is None:
        unreadable.append(("state", str(state)))
    elif line == "ready" and not abs(rank) <= MOST_NUMBER:
        unreadable.append(("rank", str(rank)))
    return JobFacts(
        id=job_id,
        record=record,
        places=() if line is None else (Place(line, None if line == "ready" else rank),),
        run=run,
        trail=trail,
        recovered=times,
        mark=mark,
        entries=int(line == "ready"),
        unreadable=tuple(unreadable),
    )


def _times(recovered: str | None) -> tuple[tuple[float, ...], bool]:
    """Those that can be read, and whether that is all of them."""
    parts = [] if recovered is None else recovered.split(",")
    times = []
    for part in parts:
        with contextlib.suppress(ValueError):
            at = float(part)
            if math.isfinite(at):
                times.append(at)
    return tuple(times), len(times) == len(parts)
