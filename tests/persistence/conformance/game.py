"""A game of random commands that two stores play in step: the same seed, the same commands, the same answers."""

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from exqueue.errors import ExqueueError, Fenced
from exqueue.persistence.base import Session
from exqueue.persistence.values import (
    Bury,
    Claimed,
    Done,
    Exchanged,
    Fence,
    Fetched,
    GiveBack,
    Holder,
    Leave,
    Mark,
    NewJob,
    Overview,
    Owned,
    Push,
    Recovered,
    Retry,
    Settlement,
    State,
    StoredJob,
)
from tests.persistence.conformance.play import STATES, eventually

QUEUES = ("q", "r")
CALLERS = ("ann", "bob")
TOKENS = ("red", "blue", "grey")
IDS = tuple("abcdefghijkl")
BRIEF_S = 0.003
LONG_S = 100_000.0
NEAR_S = 2.0
"""Times that two clocks tell within this are the same."""
REMEMBERED = 12

Act = Callable[[Session, int], Any]
"""A command to one of the two stores: its session, and which of the two it is."""


@dataclass(frozen=True, slots=True)
class Handle:
    """A run that both stores handed out, under a name of each."""

    id: str
    runs: tuple[bytes, bytes]


@dataclass(slots=True)
class Belief:
    """What an owner believes of its queue; now and then it is wrong on purpose."""

    fence: Fence
    seat: int = 0
    call: int = 0


