"""Those who use a persistence, reduced to what the tests need: an owner of a queue, a client, and patience."""

import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from exqueue.errors import ExqueueError
from exqueue.persistence.base import Persistence, Session
from exqueue.persistence.values import (
    NO_LEAVE,
    Bury,
    Claimed,
    Done,
    Exchanged,
    Fence,
    Fetched,
    GiveBack,
    Leave,
    NewJob,
    Owned,
    Push,
    Recovered,
    Removed,
    Retry,
    Settlement,
    State,
    StoredJob,
    Verdict,
)

T = TypeVar("T")

Opener = Callable[[], Persistence]
"""Opens one and the same store, once more each time."""

DEADLINE_S = 10.0
POLL_S = 0.002
SOON_S = 0.05
"""A delay that a test can wait out."""
FAR_S = 3_600.0
"""A delay that no test lives to see."""
ONE = Fence(1, "one")
STATES: tuple[State, ...] = ("ready", "waiting", "running", "dead")


def eventually(look: Callable[[], T | None], deadline_s: float = DEADLINE_S) -> T:
    """Look again until there is something; fail after ``deadline_s``."""
    deadline = time.monotonic() + deadline_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"nothing came within {deadline_s} s"
        time.sleep(POLL_S)
    return seen


def pass_time(session: Session, seconds: float) -> None:
    """Return when the persistence's own clock has moved on by ``seconds``."""
    until = session.overview(()).now + seconds
    eventually(lambda: session.overview(()).now > until)


class Client:
    """Whoever pushes and commands, with a number that grows."""

    def __init__(self, session: Session, queue: str = "q", caller: str = "") -> None:
        self.session = session
        self.queue = queue
        self.caller = caller or secrets.token_hex(8)
        self._numbers = itertools.count(1)

    def push(self, *ids: str, delay: float = 0.0, at: float | None = None) -> None:
        """Store a job for each id; its record is ``<id>!``."""
        assert self.send(next(self._numbers), *(new_job(job_id, delay, at) for job_id in ids)) is None

    def send(self, n: int, *jobs: NewJob) -> ExqueueError | None:
        """One push under a number of one's own choice."""
        (refused,) = self.session.push(self.caller, [Push(self.queue, n, jobs)])
        return refused

    def retry_dead(self, *ids: str) -> tuple[str, ...]:
        return self.session.retry_dead(self.queue, self.caller, next(self._numbers), ids)

    def delete_dead(self, *ids: str) -> tuple[str, ...]:
        return self.session.delete_dead(self.queue, self.caller, next(self._numbers), ids)

    def cancel(self, job_id: str) -> Removed | None:
        return self.session.cancel(self.queue, self.caller, next(self._numbers), job_id)

    def pause(self) -> None:
        self.session.set_paused(self.queue, self.caller, next(self._numbers), True)

    def resume(self) -> None:
        self.session.set_paused(self.queue, self.caller, next(self._numbers), False)


class Owner:
    """The owner of a queue: claims when it is made, and numbers its calls."""

    def __init__(
        self, session: Session, queue: str = "q", *, fence: Fence = ONE, seat: int = 1, serial: bool = False
    ) -> None:
        self.session = session
        self.queue = queue
        self.fence = fence
        self.seat = seat
        self.serial = serial
        self.claimed: Claimed = session.claim(queue, fence, seat)
        self.call = self.claimed.call

    def exchange(
        self, *settlements: Settlement, want: int = 0, suspect: bool = False, poison_from: int | None = None
    ) -> Exchanged:
        """The next call."""
        answer = self.ask(self.call + 1, settlements, want, Leave(suspect, poison_from))
        self.call += 1
        return answer

    def ask(
        self, call: int, settlements: Sequence[Settlement] = (), want: int = 0, leave: Leave = NO_LEAVE
    ) -> Exchanged:
        """A call of any number."""
        return self.session.exchange(
            self.queue, self.fence, self.seat, call, settlements, want, serial=self.serial, leave=leave
        )

    def fetch(self, want: int = 1, *, suspect: bool = False, poison_from: int | None = None) -> tuple[Fetched, ...]:
        return self.exchange(want=want, suspect=suspect, poison_from=poison_from).jobs

    def fetch_one(self, *, suspect: bool = False) -> Fetched:
        (job,) = self.fetch(suspect=suspect)
        return job

    def settle(self, *settlements: Settlement) -> None:
        """Settle without fetching; nothing may be refused."""
        assert self.exchange(*settlements).refused == ()

    def sweep(self) -> Verdict:
        (verdict,) = self.session.sweep([Owned(self.queue, self.fence, self.seat, self.call)])
        return verdict


def new_job(job_id: str, delay: float = 0.0, at: float | None = None) -> NewJob:
    """A job whose record is ``<id>!``."""
    return NewJob(job_id, f"{job_id}!".encode(), delay, at)


def done(job: Fetched) -> Done:
    """The run succeeded."""
    return Done(job.id, job.run)


def retry(job: Fetched, delay: float = 0.0, trail: bytes | None = None) -> Retry:
    """The run failed and waits for another."""
    return Retry(job.id, job.run, delay, trail)


def bury(job: Fetched, trail: bytes | None = None) -> Bury:
    """The run failed for good."""
    return Bury(job.id, job.run, trail)


def give_back(job: Fetched) -> GiveBack:
    """The run was interrupted."""
    return GiveBack(job.id, job.run)


def recovered(job: Fetched) -> Recovered:
    """The run was lost with its thread."""
    return Recovered(job.id, job.run)


def ids(jobs: Sequence[Fetched] | Sequence[StoredJob]) -> list[str]:
    """The ids of jobs, in their order."""
    return [job.id for job in jobs]


def listed(session: Session, state: State, queue: str = "q") -> list[str]:
    """The ids of a state, in its order."""
    return ids(session.list_jobs(queue, state, 1_000, 0))


def everything(session: Session, queue: str = "q") -> dict[State, tuple[StoredJob, ...]]:
    """All jobs of a queue as they are stored."""
    return {state: session.list_jobs(queue, state, 1_000, 0) for state in STATES}


def bring_into(state: str, owner: Owner, client: Client, job_id: str) -> None:
    """Push a job and bring it into a state; the queue must have nothing else to hand out.

    Besides the states of the contract: ``returned`` (given back by place) and ``suspect`` (two recoveries).
    """
    client.push(job_id, delay=FAR_S if state == "waiting" else 0.0)
    if state in {"ready", "waiting"}:
        return
    job = owner.fetch_one()
    assert job.id == job_id
    if state == "dead":
        owner.settle(bury(job))
    elif state == "returned":
        owner.settle(give_back(job))
    elif state == "suspect":
        make_suspect(owner, job)
    else:
        assert state == "running"


def make_suspect(owner: Owner, job: Fetched) -> None:
    """Recover a running job twice; it is held back then."""
    owner.settle(recovered(job))
    again = owner.fetch_one()
    assert again.id == job.id
    owner.settle(recovered(again))


PREPARED = ("ready", "returned", "suspect", "waiting", "running", "dead")
"""What `bring_into` can do."""
