"""Looking up what is stored, past the damage of single queues: a job by its id, a page of jobs, what is left to do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from exqueue.actors import status
from exqueue.actors.beat import decode_beat
from exqueue.actors.damage import past_damage, past_over, sentence
from exqueue.actors.tables import jobs_table, queues_table
from exqueue.actors.unbuilt import Unbuilt
from exqueue.errors import AmbiguousJob, ConfigError, JobNotFound, StoreDamaged

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.actors.settings import NodeSettings
    from exqueue.messages import ListJobs
    from exqueue.persistence.base import Session
    from exqueue.persistence.values import Overview, StoredJob
    from exqueue.supervision import Board


class Lookup:
    """Finds things for the Operator.

    Args:
        session: to read with.
        call: makes a call of the persistence, see `exqueue.supervision.Actor.call`.
        board: of the system.
        settings: of the node.
    """

    def __init__(self, session: Session, call: Callable[..., Any], board: Board, settings: NodeSettings) -> None:
        self._session = session
        self._call = call
        self._board = board
        self._codec = settings.codec
        self._address = settings.persistence.address

    def check_queue(self, queue: str) -> None:
        """Refuse a name that no node knows: a typo that looked like success would be found out too late."""
        known = self._call(self._session.queues)
        if queue in known:
            return
        beats = (decode_beat(info) for _, info in self._call(self._session.nodes))
        names = sorted({*known, *queues_table(self._board), *(name for beat in beats for name in beat.queues)})
        if queue not in names:
            raise ConfigError(
                f"there is no queue {queue} at {self._address}, neither started on a node nor with a job stored; "
                f"there are: {status.some(names)}"
            )

    def queues_of(self, queue: str | None) -> tuple[str, ...]:
        """The queue that was named, or all there are."""
        return self._call(self._session.queues) if queue is None else (queue,)

    def find(self, job_id: str, queue: str | None, wanted: str) -> StoredJob:
        """The job of this id, in that queue or in whichever.

        Args:
            job_id: its id.
            queue: where it is; ``None``: anywhere.
            wanted: ``dead``: one that is dead; ``stored``: in any state.

        Raises:
            JobNotFound: there is none.
            AmbiguousJob: there are more than one.
            StoreDamaged: there is none in the queues that are in order.
        """
        ask: Callable[[tuple[str, ...]], tuple[StoredJob, ...]] = partial(self._call, self._session.get_jobs, job_id)
        found, damaged = past_damage(ask, self.queues_of(queue))
        if wanted == "dead":
            found = tuple(job for job in found if job.state == "dead")
        if len(found) > 1:
            names = ", ".join(job.queue for job in found)
            raise AmbiguousJob(f"job {job_id} stands in the queues {names}: say which with queue=")
        if not found and damaged:
            raise past_over(f"{self.not_found(job_id, queue, wanted)}, of the queues that are in order", damaged)
        if not found:
            raise self.not_found(job_id, queue, wanted)
        return found[0]

    def not_found(self, job_id: str, queue: str | None, wanted: str) -> JobNotFound:
        """What whoever asked for it is told."""
        where = "" if queue is None else f" in queue {queue}"
        return JobNotFound(
            f"no {wanted} job has the id {job_id}{where} at {self._address}; ListJobs shows what there is"
        )

    def info(self, job_id: str, queue: str | None) -> Unbuilt:
        """What is stored of a job: a `JobInfo`."""
        job = self.find(job_id, queue, "stored")
        return Unbuilt(partial(status.job_info, job, self._codec, jobs_table(self._board)))

    def page(self, message: ListJobs) -> Unbuilt:
        """The page over all queues, by name: a tuple of `JobInfo`. Each queue is asked only for what may be on it."""
        found: list[StoredJob] = []
        offset = message.offset
        for queue in self.queues_of(message.queue):
            try:
                jobs = self._call(self._session.list_jobs, queue, message.state, message.limit - len(found), offset)
                found.extend(jobs)
                if len(found) >= message.limit:
                    break
                if message.queue is None and offset:
                    offset = 0 if jobs else offset - self._count(queue, message.state)
            except StoreDamaged as damage:
                if damage.queue is None:
                    raise
                raise past_over("the jobs can't be listed; name another queue with queue=", {queue: damage}) from damage
        return Unbuilt(partial(status.job_infos, found, self._codec, jobs_table(self._board)))

    def _count(self, queue: str, state: str) -> int:
        count: int = getattr(self._call(self._session.overview, [queue]).queues[0], state)
        return count

    def what_is_left(self) -> str:
        """What the queues that are started here still have to do, in words; empty for nothing."""
        ask: Callable[[tuple[str, ...]], Overview] = partial(self._call, self._session.overview)
        overview, damaged = past_damage(ask, tuple(queues_table(self._board)))
        left = [sentence(queue, one.reason) for queue, one in damaged.items()]
        for counts in overview.queues:
            waiting: tuple[StoredJob, ...] = (
                self._call(self._session.list_jobs, counts.queue, "waiting", 1, 0) if counts.waiting else ()
            )
            is_due = bool(waiting) and (waiting[0].due_at or 0.0) <= overview.now
            left.append(status.left_to_do(counts, is_due=is_due))
        return ", ".join(filter(None, left))
