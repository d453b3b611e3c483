"""The verbs of the owner of a queue."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, assert_never

from exqueue.errors import Fenced, StaleCall, StorageFull
from exqueue.persistence.bounds import check_size
from exqueue.persistence.redis.text import text_of
from exqueue.persistence.redis.verbs import Verbs, in_pieces, milliseconds
from exqueue.persistence.values import (
    NO_LEAVE,
    Bury,
    Claimed,
    Done,
    Exchanged,
    Fetched,
    GiveBack,
    Recovered,
    Retry,
    RunningEntry,
    Settlement,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.persistence.redis.connection import Args, Reply
    from exqueue.persistence.values import Fence, Leave, Owned, Verdict

FIRST_JOB = 4
"""Where the jobs begin in the reply of ``exchange.lua``, of `VALUES_A_JOB` each."""

VALUES_A_JOB = 5

VERDICTS: tuple[Verdict, ...] = ("fine", "stale", "due")
"""By the numbers of ``sweep.lua``."""


class Owner(Verbs):
    """See `exqueue.persistence.base.Session`, "the owner of a queue"."""

    def claim(self, queue: str, fence: Fence, seat: int) -> Claimed:
        """See `Session.claim`."""
        # On a full server a queue that is not listed has no jobs and gets none: each push lists it before.
        with contextlib.suppress(StorageFull):
            self._list(queue)
        at = self._queue(queue)
        keys = (at.owner, at.running, at.returned, at.suspects, at.recoveries)
        reply = self._run("claim", keys, (fence.epoch, fence.token, seat))
        _check_owner(reply, f"seat {seat} of {queue!r}")
        runs = zip(reply[1::2], reply[2::2], strict=True)
        return Claimed(reply[0], tuple(RunningEntry(text_of(job_id), run) for job_id, run in runs))

    def exchange(
        self,
        queue: str,
        fence: Fence,
        seat: int,
        call: int,
        settlements: Sequence[Settlement],
        want: int,
        *,
        serial: bool,
        leave: Leave = NO_LEAVE,
    ) -> Exchanged:
        """See `Session.exchange`."""
        check_size("settlements", len(settlements))
        check_size("want", want)
        at = self._queue(queue)
        ended: list[bytes | str | int] = []
        for settlement in settlements:
            ended += _encoded(settlement)
        stored = (at.jobs, at.trail, at.recoveries)
        lines = (at.ready, at.returned, at.suspects, at.waiting, at.dead, at.running)
        who = (fence.epoch, fence.token, seat, call)
        what = (want, int(serial), int(leave.suspect), leave.poison_from or 0)
        args = (*who, *what, len(settlements), *ended)
        reply = self._run("exchange", (*stored, *lines, at.owner, at.husks, at.unreported), args)
        _check_owner(reply, f"call {call} of seat {seat} of {queue!r}")
        return _exchanged(reply)

    def sweep(self, owned: Sequence[Owned]) -> tuple[Verdict, ...]:
        """See `Session.sweep`."""
        replies = self._run_all("sweep", [self._believed(piece) for piece in in_pieces(owned)])
        return tuple(VERDICTS[number] for reply in replies for number in reply)

    def _believed(self, owned: Sequence[Owned]) -> tuple[tuple[bytes, ...], Args]:
        keys: list[bytes] = []
        args: list[str | int] = []
        for belief in owned:
            at = self._queue(belief.queue)
            keys += (at.owner, at.ready, at.returned, at.suspects, at.waiting, at.running)
            args += (belief.fence.epoch, belief.fence.token, belief.seat, belief.call)
        return tuple(keys), tuple(args)


def _encoded(settlement: Settlement) -> tuple[bytes | str | int, ...]:
    """As ``exchange.lua`` reads it."""
    match settlement:
        case Done(job_id, run):
            return b"D", job_id, run
        case Retry(job_id, run, delay, trail):
            about = (job_id, run, milliseconds(delay))
            return (b"R", *about) if trail is None else (b"T", *about, trail)
        case Bury(job_id, run, trail):
            return (b"B", job_id, run) if trail is None else (b"K", job_id, run, trail)
        case GiveBack(job_id, run):
            return b"G", job_id, run
        case Recovered(job_id, run):
            return b"V", job_id, run
        case _:
            assert_never(settlement)


def _exchanged(reply: Reply) -> Exchanged:
    due_in, paused, suspect_waits, refused = reply[:FIRST_JOB]
    jobs = tuple(
        Fetched(text_of(job_id), run, record, trail, recoveries)
        for job_id, run, record, trail, recoveries in zip(
            *(reply[FIRST_JOB + i :: VALUES_A_JOB] for i in range(VALUES_A_JOB)), strict=True
        )
        if record is not None
    )
    return Exchanged(
        jobs=jobs,
        refused=tuple(map(int, refused.split(b","))) if refused else (),
        next_due=due_in / 1000 if due_in >= 0 else None,
        paused=bool(paused),
        suspect_waits=bool(suspect_waits),
    )


def _check_owner(reply: Reply, what: str) -> None:
    if reply[0] == b"FENCED":
        raise Fenced(int(reply[1]))
    if reply[0] == b"STALE":
        raise StaleCall(f"{what} is not the one that comes next; nothing was changed")