class Game:
    """Chooses commands, gives them to both stores, and compares.

    Args:
        first, second: sessions of two empty stores.
        seed: of every choice.
    """

    def __init__(self, first: Session, second: Session, seed: int) -> None:
        self.seen: set[str] = set()
        """What has happened at least once: a game in which nothing happens proves nothing."""
        self._sessions = (first, second)
        self._random = random.Random(seed)
        self._told: deque[str] = deque(maxlen=30)
        self._handles: dict[str, deque[Handle]] = {name: deque(maxlen=REMEMBERED) for name in QUEUES}
        self._beliefs = {name: Belief(Fence(0, "")) for name in QUEUES}
        self._serial = {name: self._random.random() < 0.5 for name in QUEUES}
        self._commands: dict[tuple[str, str], tuple[int, Act]] = {}
        self._led = Fence(1, "red")
        self._fences: list[Fence] = [Fence(1, "red")]
        self._later_s = LONG_S

    def play(self, steps: int) -> None:
        """Play; `AssertionError` with the last commands when the stores differ."""
        for step in range(steps):
            self._step(step)

    def _step(self, step: int) -> None:
        moves: list[Callable[[str], None]] = [
            *[self._exchange] * 10,
            *[self._push] * 5,
            *[self._command] * 4,
            self._claim,
            self._claim_anew,
            self._sweep,
            self._report,
            self._lock,
            self._wait,
        ]
        queue = self._random.choice(QUEUES)
        if self._random.random() < 0.02:
            self._serial[queue] = not self._serial[queue]
        self._random.choice(moves)(queue)
        for seen in _everything():
            self._both(f"step {step}: look", seen, quiet=True)

    # -- what is done
    def _push(self, queue: str) -> None:
        jobs = tuple(self._new_job() for _ in range(self._random.choice((1, 1, 1, 2, 5))))
        caller, n = self._number(queue)
        push = Push(queue, n, jobs)
        self._numbered(queue, caller, n, f"push {caller} {push}", lambda session, _: session.push(caller, [push]))
        if any(job.delay == BRIEF_S for job in jobs):
            self._wait(queue)

    def _new_job(self) -> NewJob:
        job = NewJob(self._random.choice(IDS), self._random.randbytes(3))
        chance = self._random.random()
        if chance < 0.1:
            self._later_s += 10.0
            return replace(job, delay=self._later_s)
        if chance < 0.2:
            return replace(job, delay=BRIEF_S)
        return replace(job, at=1.0) if chance < 0.25 else job

    def _command(self, queue: str) -> None:
        caller, n = self._number(queue)
        dead = [job.id for job in self._sessions[0].list_jobs(queue, "dead", len(IDS), 0)]
        ids = self._random.choices(dead or IDS, k=self._random.choice((1, 2))) + self._random.choices(IDS, k=2)
        if self._random.random() < 0.5:
            ids.reverse()
        acts: dict[str, Act] = {
            "retry_dead": lambda session, _: session.retry_dead(queue, caller, n, ids),
            "delete_dead": lambda session, _: session.delete_dead(queue, caller, n, ids),
            "cancel": lambda session, _: session.cancel(queue, caller, n, ids[0]),
            "pause": lambda session, _: session.set_paused(queue, caller, n, True),
            "resume": lambda session, _: session.set_paused(queue, caller, n, False),
        }
        name = self._random.choices(list(acts), weights=(4, 2, 4, 1, 2))[0]
        reply = self._numbered(queue, caller, n, f"{name} {queue} {caller} {n} {ids}", acts[name])
        if reply and not isinstance(reply, ExqueueError):
            self.seen.add(f"{name} {reply}" if name == "cancel" else name)

    def _numbered(self, queue: str, caller: str, n: int, text: str, act: Act) -> Any:
        """Give a command under a number; under the last one it is a copy of the last command."""
        last, again = self._commands.get((queue, caller), (0, act))
        if n == last:
            self._both(f"again: {queue} {caller} {n}", again)
            return None
        self._commands[queue, caller] = max((last, again), (n, act), key=lambda command: command[0])
        return self._both(text, act)

    def _number(self, queue: str) -> tuple[str, int]:
        caller = self._random.choice(CALLERS)
        last, _ = self._commands.get((queue, caller), (0, None))
        return caller, max(1, last + self._random.choices((1, 0, -1, 3), weights=(16, 2, 1, 1))[0])

    def _claim(self, queue: str) -> None:
        fence = self._random.choice(self._fences[-4:])
        self._claim_with(queue, fence, self._random.randrange(6))

    def _claim_anew(self, queue: str) -> None:
        """Mostly a new seat under the same fence, at times a new leadership."""
        belief = self._beliefs[queue]
        if belief.fence.epoch == 0 or self._random.random() < 0.3:
            fence = Fence(max(f.epoch for f in self._fences) + 1, self._random.choice(TOKENS))
            self._fences.append(fence)
            self._claim_with(queue, fence, self._random.randrange(3))
        else:
            self._claim_with(queue, belief.fence, belief.seat + 1)

    def _claim_with(self, queue: str, fence: Fence, seat: int) -> None:
        text = f"claim {queue} {fence} seat {seat}"
        claimed = self._both(text, lambda session, _: session.claim(queue, fence, seat))
        if isinstance(claimed, Claimed):
            same = self._beliefs[queue].fence == fence
            # Seat 0 only reads, so the seat stays; under another fence it is taken.
            seat = self._beliefs[queue].seat if same and seat == 0 else seat
            self._beliefs[queue] = Belief(fence, seat, claimed.call)
            self.seen.add("claim")

    def _exchange(self, queue: str) -> None:
        belief = self._beliefs[queue]
        fence, seat = belief.fence, belief.seat
        call = belief.call + self._random.choices((1, 0, 2, -1), weights=(30, 2, 1, 1))[0]
        if self._random.random() < 0.03:
            fence = self._random.choice(self._fences)
        if self._random.random() < 0.03:
            seat += self._random.choice((-1, 1))
        ends = self._ends(queue)
        want, serial = self._random.choice((0, 1, 2, 5)), self._serial[queue]
        leave = Leave(self._random.random() < 0.4, self._random.choice((None, None, 2, 3)))

        answers: list[Exchanged] = []

        def act(session: Session, side: int) -> Exchanged:
            settlements = [end(side) for end in ends]
            answers.append(session.exchange(queue, fence, seat, call, settlements, want, serial=serial, leave=leave))
            return answers[-1]

        told = [end(0) for end in ends]
        text = f"exchange {queue} {fence} {seat} {call} {told} want={want} serial={serial} {leave}"
        answer = self._both(text, act)
        if isinstance(answer, Exchanged):
            for one, other in zip(answers[0].jobs, answers[1].jobs, strict=True):
                self._handles[queue].append(Handle(one.id, (one.run, other.run)))
            self._note(queue, call, answer, told)
            self.seen.update("poison handed out" for job in answer.jobs if leave.is_poison(job.recoveries))
            if any(isinstance(end, Retry) and end.delay == BRIEF_S for end in told):
                self._wait(queue)

    def _note(self, queue: str, call: int, answer: Exchanged, told: list[Settlement]) -> None:
        if call == self._beliefs[queue].call:
            self.seen.add("answered again")
        self._beliefs[queue].call = call
        for at, end in enumerate(told):
            self.seen.add(f"{type(end).__name__} {'refused' if at in answer.refused else 'applied'}")
        self.seen.update(
            name
            for name, is_so in {
                "suspect held back": answer.suspect_waits,
                "suspect handed out": any(job.recoveries >= 2 for job in answer.jobs),
                "paused": answer.paused,
            }.items()
            if is_so
        )

    def _ends(self, queue: str) -> list[Callable[[int], Settlement]]:
        """Settlements of runs that were handed out at some time: most of the latest, some long over."""
        handles = list(self._handles[queue])
        chosen = [handle for handle in handles if self._random.random() < 0.25]
        chosen += self._random.choices(handles, k=1) if handles and self._random.random() < 0.1 else []
        return [self._end(handle) for handle in chosen]

    def _end(self, handle: Handle) -> Callable[[int], Settlement]:
        job_id = handle.id if self._random.random() < 0.97 else self._random.choice(IDS)
        trail = self._random.choice((None, b"", b"trail", self._random.randbytes(2)))
        self._later_s += 10.0
        delay = self._random.choice((0.0, BRIEF_S, self._later_s))
        kind = self._random.choices((Done, Retry, Bury, GiveBack, Recovered), weights=(4, 4, 2, 3, 3))[0]

        def end(side: int) -> Settlement:
            run = handle.runs[side]
            if kind is Retry:
                return Retry(job_id, run, delay, trail)
            return Bury(job_id, run, trail) if kind is Bury else kind(job_id, run)  # type: ignore[call-arg]

        return end

    def _sweep(self, queue: str) -> None:
        owned = [
            Owned(name, b.fence, b.seat, b.call + self._random.choice((0, 0, 0, 1)))
            for name, b in self._beliefs.items()
        ]
        verdicts = self._both(f"sweep {owned}", lambda session, _: session.sweep(owned))
        self.seen.update(f"sweep {verdict}" for verdict in verdicts)

    def _report(self, queue: str) -> None:
        """Say of some deaths that they are in the log; now and then of another death of the same job."""
        handles = [handle for handle in self._handles[queue] if self._random.random() < 0.3]

        def act(session: Session, side: int) -> None:
            session.reported(queue, [Mark(handle.id, handle.runs[side]) for handle in handles])

        marked = len(self._sessions[0].unreported(queue, 1_000))
        self._both(f"reported {queue} {handles}", act)
        left = len(self._sessions[0].unreported(queue, 1_000))
        self.seen.add("reported" if left < marked else "reported in vain")

    def _lock(self, queue: str) -> None:
        token = self._random.choice(TOKENS)
        wrong = Fence(self._led.epoch + self._random.choice((0, -1)), token)
        fence = self._random.choice((self._led, self._led, wrong))
        at_least = self._random.choice((0, 0, self._led.epoch, self._led.epoch + 2))
        ttl = self._random.choice((BRIEF_S, 600.0, 600.0))
        acts: dict[str, Act] = {
            f"acquire ttl={ttl} at_least={at_least}": lambda session, _: session.acquire("n", token, ttl, at_least),
            f"renew ttl={ttl}": lambda session, _: session.renew(fence, ttl),
            "release": lambda session, _: session.release(fence),
        }
        if all(session.presence(fence.token).state == "absent" for session in self._sessions):
            acts["evict"] = lambda session, _: _evict(session, fence)
        name = self._random.choices(list(acts), weights=(4, 2, 2, 1)[: len(acts)])[0]
        reply = self._both(f"{name} token={token} {fence}", acts[name])
        self.seen.add(f"{name.split()[0]} {type(reply).__name__ if not isinstance(reply, bool) else reply}")
        if isinstance(reply, Fence | Holder):
            self._led = Fence(reply.epoch, reply.token)
        if ttl == BRIEF_S:
            self._wait(queue)

    def _wait(self, queue: str) -> None:
        """Let what is brief pass in both stores."""
        until = [session.overview(()).now + 2 * BRIEF_S for session in self._sessions]
        for session, moment in zip(self._sessions, until, strict=True):
            eventually(partial(_is_past, session, moment))

    # -- how it is compared
    def _both(self, text: str, act: Act, *, quiet: bool = False) -> Any:
        if not quiet:
            self._told.append(text)
        replies = [_outcome(act, session, side) for side, session in enumerate(self._sessions)]
        first, second = (list(_plain(reply)) for reply in replies)
        if not _are_alike(first, second):
            history = "\n  ".join(self._told)
            raise AssertionError(f"{text}\nfirst:  {replies[0]}\nsecond: {replies[1]}\nafter:\n  {history}")
        if isinstance(replies[0], ExqueueError):
            self.seen.add(type(replies[0]).__name__)
        return replies[0]


