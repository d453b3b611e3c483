"""A queue in the file: its row, the states of its jobs, and the times of their recoveries."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from exqueue.errors import StoreDamaged
from exqueue.persistence.values import RECOVERY_WINDOW_S, SUSPECT_AFTER, Fence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue.persistence.sqlite.connection import Step

READY, RETURNED, SUSPECT, WAITING, DEAD, RUNNING = range(6)
"""The values of ``jobs.state``; what ``jobs.rank`` is in each stands in ``schema.sql``."""

FRONT: Final = 0
"""The place of a serial head that comes back from waiting or dead: before every place that was ever drawn."""

RECOVERIES_KEPT: Final = 100
"""The most recoveries of a job whose times are kept."""

_FIND: Final = """
    SELECT key, paused, epoch, token, seat, call, refused, hungry, next_due, serial, head, places
    FROM queues WHERE namespace = ? AND name = ?
"""


_COUNT: Final = """
    UPDATE queues SET ready = ready + ?, waiting = waiting + ?, running = running + ?, dead = dead + ?
    WHERE key = ?
"""


@dataclass(slots=True)
class Moved:
    """How many jobs a verb has brought into each state, less those that it has taken out of it."""

    ready: int = 0
    waiting: int = 0
    running: int = 0
    dead: int = 0


@dataclass(slots=True)
class QueueRow:
    """The row of a queue as a verb found it, and what the verb has moved since."""

    key: int
    paused: int
    epoch: int
    token: str | None
    seat: int
    call: int
    refused: str
    hungry: int
    next_due: float | None
    serial: int
    head: str | None
    places: int
    moved: Moved = field(default_factory=Moved)

    @property
    def fence(self) -> Fence | None:
        """With which the queue is claimed; ``None`` when nobody has claimed it."""
        return None if self.token is None else Fence(self.epoch, self.token)


def find(step: Step, name: str) -> QueueRow | None:
    """The queue of that name; ``None`` when there is no trace of it."""
    row = step.db.execute(_FIND, (step.namespace, name)).fetchone()
    return None if row is None else QueueRow(*row)


def make(step: Step, name: str, *, known: bool) -> QueueRow:
    """The queue of that name, made when it is not there. It is listed once it is ``known``."""
    found = find(step, name)
    if found is None:
        step.db.execute("INSERT INTO queues (namespace, name) VALUES (?, ?)", (step.namespace, name))
        found = find(step, name)
        assert found is not None  # noqa: S101 - it was just made
    if known:
        step.db.execute("UPDATE queues SET known = 1 WHERE key = ? AND NOT known", (found.key,))
    return found


def count(step: Step, queue: QueueRow) -> None:
    """Count what was moved: the last thing that a verb does with a queue."""
    moved = queue.moved
    step.db.execute(_COUNT, (moved.ready, moved.waiting, moved.running, moved.dead, queue.key))


def clear_head(step: Step, queue: QueueRow, job_id: str) -> None:
    """The job is gone: a serial queue holds on to it no longer."""
    if queue.head == job_id:
        queue.head = None
        step.db.execute("UPDATE queues SET head = NULL WHERE key = ?", (queue.key,))


def last_ready(step: Step, queue: QueueRow) -> float:
    """The rank of the last that is ready; what joins the line stands behind it."""
    asked = "SELECT rank FROM jobs WHERE queue = ? AND state = ? ORDER BY rank DESC LIMIT 1"
    row = step.db.execute(asked, (queue.key, READY)).fetchone()
    return 0.0 if row is None else row[0]


def first_due(step: Step, queue: QueueRow) -> float | None:
    """When the first of the waiting jobs is due."""
    asked = "SELECT rank FROM jobs WHERE queue = ? AND state = ? ORDER BY rank LIMIT 1"
    row = step.db.execute(asked, (queue.key, WAITING)).fetchone()
    return None if row is None else row[0]


class UnreadableError(Exception):
    """A value of a row is not what Exqueue wrote there; says which column and what stands in it."""


@contextlib.contextmanager
def named(queue: str, path: str) -> Iterator[None]:
    """Whatever is read within is of this queue of the file.

    Raises:
        StoreDamaged: it can't be read.
    """
    try:
        yield
    except UnreadableError as error:
        raise StoreDamaged(
            f"a row of queue {queue} in {path} is not what Exqueue wrote there: {error}: somebody else did; mend or "
            "delete it. Nothing was changed.",
            queue,
        ) from error


def started_ms(run: bytes) -> int:
    """When a run began, in ms since the Unix epoch, by its name."""
    try:
        return int(run.split(b"|")[3])
    except (IndexError, ValueError):
        raise UnreadableError(f"jobs.run is {run[:40]!r}") from None


def recent(recovered: str | None, now: float) -> int:
    """How many of the times lie within the window."""
    return len(_kept(recovered, now))


def _kept(recovered: str | None, now: float) -> list[str]:
    if recovered is None:
        return []
    try:
        return [at for at in recovered.split(",") if float(at) > now - RECOVERY_WINDOW_S]
    except ValueError:
        raise UnreadableError(f"jobs.recovered is {recovered[:40]!r}") from None


def with_one_more(recovered: str | None, now: float) -> str:
    """The times with one more, without those that are too old."""
    return ",".join([*_kept(recovered, now), repr(now)][-RECOVERIES_KEPT:])


def state_of_return(recovered: str | None, now: float) -> int:
    """In which line a job stands that goes back by its place."""
    return SUSPECT if recent(recovered, now) >= SUSPECT_AFTER else RETURNED
