"""What the store must hold: every job's place, as its answers say it. Goes back when the store goes back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from exqueue.persistence.memory.queue import Queue
    from exqueue.persistence.values import Fence


class Broken(AssertionError):
    """A promise that was not kept. The text begins with its name."""


class RunKey(NamedTuple):
    """What names a run everywhere: who handed out what, by which call."""

    id: str
    epoch: int
    seat: int
    call: int

    def __str__(self) -> str:
        return f"{self.id} in run {self.epoch}/{self.seat}/{self.call}"


class Place(NamedTuple):
    """Where a job is. ``run``: what names its run, while it runs."""

    state: str
    run: bytes | None = None


@dataclass
class OwnedQueue:
    """Who has claimed a queue last."""

    fence: Fence | None = None
    node: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds the lock, and until when."""

    fence: Fence
    node: str
    until: float


@dataclass
class Shadow:
    """What is known of the store, and goes back with it.

    Attributes:
        places: of every job that is stored, by queue and id.
        keys: of the runs that are under way, by id.
        lives: how often each id was stored.
        failures: of each job since it last began its life or was revived.
        losses: of each job since then: what took the node that it was lost with.
        revivals: of each job.
        commanded: the last number of each caller's commands to a queue.
        due: before when a job may not begin.
        deaths: when which job was buried.
        heads: of the serial queues: the job that was begun and must end before others may.
        lines: the ids of each queue in the order in which they joined it.
        owners: of the queues.
        lease: the last that was given.
        last_epoch: the highest that was given.
        last_fence: the one that its node may go on with; ``None`` when that gave it up.
    """

    places: dict[str, dict[str, Place]] = field(default_factory=dict)
    keys: dict[str, RunKey] = field(default_factory=dict)
    lives: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    losses: dict[str, list[str]] = field(default_factory=dict)
    revivals: Counter[str] = field(default_factory=Counter)
    commanded: dict[tuple[str, str], int] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    deaths: list[tuple[float, str]] = field(default_factory=list)
    heads: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    owners: dict[str, OwnedQueue] = field(default_factory=dict)
    lease: Lease | None = None
    last_epoch: int = 0
    last_fence: Fence | None = None

    def owner(self, queue: str) -> OwnedQueue:
        """Who has claimed it; nobody, when nobody has."""
        return self.owners.setdefault(queue, OwnedQueue())

    def stored(self) -> Iterator[tuple[str, Place]]:
        """All jobs."""
        for of_queue in self.places.values():
            yield from of_queue.items()

    def lost(self, job_id: str) -> int:
        """How often the job was lost with its node."""
        return len(self.losses.get(job_id, ()))

    def is_new_command(self, call: dict[str, Any]) -> bool:
        """Whether it is a command that was not carried out before: one that comes twice is answered as it was."""
        if "caller" not in call or "queue" not in call:
            return False
        by, n = (call["queue"], call["caller"]), call["n"]
        is_new: bool = n > self.commanded.get(by, 0)
        self.commanded[by] = max(n, self.commanded.get(by, 0))
        return is_new

    def begin_anew(self, job_id: str) -> None:
        """The job begins its life, or begins it again."""
        self.failures.pop(job_id, None)
        self.due.pop(job_id, None)
        self.losses.pop(job_id, None)


def look(queue: Queue) -> dict[str, Place]:
    """Where each job of a queue is by what the store holds.

    Raises:
        Broken: one stands in two lines, or in none.
    """
    found: dict[str, Place] = {}

    def put(ids: Iterable[str], state: str) -> None:
        for job_id in ids:
            if job_id in found:
                raise Broken(f"accounted: {job_id} is {state} and {found[job_id].state}")
            found[job_id] = Place(state)

    put(queue.ready, "ready")
    for line, state in ((queue.returned, "ready"), (queue.suspects, "ready"), (queue.waiting, "waiting")):
        put((job_id for _, job_id in line), state)
    put((job_id for _, job_id in queue.dead), "dead")
    for job_id, run in queue.running.items():
        put((job_id,), "running")
        found[job_id] = Place("running", run.name)
    if found.keys() != queue.jobs.keys():
        raise Broken(f"accounted: {sorted(found.keys() ^ queue.jobs.keys())} in no line, or with no record")
    return found
