"""What the promises forbid of a queue, of its counts and of the lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from exqueue.persistence.inspection.bounds import is_number
from exqueue.persistence.inspection.remedies import (
    EndLease,
    LimitLease,
    ListQueue,
    SetFence,
    SetOwner,
    blame,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.persistence.inspection.facts import Count, JobFacts, LockFacts, QueueFacts
    from exqueue.persistence.inspection.remedies import Fault

LEASE_ENDS_IN_S: Final = 10.0
"""How long a leader of an endless lease has to renew it: it does every few seconds."""

MOST_LEASE_S: Final = 2 * 365 * 86_400.0
"""No lease is for longer, see `exqueue.config.MAX_TIMEOUT_S`."""


def of_queue(queue: QueueFacts, lock: LockFacts | None) -> list[Fault]:
    """What is wrong with a queue itself.

    Args:
        queue: as it was seen
        lock: after it; ``None`` when that is not there to be read.
    """
    fault = blame(queue.name)
    found = []
    if not queue.known:
        said = "it has jobs and is not on the list of queues, so no leader claims it: its jobs would never run"
        found.append(fault("unlisted_queue", said, "puts it on the list", ListQueue(queue.name)))
    for field, shown in queue.unreadable:
        said = f"{field} of the queue is {shown}, which Exqueue never writes: the queue stands still"
        value = _instead(field, lock)
        repair = "takes it away" if value is None else f"sets it to {value}"
        found.append(fault("unreadable_owner", said, repair, SetOwner(queue.name, field, value)))
    if lock is None or lock.unreadable or queue.unreadable:
        return found
    is_twice = queue.epoch == lock.epoch and None not in {queue.token, lock.token} and queue.token != lock.token
    if queue.epoch > lock.epoch or is_twice:
        said = (
            f"it is claimed with epoch {queue.epoch} of {queue.token}, and the last leadership was {lock.epoch} of "
            f"{lock.token}: the lock was set back, or set by somebody else"
        )
        repair = f"has the next leadership begin after {queue.epoch}"
        found.append(fault("epoch_ahead", said, repair, SetFence(queue.epoch)))
    return found


def _instead(field: str, lock: LockFacts | None) -> int | None:
    if field == "epoch":
        return 0 if lock is None else lock.epoch
    if field in {"seat", "call", "places", "processed", "failed", "husks"}:
        return 0
    return None


def of_lost_records(queue: QueueFacts) -> Fault:
    """Jobs stand in its lines, and it has no record of any: whoever removed the places would make the loss certain."""
    said = "jobs stand in its lines, and there is no record of any of them: its records are gone, or were renamed"
    repair = "nothing: bring its key of the records (...:jobs) back, by RENAME or out of a backup, or delete its keys"
    return blame(queue.name)("lost_records", said, repair, None)


def of_head(queue: QueueFacts, head: JobFacts) -> list[Fault]:
    """What is wrong with the job that a serial queue holds on to."""
    if head.record is not None:
        return []
    said = f"it holds on to {queue.head!a} as its head, and there is no such job: a serial queue would stand still"
    return [
        blame(queue.name, queue.head)("lost_head", said, "lets it go", SetOwner(queue.name, "head", None, queue.head))
    ]


def of_counts(queue: QueueFacts, counts: Sequence[Count]) -> list[Fault]:
    """What is wrong with the counts that are kept beside the jobs."""
    fault = blame(queue.name)
    return [
        fault(
            "wrong_count",
            f"{count.name} of the queue is {count.said}, and there are {count.found}",
            f"sets it to {count.found}",
            SetOwner(queue.name, count.name, count.found, count.said),
        )
        for count in counts
        if count.said != count.found
    ]


def of_lock(lock: LockFacts, epochs: Sequence[int]) -> list[Fault]:
    """What is wrong with the lock.

    Args:
        lock: as it was seen.
        epochs: with which the queues are claimed.
    """
    fault = blame(None)
    found = []
    told = dict(lock.unreadable)
    if "epoch" in told:
        said = f"the epoch of the last leadership is {told['epoch']}, which is none: no node can lead"
        of_lease = lock.lease.epoch if lock.lease is not None and is_number(lock.lease.epoch) else 0
        highest = max((*epochs, of_lease))
        remedy = SetFence(highest)
        found.append(fault("unreadable_fence", said, f"has the next leadership begin after {highest}", remedy))
    if "lease" in told:
        said = f"the lease is {told['lease']}, which no node wrote: no node can lead while it stands"
        found.append(fault("unreadable_lease", said, "removes it", EndLease()))
    lease = lock.lease
    if lease is None:
        return found
    if lease.ends_in_s is None or lease.ends_in_s > MOST_LEASE_S:
        said = f"the lease of node {lease.node} never ends: when that node dies, no other can lead"
        repair = f"lets it end in {LEASE_ENDS_IN_S:g} s, unless it is renewed"
        found.append(fault("endless_lease", said, repair, LimitLease(LEASE_ENDS_IN_S)))
    if "epoch" not in told and (lease.epoch, lease.token) != (lock.epoch, lock.token):
        said = (
            f"the lease is of epoch {lease.epoch} of {lease.token}, and the last leadership is {lock.epoch} of "
            f"{lock.token}: the lock was set back, or set by somebody else"
        )
        found.append(fault("lease_of_another", said, "nothing: the lease ends by itself", None))
    return found
