"""From what is stored and what the nodes say to what a person is shown: pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exqueue.actors.damage import known_damage, sentence
from exqueue.actors.tables import failures_table, known_epoch, lead_table
from exqueue.errors import ExqueueError
from exqueue.execution import attempt_of_counts
from exqueue.messages import ActorInfo, JobInfo, QueueStatus, RunningJob, SystemStatus
from exqueue.persistence.values import QueueCounts
from exqueue.record import Header, Trail, decode_record, decode_trail_if_readable, peek_if_readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from exqueue.actors.beat import Beat
    from exqueue.actors.tables import OutageRow
    from exqueue.codec import Codec
    from exqueue.execution import Registered
    from exqueue.persistence.values import Overview, StoredJob
    from exqueue.supervision import Board


MOST_NAMES = 20
"""So many names are listed in an error."""


def some(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - MOST_NAMES
    return ", ".join((*names[:MOST_NAMES], *((f"{more} more",) if more > 0 else ()))) or "none"


def uncounted(queue: str) -> QueueCounts:
    """Of a queue that can't be counted."""
    return QueueCounts(
        queue=queue,
        ready=0,
        waiting=0,
        running=0,
        dead=0,
        paused=False,
        head=None,
        head_dead=False,
        oldest_ready=None,
        suspects=0,
        processed=0,
        failed=0,
        epoch=0,
    )


def queue_status(
    counts: QueueCounts, now: float, leader: str | None, beats: Mapping[str, Beat], damage: str | None
) -> QueueStatus:
    """One queue, as its counts and the nodes that started it say. The leader's word goes before the others'."""
    node = leader if leader is not None and leader in beats and counts.queue in beats[leader].queues else None
    told_by = node or next((name for name, beat in beats.items() if counts.queue in beat.queues), None)
    told = None if told_by is None else beats[told_by].queues[counts.queue]
    header = None if counts.oldest_ready is None else peek_if_readable(counts.oldest_ready)
    return QueueStatus(
        name=counts.queue,
        ready=counts.ready,
        waiting=counts.waiting,
        running=counts.running,
        dead=counts.dead,
        paused=counts.paused,
        concurrency=None if told is None else told.concurrency,
        serial=None if told is None else told.serial,
        halted_by=counts.head if counts.head_dead else None,
        abandoned=0 if told is None else told.abandoned,
        suspects=counts.suspects,
        worked_by=node,
        oldest_ready_s=None if header is None else max(0.0, now - header.enqueued_at),
        processed=counts.processed,
        failed=counts.failed,
        damage=damage,
    )


def what_failed(beats: Mapping[str, Beat], damaged: Mapping[str, str]) -> tuple[str, ...]:
    """What a person has to mend, a sentence each."""
    failures = {one for beat in beats.values() for one in beat.failures}
    return tuple(sorted(failures | {sentence(queue, reason) for queue, reason in damaged.items()}))


def from_memory(node: str, address: str, board: Board, last: SystemStatus | None, outage: OutageRow) -> SystemStatus:
    """What was last known, and since when nothing new is."""
    fence = lead_table(board).get("fence")
    damaged = (sentence(queue, reason) for queue, reason in known_damage(board).items())
    return SystemStatus(
        node=node,
        is_leader=fence is not None,
        leader=node if fence is not None else None if last is None else last.leader,
        epoch=known_epoch(board) if fence is None else fence.epoch,
        queues=() if last is None else last.queues,
        running=() if last is None else last.running,
        nodes=(node,) if last is None else last.nodes,
        outage_since=outage.since,
        outage_reason=outage.reason,
        failed=(*failures_table(board).values(), *damaged),
        address=address,
    )


def status_of_the_dead(node: str, address: str, board: Board, why: str) -> SystemStatus:
    """What is left to say of a system that has ended."""
    return SystemStatus(
        node=node,
        is_leader=False,
        leader=None,
        epoch=known_epoch(board),
        queues=(),
        running=(),
        nodes=(),
        outage_since=None,
        outage_reason=None,
        failed=(why,),
        address=address,
    )


def left_to_do(counts: QueueCounts, *, is_due: bool) -> str:
    """What keeps a drain waiting for this queue, in words; empty for nothing. Behind a dead head nothing is to do."""
    has_next = not counts.head_dead
    parts = [
        *([f"{counts.ready} ready"] if counts.ready and has_next else ()),
        *(["jobs that are due"] if is_due and has_next else ()),
        *([f"{counts.running} running"] if counts.running else ()),
    ]
    if not parts:
        return ""
    return f"{counts.queue} has {' and '.join(parts)}" + (" and is paused" if counts.paused else "")


