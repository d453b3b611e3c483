"""From what the server answers to the facts of `exqueue.persistence.inspection.facts`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from exqueue.persistence.inspection.bounds import number_in
from exqueue.persistence.inspection.facts import JobFacts, LeaseFacts, LockFacts, Place, QueueFacts
from exqueue.persistence.redis.text import text_of
from exqueue.persistence.redis.verbs import holder_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exqueue.persistence.inspection.facts import Line, Unreadable
    from exqueue.persistence.redis.connection import Reply

LINES: Final[tuple[Line, ...]] = ("returned", "suspects", "waiting", "dead")
"""The sorted sets, in the order of ``fsck_look.lua``."""

MOST_SHOWN: Final = 60
_FLAG: Final = re.compile(rb"[01]")
_NUMBERS: Final = ("epoch", "seat", "call", "places", "processed", "failed", "husks")
_OWNER: Final = {
    **dict.fromkeys(("paused", "serial", "hungry"), _FLAG),
    "refused": re.compile(rb"\d+:[\d,]*"),
    "next_due": re.compile(rb"(-?\d+(\.\d+)?(e[+-]?\d+)?)?"),
}
"""What the fields of the owner look like that are no numbers."""


def pairs(reply: Reply) -> dict[bytes, bytes]:
    """Names and values that follow one another."""
    return dict(zip(reply[::2], reply[1::2], strict=True))


def shown(value: bytes) -> str:
    """For people, shortened."""
    return ascii(text_of(value)[:MOST_SHOWN])


def queue_facts(name: str, owner: Mapping[bytes, bytes], *, known: bool) -> QueueFacts:
    """The hash of the owner."""
    numbers = {field: number_in(owner.get(field.encode(), b"0")) for field in _NUMBERS}
    unreadable = [(field, shown(owner[field.encode()])) for field, value in numbers.items() if value is None]
    unreadable += [
        (field, shown(value))
        for field, fits in _OWNER.items()
        if (value := owner.get(field.encode())) is not None and not fits.fullmatch(value)
    ]

    return QueueFacts(
        name=name,
        known=known,
        epoch=numbers["epoch"] or 0,
        token=text_of(owner[b"token"]) if b"token" in owner else None,
        seat=numbers["seat"] or 0,
        call=numbers["call"] or 0,
        places=numbers["places"] or 0,
        head=text_of(owner.get(b"head", b"")) or None,
        unreadable=tuple(unreadable),
    )


def job_facts(job_id: bytes, seen: Reply, record: bytes | None, entries: int) -> JobFacts:
    """One id of the reply of ``fsck_look.lua``."""
    _, trail, recovered, *scores, run, husks, mark = seen[:10]
    unreadable: list[tuple[str, str]] = []
    skipped = number_in(b"0" if husks is None else husks)
    if skipped is None:
        unreadable.append(("husks", shown(husks)))
        skipped = 0
    times, strange = _times(recovered)
    places = [Place("ready")] * max(0, entries - skipped)
    places += [
        Place(line, _number(line, score)) for line, score in zip(LINES, scores, strict=True) if score is not None
    ]
    if run is not None:
        places.append(Place("running"))
    return JobFacts(
        id=text_of(job_id),
        record=record,
        places=tuple(places),
        run=run,
        trail=trail,
        recovered=times,
        mark=mark,
        entries=entries,
        husks=skipped,
        stamp=seen[12] if len(seen) > 12 else b"",  # noqa: PLR2004 - see the script
        unreadable=(*unreadable, *strange),
    )


def _number(line: Line, score: bytes) -> float:
    return float(score) / 1000 if line in {"waiting", "dead"} else float(score)


def _times(recovered: bytes | None) -> tuple[tuple[float, ...], Unreadable]:
    if recovered is None:
        return (), ()
    parts = recovered.split(b",")
    times = tuple(ms / 1000 for part in parts if (ms := number_in(part)) is not None)
    return times, () if len(times) == len(parts) else (("recovered", shown(recovered)),)


def lock_facts(now: float, fence: Mapping[bytes, bytes], lease: bytes | None, left_ms: int) -> LockFacts:
    """The fence, the lease and how long that has; -1 ms: for ever."""
    unreadable: list[tuple[str, str]] = []
    stored, token = fence.get(b"epoch", b"0"), fence.get(b"token")
    epoch = number_in(stored)
    if epoch is None:
        unreadable.append(("epoch", shown(stored)))
    stands = None
    if lease is not None:
        try:
            holder = holder_of(lease)
        except ValueError:
            unreadable.append(("lease", shown(lease)))
        else:
            stands = LeaseFacts(holder.epoch, holder.token, holder.node, None if left_ms < 0 else left_ms / 1000)
    return LockFacts(
        now=now,
        epoch=epoch or 0,
        token=None if token is None else text_of(token),
        lease=stands,
        unreadable=tuple(unreadable),
    )