def _is_past(session: Session, moment: float) -> bool:
    return session.overview(()).now > moment


def _everything() -> Iterator[Act]:
    """Looks at all that can be seen."""
    yield lambda session, _: session.queues()
    yield lambda session, _: session.overview(QUEUES)
    for queue in QUEUES:
        yield _marks(queue)
        for state in STATES:
            # Within a millisecond the order of death and of beginning is not told alike; there are tests for it.
            yield _listing(queue, state, is_ordered=state in {"ready", "waiting"})
    yield lambda session, _: [session.get_jobs(job_id, QUEUES) for job_id in IDS[:3]]


def _listing(queue: str, state: State, *, is_ordered: bool) -> Act:
    def look(session: Session, _: int) -> Sequence[StoredJob]:
        jobs = session.list_jobs(queue, state, 1_000, 0)
        return jobs if is_ordered else sorted(jobs, key=lambda job: job.id)

    return look


def _marks(queue: str) -> Act:
    def look(session: Session, _: int) -> list[StoredJob]:
        return sorted((one.job for one in session.unreported(queue, 1_000)), key=lambda job: job.id)

    return look


def _outcome(act: Act, session: Session, side: int) -> Any:
    try:
        return act(session, side)
    except ExqueueError as error:
        return error


def _plain(reply: Any) -> Iterator[object]:
    """The reply as a flat list: without the names of runs, which each store chooses for itself; times as floats."""
    match reply:
        case ExqueueError():
            yield (type(reply), reply.epoch if isinstance(reply, Fenced) else None)
        case Claimed():
            yield reply.call
            yield sorted(entry.id for entry in reply.runs)
        case Exchanged():
            yield (reply.refused, reply.paused, reply.suspect_waits, len(reply.jobs), reply.next_due == 0.0)
            yield reply.next_due
            yield from _plain(reply.jobs)
        case Fetched() | StoredJob():
            times = _times(reply)
            yield replace(reply, run=b"", **dict.fromkeys(times))  # type: ignore[arg-type]
            yield from times.values()
        case Overview():
            yield (reply.holder, reply.queues)
        case tuple() | list():
            yield len(reply)
            for entry in reply:
                yield from _plain(entry)
        case _:
            yield reply


def _times(job: Fetched | StoredJob) -> dict[str, float | None]:
    if isinstance(job, Fetched):
        return {}
    return {"due_at": job.due_at, "died_at": job.died_at, "started_at": job.started_at}


def _are_alike(first: list[object], second: list[object]) -> bool:
    def alike(one: object, other: object) -> bool:
        if isinstance(one, float) and isinstance(other, float):
            return abs(one - other) < NEAR_S
        return one == other

    return len(first) == len(second) and all(map(alike, first, second))


def _evict(session: Session, fence: Fence) -> bool:
    """Evict who holds the lock if it is this fence, else name a lease that does not stand."""
    holder = session.overview(()).holder
    named = Holder(fence.epoch, fence.token, "n")
    seen = holder if holder is not None and holder == named else named
    return session.evict(seen, session.presence(fence.token))
