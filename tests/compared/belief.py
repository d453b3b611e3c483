"""What the owner of a queue believes, and what its exchanges brought about."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exqueue.persistence.values import Fence, RunningEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.persistence.values import Exchanged, Leave, Settlement
    from tests.compared.choices import End

REMEMBERED = 12
"""So many of the latest runs of a queue may be settled once more when they are over."""


@dataclass(slots=True)
class Belief:
    """It is right as long as nobody else claims the queue; then it is what that one believes."""

    fence: Fence
    seat: int = 0
    call: int = 0
    serial: bool = False
    running: dict[str, bytes] = field(default_factory=dict)
    handed_out: deque[RunningEntry] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def settlements(self, ends: Sequence[End]) -> list[Settlement]:
        """Those of runs that go on, most of them, and of some that are over."""
        going_on = [RunningEntry(job_id, run) for job_id, run in self.running.items()]
        found = (end.of(self.handed_out if end.is_late else going_on) for end in ends)
        return [settlement for settlement in found if settlement is not None]

    def learn(self, settlements: Sequence[Settlement], said: Exchanged) -> None:
        """After the answer to the next call."""
        for at, settlement in enumerate(settlements):
            if at not in said.refused:
                self.running.pop(settlement.id, None)
        self.running.update({job.id: job.run for job in said.jobs})
        self.handed_out.extend(RunningEntry(job.id, job.run) for job in said.jobs)


def what_happened(settlements: Sequence[Settlement], said: Exchanged, leave: Leave) -> list[str]:
    """What an exchange brought about, in words."""
    happened = {
        "handed out": bool(said.jobs),
        "paused": said.paused,
        "suspect held back": said.suspect_waits,
        "suspect handed out": any(job.recoveries >= 2 for job in said.jobs),
        "poison handed out": any(leave.is_poison(job.recoveries) for job in said.jobs),
        "due already": said.next_due == 0.0,
        "due later": bool(said.next_due),
    }
    kinds = [type(settlement).__name__ for settlement in settlements]
    ended = [f"{kind} {'refused' if at in said.refused else 'applied'}" for at, kind in enumerate(kinds)]
    return [*(what for what, is_so in happened.items() if is_so), *ended]
