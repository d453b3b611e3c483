"""The limits of a queue: how many run at once, in which order, and not before their time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.proof.load import CONCURRENCY, MAX_RECOVERIES
from tests.proof.shadow import Broken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exqueue.persistence.memory.store import Store
    from tests.proof.load import Planned
    from tests.proof.shadow import Place, Shadow

SUSPECT_FROM = 2
"""So many losses make a suspect."""

ROUNDED_S = 0.002
"""A store counts in milliseconds."""


class Limits:
    """Looks at what an exchange hands out.

    Args:
        store: as it is.
        jobs: by id.
    """

    def __init__(self, store: Store, jobs: Mapping[str, Planned]) -> None:
        self._store = store
        self._jobs = jobs

    def see(
        self, shadow: Shadow, call: dict[str, Any], before: dict[str, Place], after: dict[str, Place], now: float
    ) -> None:
        """An exchange has brought a queue from one state to the other.

        Raises:
            Broken: it went beyond a limit.
        """
        queue = call["queue"]
        running = [job_id for job_id, place in after.items() if place.state == "running"]
        if len(running) > CONCURRENCY[queue]:
            raise Broken(f"limited: {', '.join(running)} run at once in {queue}")
        begun = [job_id for job_id in running if before.get(job_id) != after[job_id]]
        for job_id in begun:
            if shadow.due.get(job_id, 0.0) > now + ROUNDED_S:
                raise Broken(f"limited: {job_id} begins at {now:.3f} s, and is due at {shadow.due[job_id]:.3f} s")
        if begun and self._store.queue(queue).paused:
            raise Broken(f"limited: {begun[0]} begins in {queue}, which is paused")
        for job_id in begun if call["serial"] else ():
            _see_order(shadow, queue, job_id, before)
        suspects = [
            job_id
            for job_id in shadow.keys
            if shadow.lost(job_id) >= SUSPECT_FROM
            and shadow.owner(self._jobs[job_id].queue).fence == call["fence"]
            # One that took too many nodes with it is not run, but buried.
            and shadow.lost(job_id) < MAX_RECOVERIES
        ]
        if len(suspects) > 1 and any(job_id in suspects for job_id in begun):
            raise Broken(f"limited: the suspects {', '.join(suspects)} run at once")


def _see_order(shadow: Shadow, queue: str, job_id: str, before: dict[str, Place]) -> None:
    head = shadow.heads.setdefault(queue, job_id)
    if head != job_id:
        raise Broken(f"limited: {job_id} begins before {head} has ended")
    ahead = shadow.lines[queue][: shadow.lines[queue].index(job_id)]
    passed = [other for other in ahead if other in before and before[other].state == "ready"]
    is_new = not shadow.failures[job_id] + shadow.revivals[job_id]
    if passed and is_new:
        raise Broken(f"limited: {job_id} begins before {passed[0]}")
