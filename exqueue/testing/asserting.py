"""What a test can ask of the jobs that were enqueued in it, on whatever system they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exqueue.messages import ListJobs
from exqueue.persistence.values import MAX_BATCH
from exqueue.record import decode_record
from exqueue.system_ref import SystemRef
from exqueue.testing.enqueued import Enqueued, Wanted, wanted_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from exqueue.actors.protocol import Store
    from exqueue.job import AnyJob
    from exqueue.messages import JobInfo
    from exqueue.persistence.values import State


@dataclass(frozen=True, slots=True)
class Drained:
    """How many runs of a ``drain`` ended how.

    Args:
        succeeded: without an error.
        failed: with an error, to be retried.
        died: with an error, for good, or buried unrun.
        postponed: not run: their class is stopped, or their record is of a newer version.
    """

    succeeded: int = 0
    failed: int = 0
    died: int = 0
    postponed: int = 0


class Asserting(SystemRef):
    """A system that remembers what was enqueued through it."""

    def _begin_log(self) -> None:
        self._log: list[Enqueued] = []

    def _note(self, store: Store) -> None:
        """Before these jobs are stored: what is stored already under its id is not enqueued again."""
        now = self._context.runtime.clock.time()
        session = self._node.persistence.session(timeout=self._node.config.ask_timeout, pooled=True)
        try:
            for job in store.jobs:
                if not session.get_jobs(job.id, [store.queue]):
                    record = decode_record(job.record, self._node.codec)
                    due_at = job.at if job.at is not None else now + job.delay if job.delay else None
                    self._log.append(Enqueued(job.id, record.job, store.queue, record.kwargs, now, due_at))
        finally:
            session.close()

    # -- what was enqueued
    def enqueued(
        self, job: AnyJob | str | None = None, kwargs: Mapping[str, object] | None = None, /, **named: object
    ) -> tuple[Enqueued, ...]:
        """The jobs that were enqueued in this test, whether they have run or not; of one class, or those that fit."""
        if job is None:
            return tuple(self._log)
        return tuple(one for one in self._log if wanted_of(job, kwargs, named).fits(one))

    def assert_enqueued(
        self,
        job: AnyJob | str,
        kwargs: Mapping[str, object] | None = None,
        /,
        *,
        delay: float | None = None,
        at: datetime | None = None,
        id: str | None = None,
        **named: object,
    ) -> Enqueued:
        """Fail unless such a job was enqueued in this test; return the first.

        Args:
            job: the class, function or name.
            kwargs: its arguments, as many as matter; by name, or as a mapping where one is named as an option.
            delay: in seconds, give or take `exqueue.testing.enqueued.WITHIN_S`; 0: at once.
            at: when it is due, likewise.
            id: of the job.
            **named: as ``kwargs``.
        """
        __tracebackhide__ = True
        wanted = wanted_of(job, kwargs, named, delay=delay, at=at, id=id)
        found = self._found(wanted)
        if not found:
            raise AssertionError(wanted.not_found_in(self._log))
        return found[0]

    def refute_enqueued(
        self,
        job: AnyJob | str,
        kwargs: Mapping[str, object] | None = None,
        /,
        *,
        delay: float | None = None,
        at: datetime | None = None,
        id: str | None = None,
        **named: object,
    ) -> None:
        """Fail if such a job was enqueued in this test; see `assert_enqueued`."""
        __tracebackhide__ = True
        wanted = wanted_of(job, kwargs, named, delay=delay, at=at, id=id)
        found = self._found(wanted)
        if found:
            one = found[0]
            raise AssertionError(f"{wanted} was enqueued {len(found)} times; the first: {one.id} {dict(one.kwargs)!r}")

    def assert_dead(self, job: AnyJob | str, kwargs: Mapping[str, object] | None = None, /, **named: object) -> JobInfo:
        """Fail unless such a job is dead; return what is stored of it, with its errors."""
        __tracebackhide__ = True
        wanted = wanted_of(job, kwargs, named)
        infos = self._listed("dead")
        dead = [_as_enqueued(one) for one in infos]
        for info, one in zip(infos, dead, strict=True):
            if wanted.fits(one):
                return info
        raise AssertionError(wanted.not_found_in(dead, "dead"))

    def _listed(self, state: State) -> list[JobInfo]:
        infos: list[JobInfo] = []
        while page := SystemRef.ask(self, ListJobs(state, limit=MAX_BATCH, offset=len(infos))):
            infos.extend(page)
        return infos

    def _found(self, wanted: Wanted) -> list[Enqueued]:
        return [one for one in self._log if wanted.fits(one)]


def _as_enqueued(info: JobInfo) -> Enqueued:
    return Enqueued(info.id, info.job, info.queue, info.kwargs or {}, info.enqueued_at or 0.0)
