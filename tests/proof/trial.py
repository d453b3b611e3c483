"""One seed, from its plan to the verdict."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exqueue import DeleteAllDead, DeleteDead, ResumeQueue, RetryAllDead, RetryDead
from exqueue.persistence.inspection.check import check
from exqueue.testing.simulation.scheduler import Deadlock
from exqueue.testing.simulation.world import World
from tests.proof.load import QUEUES, Load
from tests.proof.moments import IS_SO, moments
from tests.proof.oracle import Oracle
from tests.proof.plan import PATIENCE_S
from tests.proof.shadow import Broken
from tests.proof.strikes import SAVED_EVERY_S, Strikes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.proof.plan import Moment, Plan

LOCK_TTL_S = 10.0
SHUTDOWN_TIMEOUT_S = 5.0

QUIET_WITHIN_S = 300.0
"""Once nothing goes wrong any more, in how much virtual time everything has run to its end: poison and its suspects one
by one, the longest jobs again, leases that have to end by themselves."""

LOOK_EVERY_S = 0.25


@dataclass
class Verdict:
    """What came of a trial.

    Args:
        plan: that was tried.
        digest: of all turns and events.
        broken: the promise that was broken, in a sentence; empty when all were kept.
        story: the events, one a line.
        turns: how many steps there were.
        checks: how often the oracle looked.
        faults: how many have struck.
        virtual_s: how long it was.
        met: which fault met which moment, how often.
    """

    plan: Plan
    digest: str = ""
    broken: str = ""
    story: str = ""
    turns: int = 0
    checks: int = 0
    faults: int = 0
    virtual_s: float = 0.0
    met: Counter[tuple[str, str]] = field(default_factory=Counter)


def run(plan: Plan, *, keep_story: bool = False) -> Verdict:
    """Try a plan out. Whatever breaks a promise is in the verdict; ``keep_story``: also when none was broken."""
    verdict = Verdict(plan)
    with World(plan.seed) as world:
        oracle = Oracle(world)
        load = Load(world, plan, oracle)
        trial = Trial(world, oracle, load, plan, verdict)
        try:
            trial.run()
        except Broken as broken:
            verdict.broken = str(broken)
        except Deadlock as deadlock:
            verdict.broken = f"alive: {deadlock}"
        verdict.digest, verdict.turns, verdict.virtual_s = world.history.digest(), world.scheduler.turns, world.now
        verdict.checks = oracle.checks
        if verdict.broken or keep_story:
            verdict.story = world.history.story()
    return verdict


class Trial:
    """Lets a plan happen, and waits for the end."""

    def __init__(self, world: World, oracle: Oracle, load: Load, plan: Plan, verdict: Verdict) -> None:
        self._world = world
        self._oracle = oracle
        self._load = load
        self._plan = plan
        self._verdict = verdict
        self._strikes = Strikes(world, load, oracle, LOCK_TTL_S, SHUTDOWN_TIMEOUT_S)
        self._helped: set[str] = set()
        self._names = [f"node-{number}" for number in range(plan.nodes)]

    def run(self) -> None:
        """The whole trial.

        Raises:
            Broken: a promise was.
        """
        for name in self._names:
            self._strikes.start(name)
        self._load.enqueue_from(clients=3)
        self._load.give_orders()
        self._let_it_happen()
        self._mend()
        self._look_at_the_end()

    def _let_it_happen(self) -> None:
        faults = list(self._plan.faults)
        next_save = SAVED_EVERY_S
        while faults:
            due_at = min(faults[0].at_s, next_save)
            if due_at > self._world.now:
                self._pass(due_at - self._world.now)
            if faults[0].at_s > due_at:
                next_save += SAVED_EVERY_S
                self._strikes.save()
                continue
            fault = faults.pop(0)
            self._await(fault.moment)
            met = list(moments(self._world, self._oracle))
            if self._strikes.strike(fault):
                self._verdict.faults += 1
                self._verdict.met.update((fault.kind, moment) for moment in met)

    def _await(self, moment: Moment | None) -> None:
        """Wait until it is so, at any step, if it is soon."""
        if moment is not None:
            is_so = IS_SO[moment]
            self._world.scheduler.wait(lambda: is_so(self._world, self._oracle), PATIENCE_S)

    def _pass(self, duration_s: float) -> None:
        self._world.pass_time(duration_s)
        if self._oracle.broken is not None:
            raise self._oracle.broken

    def _mend(self) -> None:
        """Nothing goes wrong from now on: whoever looks after the nodes starts those that ended, and all ends well."""
        self._until(lambda: self._world.now >= self._oracle.troubled_at, "the faults are over")
        self._until(self._is_quiet, "everything has run to its end")

    def _is_quiet(self) -> bool:
        for name in self._names:
            if self._world.nodes[name].has_ended and name not in self._oracle.stopping:
                self._strikes.start(name)
        for counts in self._world.store.overview(QUEUES).queues:
            if counts.paused:
                self._order(ResumeQueue(counts.queue))
            if counts.head is not None and counts.head_dead:
                self._help_past(counts.head, counts.queue)
        return self._world.is_quiet()

    def _help_past(self, head: str, queue: str) -> None:
        """A dead job halts its serial queue: a person gives it one more chance."""
        order = DeleteDead if head in self._helped or self._load.jobs[head].kills else RetryDead
        self._helped.add(head)
        self._order(order(head, queue=queue))

    def _order(self, order: object) -> None:
        node = next((node for node in self._world.nodes.values() if not node.has_ended), None)
        if node is not None:
            self._load.order(node, order)

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = self._world.now + QUIET_WITHIN_S
        while not condition():
            if self._world.now >= deadline:
                raise Broken(f"alive: not within {QUIET_WITHIN_S:g} s: {what}")
            self._pass(LOOK_EVERY_S)

    def _look_at_the_end(self) -> None:
        """A person revives all that died, then deletes what dies again: at last nothing is left, and all was said."""
        self._until(self._is_all_said, "every death is in the log, and marked so")
        # Before anybody is excused who revives or deletes what was not said.
        self._look_at_deaths()
        self._look_at_store()
        for order in (RetryAllDead, DeleteAllDead):
            for queue in QUEUES:
                if self._world.store.overview((queue,)).queues[0].dead:
                    self._order(order(queue))
            self._until(self._is_quiet, "everything has run to its end")
        self._until(lambda: not list(self._oracle.shadow.stored()), "nothing is left")
        self._look_at_deaths()
        self._look_at_crashes()
        self._look_at_store()

    def _look_at_store(self) -> None:
        """Soon `exqueue.persistence.fsck` finds nothing in the store: a leader may still be about to renew."""
        deadline = self._world.now + QUIET_WITHIN_S
        while found := check(self._world.network.store).findings:
            if self._world.now >= deadline:
                first = found[0]
                raise Broken(f"sound: {first.kind} of {first.job_id or first.queue}: {first.explanation}")
            self._pass(LOOK_EVERY_S)

    def _is_all_said(self) -> bool:
        return not any(self._world.store.unreported(queue, 100) for queue in QUEUES)

    def _look_at_crashes(self) -> None:
        """No actor ended by an error unless it was made to raise: an outage, above all, is none."""
        if not any(fault.kind.startswith("raise") for fault in self._plan.faults):
            crash = next((one for one in self._world.history.all("WARNING") if " crashed: " in one.of), None)
            if crash is not None:
                raise Broken(f"alive: {crash.of} on {crash.node}, and nobody had made it raise")

    def _look_at_deaths(self) -> None:
        """Each was said, and said once, unless the node was lost or the store went back between line and mark."""
        history, oracle = self._world.history, self._oracle
        said = [event for event in history.all("ERROR") if " is dead after " in event.of]
        for at, job_id in oracle.shadow.deaths:
            is_said = any(event.at >= at and f"job {job_id} " in event.of for event in said)
            if not is_said and oracle.taken_up.get(job_id, 0.0) < at:
                raise Broken(f"reported: {job_id} died at {at:.3f} s, and no ERROR says so")
        may_say_again = oracle.era + history.count("killed") + history.count("frozen")
        deaths = Counter(job_id for _, job_id in oracle.shadow.deaths) + oracle.undone
        for job_id, died in deaths.items():
            lines = sum(f"job {job_id} " in event.of for event in said)
            if lines > died + may_say_again:
                raise Broken(f"reported: {job_id} died {died} times, and {lines} ERRORs say so")