def running_job(job: StoredJob, overview: Overview, beats: Mapping[str, Beat]) -> RunningJob:
    """A job that the persistence lists as running; which worker has it is known from the leader's last beat."""
    leader = "" if overview.holder is None else overview.holder.node
    beat = beats.get(leader)
    started_at = overview.now if job.started_at is None else job.started_at
    header = peek_if_readable(job.record)
    trail = trail_of(job)
    return RunningJob(
        id=job.id,
        job="" if header is None else header.job,
        queue=job.queue,
        worker="" if beat is None else beat.workers.get((job.queue, job.id), ""),
        node=leader,
        attempt=attempt_of_counts(trail.failures, job.recoveries),
        started_at=started_at,
        running_s=max(0.0, overview.now - started_at),
        abandoned=beat is not None and (job.queue, job.id) in beat.abandoned,
    )


def job_info(job: StoredJob, codec: Codec, jobs: Mapping[str, Registered]) -> JobInfo:
    """A stored job for people; what can't be decoded is left empty, never an error. Runs code of the user."""
    record, unreadable = None, None
    try:
        record = decode_record(job.record, codec)
    except ExqueueError as error:
        unreadable = str(error)
    header = peek_if_readable(job.record) if record is None else Header(record.job, record.enqueued_at)
    registered = None if header is None else jobs.get(header.job)
    trail = trail_of(job)
    return JobInfo(
        id=job.id,
        job="" if header is None else header.job,
        queue=job.queue,
        state=job.state,
        kwargs=None if record is None else record.kwargs,
        failures=trail.failures,
        recoveries=job.recoveries,
        max_retries=None if registered is None else registered.options.max_retries,
        errors=trail.errors,
        enqueued_at=None if header is None else header.enqueued_at,
        due_at=job.due_at,
        started_at=job.started_at,
        unreadable=unreadable,
    )


def job_infos(found: Iterable[StoredJob], codec: Codec, jobs: Mapping[str, Registered]) -> tuple[JobInfo, ...]:
    """As `job_info`, of some."""
    return tuple(job_info(job, codec, jobs) for job in found)


def trail_of(job: StoredJob) -> Trail:
    """How the job fared; an empty trail when a newer version wrote it."""
    trail = decode_trail_if_readable(job.trail)
    return trail if job.state == "dead" else trail.alive()


Row = tuple[str, str, bool, int, int, str]
"""Of one actor: path, role, alive, restarts, mailbox, what it is doing."""


def rows(board: Board, refs: Mapping[str, Any]) -> list[Row]:
    """Each actor of the live tree, as the board and the ``refs`` by path tell it, after the one above it."""
    restarts, vitals = board.table("restarts"), board.table("vitals")
    found: list[Row] = []
    for path, (role, state) in (("", ("ExqueueSystem", "running")), *board.table("tree").copy().items()):
        ref, vital = refs.get(path), vitals.get(path)
        doing = vital.doing if vital is not None else ""
        if state != "running":
            doing = state
        mailbox = 0 if ref is None else ref.actor_inbox.qsize()
        found.append((path, role, ref is not None, restarts.get(path, 0), mailbox, doing))
    return found


def tree(rows: Sequence[Row]) -> ActorInfo:
    """The actors as a tree. ``rows`` name each actor after the one above it; the first is the root."""
    _, role, alive, restarts, mailbox, doing = rows[0]
    below = [row for row in rows[1:] if "/" not in row[0]]
    return ActorInfo(
        name="system",
        role=role,
        alive=alive,
        restarts=restarts,
        mailbox=mailbox,
        doing=doing or None,
        children=tuple(_branch(row, rows) for row in below),
    )


def _branch(row: Row, rows: Sequence[Row]) -> ActorInfo:
    path, role, alive, restarts, mailbox, doing = row
    below = [other for other in rows if other[0].rpartition("/")[0] == path and other[0] != path]
    return ActorInfo(
        name=path,
        role=role,
        alive=alive,
        restarts=restarts,
        mailbox=mailbox,
        doing=doing or None,
        children=tuple(_branch(child, rows) for child in below),
    )
