"""Which ways of a job through the store are right, verb by verb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exqueue.persistence.values import Bury, Done, GiveBack, Recovered, Retry
from tests.proof.shadow import RunKey

if TYPE_CHECKING:
    from tests.proof.shadow import Place

AFTER_SETTLING: dict[type, set[str | None]] = {
    Done: {None},
    Retry: {"waiting", "ready", "running"},
    Bury: {"dead"},
    GiveBack: {"ready", "running"},
    Recovered: {"ready", "running"},
}
"""Where a job may be after the exchange that settled its run. (What is due at once may be handed out at once.)"""


def settlement_of(call: dict[str, Any], answer: Any, job_id: str, run: bytes | None) -> Any:
    """What an exchange settled of this very run; ``None`` when it did not."""
    for position, ended in enumerate(call["settlements"]):
        if ended.id == job_id and ended.run == run and position not in answer.refused:
            return ended
    return None


def is_allowed(
    verb: str, call: dict[str, Any], answer: Any, job_id: str, before: Place | None, after: Place | None
) -> bool:
    """Whether this verb, so answered, may take a job from one place to the other."""
    way = (before and before.state, after and after.state)
    match verb:
        case "push":
            return way in ((None, "ready"), (None, "waiting")) and job_id in _pushed(call, answer)
        case "exchange":
            return _may_exchange(call, answer, job_id, before, after)
        case "claim":
            return way == ("running", "ready")
        case "retry_dead":
            return way == ("dead", "ready") and job_id in answer
        case "delete_dead":
            return way == ("dead", None) and job_id in answer
        case "cancel":
            return job_id == call["job_id"] and way in (("ready", None), ("waiting", None), ("dead", None))
        case _:
            return False


def is_true_of(verb: str, call: dict[str, Any], answer: Any, before: dict[str, Place], after: dict[str, Place]) -> bool:
    """Whether what a command was answered is what it did: of those that it names, and of no others."""
    gone_or_moved = {job_id for job_id, place in before.items() if after.get(job_id) != place}
    match verb:
        case "retry_dead" | "delete_dead":
            return set(answer) == gone_or_moved
        case "cancel" if answer in ("ready", "waiting", "dead"):
            return gone_or_moved == {call["job_id"]} and before[call["job_id"]].state == answer
        case "cancel":
            return not gone_or_moved
        case _:
            return True


def _pushed(call: dict[str, Any], answer: Any) -> set[str]:
    taken = (push for push, refused in zip(call["pushes"], answer, strict=True) if refused is None)
    return {new.id for push in taken for new in push.jobs}


def _may_exchange(call: dict[str, Any], answer: Any, job_id: str, before: Place | None, after: Place | None) -> bool:
    was, now = before and before.state, after and after.state
    handed_out = {job.id: job.run for job in answer.jobs}
    if after is not None and now == "running" and handed_out.get(job_id) != after.run:
        return False
    if before is not None and was == "running":
        ended = settlement_of(call, answer, job_id, before.run)
        return ended is not None and now in AFTER_SETTLING[type(ended)]
    return (was, now) in {("ready", "running"), ("waiting", "running"), ("waiting", "ready")}


def key_of(job_id: str, epoch: int, run: bytes) -> RunKey:
    """The key of a run that the store in memory names so."""
    _, seat, call, _ = run.split(b"|")
    return RunKey(job_id, epoch, int(seat), int(call))
