"""The verbs that only look, and the beat of the nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from exqueue.persistence.bounds import check_size
from exqueue.persistence.sqlite.lock import holder
from exqueue.persistence.sqlite.mounts import network_file_system
from exqueue.persistence.sqlite.queue import (
    DEAD,
    READY,
    RETURNED,
    RUNNING,
    SUSPECT,
    WAITING,
    find,
    named,
    recent,
    started_ms,
)
from exqueue.persistence.sqlite.verbs import Verbs
from exqueue.persistence.values import SUSPECT_AFTER, Danger, Mark, Overview, QueueCounts, StoredJob, Unreported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.persistence.sqlite.connection import Step
    from exqueue.persistence.values import State

STATES: Final[tuple[State, ...]] = ("ready", "ready", "ready", "waiting", "dead", "running")
"""What each value of ``jobs.state`` is called."""

_JOB: Final = "id, state, rank, run, recovered, trail, record"
_PLACED: Final = (
    f"SELECT {_JOB} FROM jobs INDEXED BY lines WHERE queue = ? AND state IN ({RETURNED}, {SUSPECT}) "  # noqa: S608 - constants
    "ORDER BY rank, id LIMIT ? OFFSET ?"
)
_LINE: Final = (
    f"SELECT {_JOB} FROM jobs INDEXED BY lines WHERE queue = ? AND state = ? "  # noqa: S608 - constants
    "AND rank >= ? AND (rank, id) >= (?, ?) ORDER BY rank, id LIMIT ?"
)
_FROM_THE_FRONT: Final = (
    "SELECT rank, rank, id FROM jobs INDEXED BY lines WHERE queue = ? AND state = ? ORDER BY rank, id LIMIT 1 OFFSET ?"
)
_FROM_THE_BACK: Final = (
    "SELECT rank, rank, id FROM jobs INDEXED BY lines WHERE queue = ? AND state = ? "
    "ORDER BY rank DESC, id DESC LIMIT 1 OFFSET ?"
)
_FIRST: Final = (float("-inf"), float("-inf"), "")

# A mark of a job that is not dead was left by a node of an older version, which revived it.
_UNREPORTED: Final = (
    f"SELECT {_JOB}, unreported FROM jobs INDEXED BY unreported "  # noqa: S608 - constants
    f"WHERE queue = ? AND unreported IS NOT NULL AND state = {DEAD} LIMIT ?"
)


class Reads(Verbs):
    """See `exqueue.persistence.base.Session`, "anyone"."""

    def queues(self) -> tuple[str, ...]:
        """See `Session.queues`."""
        asked = "SELECT name FROM queues WHERE namespace = ? AND known ORDER BY name"
        return self._read(lambda step: tuple(name for (name,) in step.db.execute(asked, (step.namespace,)).fetchall()))

    def overview(self, queues: Sequence[str]) -> Overview:
        """See `Session.overview`."""

        def look(step: Step) -> Overview:
            counts = []
            for name in queues:
                with named(name, self._file.path):
                    counts.append(_counts(step, name))
            return Overview(step.now, holder(step), tuple(counts))

        return self._read(look)

    def list_jobs(self, queue: str, state: State, limit: int, offset: int) -> tuple[StoredJob, ...]:
        """See `Session.list_jobs`."""
        check_size("limit", limit)

        def look(step: Step) -> tuple[StoredJob, ...]:
            found = find(step, queue)
            with named(queue, self._file.path):
                rows = [] if found is None else _page(step, found.key, state, limit, max(0, offset))
                return tuple(_stored(step, queue, row) for row in rows)

        return self._read(look)

    def get_jobs(self, job_id: str, queues: Sequence[str]) -> tuple[StoredJob, ...]:
        """See `Session.get_jobs`."""

        def look(step: Step) -> tuple[StoredJob, ...]:
            jobs: list[StoredJob] = []
            for name in queues:
                queue = find(step, name)
                asked = f"SELECT {_JOB} FROM jobs WHERE queue = ? AND id = ?"  # noqa: S608 - constants
                row = queue and step.db.execute(asked, (queue.key, job_id)).fetchone()
                if row:
                    with named(name, self._file.path):
                        jobs.append(_stored(step, name, row))
            return tuple(jobs)

        return self._read(look)

    def unreported(self, queue: str, limit: int) -> tuple[Unreported, ...]:
        """See `Session.unreported`."""
        check_size("limit", limit)

        def look(step: Step) -> tuple[Unreported, ...]:
            found = find(step, queue)
            rows = [] if found is None else step.db.execute(_UNREPORTED, (found.key, limit)).fetchall()
            return tuple(Unreported(Mark(row[0], row[-1]), _stored(step, queue, row[:-1])) for row in rows)

        return self._read(look)

    def beat(self, node: str, info: bytes, ttl: float) -> None:
        """See `Session.beat`."""
        kept = "INSERT OR REPLACE INTO nodes (namespace, node, info, until, boot) VALUES (?, ?, ?, ?, ?)"
        self._write(
            lambda step: step.db.execute(kept, (step.namespace, node, info, step.lease_now + ttl, step.boot)) and None
        )

    def nodes(self) -> tuple[tuple[str, bytes], ...]:
        """See `Session.nodes`."""
        asked = "SELECT node, info FROM nodes WHERE namespace = ? AND boot = ? AND until > ? ORDER BY node"
        return self._read(
            lambda step: tuple(step.db.execute(asked, (step.namespace, step.boot, step.lease_now)).fetchall())
        )

    def forget(self, node: str) -> None:
        """See `Session.forget`: those that were forgotten by themselves go with it."""
        forgotten = "DELETE FROM nodes WHERE (namespace = ? AND node = ?) OR boot <> ? OR until <= ?"
        self._write(lambda step: step.db.execute(forgotten, (step.namespace, node, step.boot, step.lease_now)) and None)

    def diagnose(self) -> tuple[Danger, ...]:
        """See `Session.diagnose`."""
        kind = network_file_system(self._file.path)
        if kind is None:
            return ()
        sentence = (
            f"{self._file.path} is on a network file system ({kind}), whose locks SQLite can't rely on: jobs may be "
            "lost; use a local disk, or Redis for several hosts"
        )
        return (Danger(sentence, is_grave=False),)


def _counts(step: Step, name: str) -> QueueCounts:
    columns = "key, paused, serial, head, processed, failed, epoch, ready, waiting, running, dead"
    asked = f"SELECT {columns} FROM queues WHERE namespace = ? AND name = ?"  # noqa: S608 - constants
    row = step.db.execute(asked, (step.namespace, name)).fetchone()
    key, paused, serial, head, processed, failed, epoch, ready, waiting, running, dead = row or (
        -1,
        0,
        0,
        None,
        *[0] * 7,
    )
    head = head if serial else None
    return QueueCounts(
        queue=name,
        ready=ready,
        waiting=waiting,
        running=running,
        dead=dead,
        paused=bool(paused),
        head=head,
        head_dead=head is not None and _is_dead(step, key, head),
        oldest_ready=next((row[-1] for row in _page(step, key, "ready", 1, 0)), None),
        suspects=_suspects(step, key),
        processed=processed,
        failed=failed,
        epoch=epoch,
    )


def _is_dead(step: Step, key: int, job_id: str) -> bool:
    asked = "SELECT 1 FROM jobs WHERE queue = ? AND id = ? AND state = ?"
    return step.db.execute(asked, (key, job_id, DEAD)).fetchone() is not None


def _suspects(step: Step, key: int) -> int:
    asked = "SELECT recovered FROM jobs INDEXED BY recovered WHERE queue = ? AND recovered IS NOT NULL"
    return sum(1 for (times,) in step.db.execute(asked, (key,)).fetchall() if recent(times, step.now) >= SUSPECT_AFTER)


def _page(step: Step, key: int, state: State, limit: int, offset: int) -> list[Any]:
    """The rows of a page, in the order of `Session.list_jobs`."""
    if state == "ready":
        placed = step.db.execute(_PLACED, (key, limit, offset)).fetchall()
        if len(placed) == limit:
            return placed
        asked = f"SELECT count(*) FROM jobs WHERE queue = ? AND state IN ({RETURNED}, {SUSPECT})"  # noqa: S608
        before = step.db.execute(asked, (key,)).fetchone()[0]
        line = _count(step, key, "ready") - before
        return placed + _line(step, key, READY, limit - len(placed), max(0, offset - before), line)
    if state == "running":
        runs = step.db.execute(_LINE, (key, RUNNING, *_FIRST, -1)).fetchall()
        return sorted(runs, key=lambda row: (started_ms(row[3]), row[2], row[0]))[offset : offset + limit]
    return _line(step, key, WAITING if state == "waiting" else DEAD, limit, offset, _count(step, key, state))


def _line(step: Step, key: int, state: int, limit: int, offset: int, length: int) -> list[Any]:
    """A page of a line of ``length`` jobs.

    Its first job is looked for from the nearer end and in the index alone: to pass over a row of the table costs ten
    times more, and in a long line most of what is passed over lies before the page.
    """
    start: Any = _FIRST
    if offset >= length:
        return []
    if 2 * offset > length:
        start = step.db.execute(_FROM_THE_BACK, (key, state, length - 1 - offset)).fetchone()
    elif offset:
        start = step.db.execute(_FROM_THE_FRONT, (key, state, offset)).fetchone()
    return [] if start is None else step.db.execute(_LINE, (key, state, *start, limit)).fetchall()


def _count(step: Step, key: int, state: State) -> int:
    row = step.db.execute(f"SELECT {state} FROM queues WHERE key = ?", (key,)).fetchone()  # noqa: S608 - a known word
    return 0 if row is None else int(row[0])


def _stored(step: Step, queue: str, row: Any) -> StoredJob:
    job_id, state, rank, run, recovered, trail, record = row
    return StoredJob(
        id=job_id,
        queue=queue,
        state=STATES[state],
        record=record,
        trail=trail,
        recoveries=recent(recovered, step.now),
        due_at=rank if state == WAITING else None,
        died_at=rank if state == DEAD else None,
        started_at=None if run is None else started_ms(run) / 1000,
        run=run,
    )
