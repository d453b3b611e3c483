"""What may happen to a call on its way, and what a store says that takes none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from exqueue.errors import Outage, StorageFull

Refuses = Literal["loading", "read-only", "full"]
"""``loading``: everything; ``read-only``: what changes something; ``full``: new jobs."""

READS = frozenset(
    ("queues", "overview", "list_jobs", "get_jobs", "unreported", "nodes", "presence", "sweep", "diagnose", "subscribe")
)
"""The verbs that a store answers which takes no writes."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What may happen to a call: chances from 0 to 1, and virtual seconds.

    Args:
        way_s: how long a request, and an answer, is on its way at most.
        lost_requests: not carried out; the caller hears of an outage when its time-out is over.
        late_requests: as that, but carried out later, when nobody waits any more.
        late_by_s: how much later at most.
        twice: carried out, answered, and carried out once more within ``late_by_s``.
        lost_answers: carried out; the caller hears of an outage.
        slow_answers: on their way for up to the whole time-out.
        lost_signals: of a subscription.
    """

    way_s: float = 0.002
    lost_requests: float = 0.0
    late_requests: float = 0.0
    late_by_s: float = 15.0
    twice: float = 0.0
    lost_answers: float = 0.0
    slow_answers: float = 0.0
    lost_signals: float = 0.0


def refusal(refuses: Refuses, verb: str) -> Outage | None:
    """What a store that is in this state says to a call; ``None`` when it does what it is asked.

    A full one answers a push itself: see `StorageFull` in `exqueue.persistence.base.Session.push`.
    """
    match refuses:
        case "loading":
            return Outage("simulated: LOADING the dataset in memory", sent=False)
        case "read-only" if verb not in READS:
            why = "simulated: it takes no writes"
            return Outage(why, sent=False, refusal=why, may_pass=True)
        case _:
            return None


def full() -> StorageFull:
    """Why a full store does not take new jobs."""
    return StorageFull("simulated: it has no room for new jobs")
