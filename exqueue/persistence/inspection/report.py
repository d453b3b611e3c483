"""What a check found: for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

MOST_FINDINGS: Final = 10_000
"""So many findings a report tells one by one; of the others it says how many they are."""

Kind = Literal[
    "no_place",
    "two_places",
    "place_without_record",
    "lost_records",
    "leftovers",
    "undecodable_record",
    "undecodable_trail",
    "unreadable_recoveries",
    "unreadable_run",
    "old_run",
    "no_number",
    "wrong_line",
    "mark_without_death",
    "wrong_husks",
    "wrong_count",
    "unreadable_owner",
    "lost_head",
    "unlisted_queue",
    "jobs_of_no_queue",
    "foreign_type",
    "expiring",
    "foreign_name",
    "wrong_index",
    "epoch_ahead",
    "unreadable_fence",
    "unreadable_lease",
    "endless_lease",
    "lease_of_another",
    "unreadable_caller",
    "endless_caller",
    "caller_of_nobody",
    "unreadable_beat",
    "endless_beat",
]
"""What can be wrong; ``docs/fsck.md`` explains each."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the promises forbid.

    Args:
        kind: what it is.
        queue: where; ``None`` for what belongs to no queue.
        job_id: of the job that it is about; ``None`` when it is about none.
        explanation: what is wrong and what follows from it, in a sentence.
        repair: what repair does about it, or did.
        mended: whether repair did it.
    """

    kind: Kind
    queue: str | None
    job_id: str | None
    explanation: str
    repair: str
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a check.

    Args:
        address: of the store, for people.
        namespace: that was checked.
        queues: how many were looked at.
        jobs: how many.
        findings: at most `MOST_FINDINGS`.
        more: how many findings there are besides.
        leader: the node that led during the check; what it moved meanwhile was looked at twice.
    """

    address: str
    namespace: str
    queues: int
    jobs: int
    findings: tuple[Finding, ...]
    more: int = 0
    leader: str | None = None

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def is_mended(self) -> bool:
        """Whether nothing is left that was found."""
        return self.more == 0 and all(finding.mended for finding in self.findings)
