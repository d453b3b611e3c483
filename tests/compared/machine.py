"""The state machine: Hypothesis chooses the commands, all backends get them, and every reply is compared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from exqueue.errors import ExqueueError
from exqueue.persistence.values import CALLER_KEPT_S, Claimed, Exchanged, Fence, Holder, Leave, Mark, Owned, Push
from tests.compared import choices
from tests.compared.belief import Belief, what_happened
from tests.compared.choices import CALLERS, QUEUES, End
from tests.compared.endgame import look_at_all, unreported, work_off
from tests.compared.moves import Move, a_move
from tests.compared.server_time import UNIT_S
from tests.compared.table import Table
from tests.persistence.conformance.play import STATES

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.base import Session
    from exqueue.persistence.values import NewJob, State, StoredJob
    from tests.compared.choices import Kind
    from tests.compared.stores import Backends
    from tests.compared.table import Tally

FAR_ABOVE = 10**15
"""An epoch at which numbers are written as 1e+15 where nobody takes care."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """The last call of a caller in a queue, what it was answered, and when."""

    n: int
    act: Callable[[Session], Any]
    answer: Any
    at: float


ANY_SUSPECT = Leave(suspect=True)


class Compared(RuleBasedStateMachine):
    """One run.

    Args:
        backends: where it makes its stores.
        tally: of all runs.
    """

    def __init__(self, backends: Backends, tally: Tally) -> None:
        super().__init__()
        self.table = Table(backends, tally)
        self.beliefs = {name: Belief(Fence(1, "red")) for name in QUEUES}
        self.numbered: dict[tuple[str, str], Numbered] = {}
        self.systems: set[str] = set()
        self.led = Fence(1, "red")
        self.epoch = 1

    @initialize(serial=st.tuples(st.booleans(), st.booleans()), jobs=st.tuples(choices.jobs, choices.jobs))
    def begin(self, serial: tuple[bool, bool], jobs: tuple[tuple[NewJob, ...], ...]) -> None:
        for name, is_serial, some in zip(QUEUES, serial, jobs, strict=True):
            self.beliefs[name].serial = is_serial
            self.store(name, CALLERS[0], some)
            self.claim(name, self.beliefs[name].fence, 3)

    @rule(move=a_move)
    def move(self, move: Move) -> None:
        """One step: the method of that name."""
        getattr(self, move.name)(**move.arguments)

    # -- anyone
    def push(self, queue: str, caller: str, jobs: tuple[NewJob, ...], skip: int) -> None:
        self.store(queue, caller, jobs, skip)

    def push_to_both(self, caller: str, jobs: tuple[tuple[NewJob, ...], ...], steps: tuple[int, int]) -> None:
        """In one round trip; each push has a number of its own, which may be a late one but is no other command's."""
        numbers = [max(1, self.number(name, caller) + step) for name, step in zip(QUEUES, steps, strict=True)]
        pushes = [Push(name, n, some) for name, n, some in zip(QUEUES, numbers, jobs, strict=True)]
        said = self.table.ask("push two", lambda session: session.push(caller, pushes))
        assert not isinstance(said, ExqueueError)
        for push, refused in zip(pushes, said, strict=True):
            if refused is None and push.n > self.number(push.queue, caller):
                again = partial(_push_again, caller=caller, push=push)
                self.numbered[push.queue, caller] = Numbered(push.n, again, (None,), self.table.clock.now)

    def command_someone(self, queue: str, caller: str, verb: str, state: State, ids: list[str]) -> None:
        """Some of ``ids`` may be there; before them stand two of the jobs that are in that state, or dead."""
        ids = [*self.table.peek(queue, state if verb == "cancel" else "dead")[:2], *ids]
        n = self.number(queue, caller) + 1
        acts: dict[str, Callable[[Session], Any]] = {
            "retry_dead": lambda session: session.retry_dead(queue, caller, n, ids),
            "delete_dead": lambda session: session.delete_dead(queue, caller, n, ids),
            "cancel": lambda session: session.cancel(queue, caller, n, ids[0]),
            "pause": lambda session: session.set_paused(queue, caller, n, True),
            "resume": lambda session: session.set_paused(queue, caller, n, False),
        }
        self.command(verb, queue, caller, n, acts[verb])

    def repeat(self, which: int, back: int, jobs: tuple[NewJob, ...]) -> None:
        """The last call of some caller once more, which is answered as it was; or one of a lower number."""
        queue, caller = list(self.numbered)[which % len(self.numbered)]
        last = self.numbered[queue, caller]
        if back and last.n > back:
            late = Push(queue, last.n - back, jobs)
            self.table.ask("say late", lambda session: session.push(caller, [late]))
            return
        said = self.table.ask("say again", last.act)
        is_kept = self.table.clock.now < last.at + CALLER_KEPT_S
        assert said == last.answer or not is_kept, f"the same call was answered {last.answer} and then {said}"

    # -- the owner of a queue
    def take(self, queue: str, how: str, token: str, seat: int, step: int) -> None:
        """As its owner, as a new one, or with a fence or seat that may be old or another's."""
        fence = self.beliefs[queue].fence
        if how == "next seat":
            self.claim(queue, fence, self.beliefs[queue].seat + 1)
        elif how == "seat before":
            self.claim(queue, fence, max(0, self.beliefs[queue].seat - 1))
        elif how == "amiss":
            self.claim(queue, Fence(fence.epoch + step, token), seat)
        else:
            self.epoch = max(self.epoch + 1, FAR_ABOVE if how == "far above" else 0)
            self.claim(queue, Fence(self.epoch, token), seat)

    def work(self, queue: str, turns: list[tuple[int, Leave, list[End]]]) -> None:
        """What most owners do most of the time: settle what ended and fetch more."""
        for want, leave, ends in turns:
            self.exchange(queue, ends, want, leave=leave)

    def work_one_by_one(self, queue: str, turns: list[tuple[int, Leave, list[End]]]) -> None:
        """As above, but fetch nothing in the call that settles."""
        for want, leave, ends in turns:
            self.exchange(queue, [], want, leave=leave)
            self.exchange(queue, ends, 0, leave=leave)

    def lose_often(self, queue: str, times: int, ending: Kind, want: int) -> None:
        """Workers die of some jobs until these are suspects; one after the other ends otherwise, and comes again."""
        lost, ended = (
            [End(which, False, kind, UNIT_S, None, "") for which in range(5)] for kind in ("recovered", ending)
        )
        for ends in (*[lost] * times, ended, ended):
            self.exchange(queue, [], 3, leave=ANY_SUSPECT)
            self.exchange(queue, ends, 0, leave=ANY_SUSPECT)
        self.table.pass_time(UNIT_S)
        self.exchange(queue, [], want, leave=ANY_SUSPECT)

    def exchange_amiss(self, queue: str, ends: list[End], want: int, wrong: str) -> None:
        """The last call once more, for which nothing counts that it says; or what is not the queue's."""
        if wrong == "":
            self.exchange(queue, ends, want, leave=ANY_SUSPECT, step=0)
            return
        belief = self.beliefs[queue]
        epoch = belief.fence.epoch + {"epoch below": -1, "epoch above": 1}.get(wrong, 0)
        fence = Fence(epoch, "green" if wrong == "token" else belief.fence.token)
        seat = belief.seat + {"seat below": -1, "seat above": 1}.get(wrong, 0)
        call = belief.call + {"late": -1, "early": 2}.get(wrong, 1)
        settlements, serial = belief.settlements(ends), belief.serial
        self.table.ask(
            f"exchange ({wrong})",
            lambda it: it.exchange(queue, fence, seat, call, settlements, want, serial=serial, leave=ANY_SUSPECT),
        )

    def sweep(self, steps: tuple[int, int, int]) -> None:
        epoch, seat, call = steps
        owned = [
            Owned(name, Fence(it.fence.epoch + epoch, it.fence.token), it.seat + seat, it.call + call)
            for name, it in self.beliefs.items()
        ]
        said = self.table.ask("sweep", lambda session: session.sweep(owned))
        assert not isinstance(said, ExqueueError)
        self.table.tally.note(*(f"sweep: {verdict}" for verdict in said))

    # -- the lock, and who is there
    def rise_or_fall(self, token: str) -> None:
        """A system begins to listen, or ends."""
        if token in self.systems:
            self.systems.remove(token)
            self.table.fall(token)
        else:
            self.systems.add(token)
            self.table.rise(token)

    def acquire(self, token: str, node: str, ttl: float, above: int | None, then: str) -> None:
        """As a system that listens, as all do that acquire; what it does then, or what becomes of it."""
        if token not in self.systems:
            self.rise_or_fall(token)
        at_least = 0 if above is None else self.led.epoch + above
        said = self.table.ask("acquire", lambda session: session.acquire(node, token, ttl, at_least), token)
        assert isinstance(said, Fence | Holder)
        self.led = Fence(said.epoch, said.token)
        if then in {"renew", "release"}:
            self.renew_or_release(then, 0, None, ttl)
        elif then:
            self.rise_or_fall(token)
        if then == "evict returning":
            self.systems.add(token)
            self.table.evict(returning=token)
        elif then.startswith("evict"):
            self.table.evict(is_other=then == "evict another")

    def renew_or_release(self, verb: str, step: int, other: str | None, ttl: float) -> None:
        """As the one that was the last to lead, or as somebody else."""
        fence = Fence(self.led.epoch + step, other or self.led.token)
        if verb == "renew":
            self.table.ask("renew", lambda session: session.renew(fence, ttl))
        else:
            self.table.ask("release", lambda session: session.release(fence))

    def show_life(self, verb: str, node: str, info: bytes, ttl: float) -> None:
        if verb == "beat":
            self.table.ask("beat", lambda session: session.beat(node, info, ttl))
        else:
            self.table.ask("forget", lambda session: session.forget(node))
        self.table.ask("nodes", lambda session: session.nodes())

    # -- what anyone reads
    def read(self, queue: str, limit: int, offset: int) -> None:
        """A page of each list."""
        for state in STATES:
            self.table.ask(f"list {state}", partial(_page, queue=queue, state=state, limit=limit, offset=offset))

    def report(self, queue: str, job_id: str, leave: int) -> None:
        """Most deaths are in the log, and one is said to be that never was."""
        deaths = self.table.look(f"unreported in {queue}", lambda session: unreported(session, queue))
        assert not isinstance(deaths, ExqueueError)
        marks = [death.mark for death in deaths]
        marks = [*marks[leave:], Mark(job_id, b"1|1|1|1")]
        self.table.ask("reported", lambda session: session.reported(queue, marks))
        self.table.ask("get", lambda session: session.get_jobs(job_id, ("none", *QUEUES)))

    # -- what passes
    def pass_time(self, seconds: float) -> None:
        self.table.pass_time(seconds)

    def change(self, queue: str, what: str) -> None:
        """Another session gives the commands; or the queue is worked serially from now on, or no more."""
        if what == "session":
            self.table.reconnect()
        else:
            self.beliefs[queue].serial = not self.beliefs[queue].serial
            # Whatever runs by then, and may run no more beside what is fetched now.
            self.exchange(queue, [], 2, leave=ANY_SUSPECT)

    @invariant()
    def counts_and_signals_are_alike(self) -> None:
        self.table.look("overview", lambda session: session.overview(("none", *QUEUES)))
        self.table.listen()

    def teardown(self) -> None:
        """Compare all that is stored, and then what becomes of it when it is worked off."""
        try:
            if not self.table.is_broken:
                look_at_all(self.table)
                self.table.expect_sound()
                work_off(self.table, self.epoch + 1)
                look_at_all(self.table)
                self.table.expect_nothing_left()
        finally:
            self.table.close()

    # -- what several rules do
    def number(self, queue: str, caller: str) -> int:
        """The last number that a caller sent to a queue."""
        last = self.numbered.get((queue, caller))
        return last.n if last is not None else 0

    def command(self, name: str, queue: str, caller: str, n: int, act: Callable[[Session], Any]) -> None:
        """Give a command under a number that is new."""
        said = self.table.ask(name, act)
        assert not isinstance(said, ExqueueError)
        self.numbered[queue, caller] = Numbered(n, act, said, self.table.clock.now)

    def store(self, queue: str, caller: str, jobs: tuple[NewJob, ...], skip: int = 1) -> None:
        """Push under a new number."""
        push = Push(queue, self.number(queue, caller) + skip, jobs)
        self.command("push", queue, caller, push.n, lambda session: session.push(caller, [push]))

    def claim(self, queue: str, fence: Fence, seat: int) -> None:
        """Claim; what is believed then."""
        said = self.table.ask("claim", lambda session: session.claim(queue, fence, seat))
        if isinstance(said, Claimed):
            belief = self.beliefs[queue]
            if fence != belief.fence:
                belief.running.clear()
            # Seat 0 only reads, so the seat stays; under another fence it is taken.
            belief.seat = belief.seat if seat == 0 and fence == belief.fence else seat
            belief.fence, belief.call = fence, said.call

    def exchange(self, queue: str, ends: list[End], want: int, *, leave: Leave, step: int = 1) -> None:
        """The next call, or the last one again; what is believed then."""
        belief = self.beliefs[queue]
        settlements = belief.settlements(ends)
        fence, seat, call, serial = belief.fence, belief.seat, belief.call + step, belief.serial
        said = self.table.ask(
            "exchange" if step else "exchange again",
            lambda it: it.exchange(queue, fence, seat, call, settlements, want, serial=serial, leave=leave),
        )
        assert isinstance(said, Exchanged)
        belief.call = call
        if step:
            belief.learn(settlements, said)
            self.table.tally.note(*what_happened(settlements, said, leave))


def _push_again(session: Session, caller: str, push: Push) -> tuple[ExqueueError | None, ...]:
    return session.push(caller, [push])


def _page(session: Session, queue: str, state: State, limit: int, offset: int) -> tuple[StoredJob, ...]:
    return session.list_jobs(queue, state, limit, offset)
