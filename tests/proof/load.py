"""The jobs of a trial, whoever enqueues them, and whoever gives orders about them meanwhile."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from exqueue import (
    AskTimeout,
    CancelJob,
    DeleteAllDead,
    DeleteDead,
    Enqueue,
    ExqueueError,
    PauseQueue,
    ResumeQueue,
    RetryAllDead,
    RetryDead,
    StartWorker,
    SystemStopped,
    current_job,
    job,
)

if TYPE_CHECKING:
    from exqueue.testing.simulation.world import Node, World
    from tests.proof.plan import Plan

QUEUES = ("fast", "serial", "mixed")
CONCURRENCY = {"fast": 3, "serial": 1, "mixed": 2}
MAX_RETRIES = 2
MAX_RECOVERIES = 3

USUALLY_S = 0.4
LONG_S = 15.0
"""How long a job takes at most: usually, and one that spans a lease."""

START_PAUSES_S = (0.1, 0.1, 3.0)
"""How long it takes at most until the next queue of a node is started: in between others act, and stops come."""

BACKOFF_S = 0.7
UNANSWERED = (ExqueueError, RuntimeError)
"""What who asks may hear: no, or what the actor that was asked has just been made to raise."""

ORDERS = (RetryDead, DeleteDead, CancelJob, RetryAllDead, DeleteAllDead, PauseQueue, ResumeQueue)


class Impolite(BaseException):
    """What a job raises that is no `Exception`."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A job: what it does when it is run. ``fails``: at its first so many runs."""

    id: str
    queue: str
    lasts_s: float
    fails: int = 0
    impolite: bool = False
    kills: bool = False
    delay_s: float = 0.0


class Hears(Protocol):
    """Who is told what clients, people and jobs do."""

    def asked(self, planned: Planned) -> None:
        """A client is about to enqueue it, or does so again."""

    def accepted(self, planned: Planned, asked_in: int) -> None:
        """A client was told that it is stored. ``asked_in``: the era in which it asked."""

    def ordered(self, order: Any) -> None:
        """A person is about to give an order."""

    def begins(self, node: str) -> None:
        """The current job begins here."""

    def ends(self, node: str, *, well: bool) -> None:
        """The current job is about to return, or to raise."""

    def kills(self, node: str) -> None:
        """The current job is about to end its node."""

    @property
    def era(self) -> int:
        """How often the store has lost what it had acknowledged."""


class Load:
    """All jobs of a plan. Of each run the history has ``begins``, then ``succeeds`` or ``fails``, if it has an end."""

    def __init__(self, world: World, plan: Plan, hears: Hears) -> None:
        self._world = world
        self._hears = hears
        self._plan = plan
        self.jobs = {planned.id: planned for planned in map(self._planned, range(plan.jobs))}
        self._fails_left = {planned.id: planned.fails for planned in self.jobs.values()}
        how: dict[str, Any] = {"max_retries": MAX_RETRIES, "backoff": BACKOFF_S, "max_recoveries": MAX_RECOVERIES}
        self.started = {
            queue: job(name=queue.title(), queue=queue, concurrency=limit, serial=queue == "serial", **how)(self._run)
            for queue, limit in CONCURRENCY.items()
        }

    def _planned(self, number: int) -> Planned:
        chance, traits = self._world.random, self._plan.traits
        queue = QUEUES[number % len(QUEUES)]
        fails = 0
        if "fails" in traits and chance.random() < 0.3:
            fails = 1 + int(chance.random() * MAX_RETRIES)
        if "dies" in traits and chance.random() < 0.15:
            fails = MAX_RETRIES + 1
        return Planned(
            id=f"{queue}-{number:02}",
            queue=queue,
            lasts_s=chance.random() * (LONG_S if "lasts long" in traits and chance.random() < 0.15 else USUALLY_S),
            fails=fails,
            impolite="raises BaseException" in traits and chance.random() < 0.5,
            kills="kills its node" in traits and number == self._plan.jobs // 2,
            delay_s=chance.random() * 5.0 if "waits" in traits and queue != "serial" and chance.random() < 0.3 else 0.0,
        )

    # -- what a job does
    def _run(self, *, number: str) -> None:
        it = current_job()
        assert it is not None
        planned = self.jobs[number]
        node = self._world.scheduler.current()[1].name
        self._world.note_here("begins", it.id)
        self._hears.begins(node)
        if planned.kills:
            self._hears.kills(node)
            self._world.kill_here()
        self._world.scheduler.sleep(planned.lasts_s)
        fails = self._fails_left[it.id] > 0
        self._world.note_here("fails" if fails else "succeeds", it.id)
        self._hears.ends(node, well=not fails)
        if fails:
            self._fails_left[it.id] -= 1
            raise Impolite if planned.impolite else ValueError("simulated")

    # -- nodes
    def work_on(self, node: Node) -> None:
        """Have somebody start all queues there, one after the other."""
        self._world.client(f"starter of {node.name}", lambda: self._start_all(node))

    def _start_all(self, node: Node) -> None:
        chance = self._world.random
        longest_s = chance.choice(START_PAUSES_S)
        for one in self.started.values():
            self._world.pass_time(chance.random() * longest_s)
            while not self._is_started(one, node):
                self._world.pass_time(0.5)

    @staticmethod
    def _is_started(one: Any, node: Node) -> bool:
        """Whether nobody needs to ask any more: also when the node has died, or is being stopped."""
        if node.has_ended:
            return True
        try:
            node.system.ask(StartWorker(one))
        except SystemStopped:
            return True
        except UNANSWERED:
            return False
        return True

    # -- clients
    def enqueue_from(self, clients: int) -> None:
        """Have so many clients enqueue all jobs, each its own share in order, at any node that runs."""
        everything = tuple(self.jobs.values())
        for number in range(clients):
            share = everything[number::clients]
            self._world.client(f"client-{number}", lambda share=share: self._enqueue_all(share))  # type: ignore[misc]

    def _enqueue_all(self, share: tuple[Planned, ...]) -> None:
        for planned in share:
            self._world.pass_time(self._world.random.random() * 2.0)
            while not self._is_stored(planned):
                self._world.pass_time(0.5)

    def _is_stored(self, planned: Planned) -> bool:
        node = self._any_node()
        if node is None:
            return False
        asked_in = self._hears.era
        self._hears.asked(planned)
        message: Any = Enqueue(
            self.started[planned.queue], {"number": planned.id}, id=planned.id, delay=planned.delay_s or None
        )
        try:
            node.system.ask(message)
        except AskTimeout as unanswered:
            self._world.note_here("unanswered", f"{planned.id} by {node.name}, stored: {unanswered.stored}")
            # Whoever is left in doubt asks again, or leaves it: then nothing excuses that it is stored twice.
            return unanswered.stored == "unknown" and self._world.random.random() < 0.5
        except UNANSWERED:
            return False
        self._hears.accepted(planned, asked_in)
        return True

    # -- people
    def give_orders(self) -> None:
        """Have somebody give the planned number of orders, any of them to any node."""

        def act() -> None:
            for _ in range(self._plan.orders):
                self._world.pass_time(self._world.random.random() * 5.0)
                self._give(self._world.random.choice(ORDERS))

        self._world.client("person", act)

    def _give(self, kind: Any) -> None:
        node = self._any_node()
        if node is None:
            return
        chance = self._world.random
        if kind in (RetryDead, DeleteDead, CancelJob):
            planned = chance.choice(tuple(self.jobs.values()))
            order = kind(planned.id, queue=planned.queue)
        else:
            order = kind(chance.choice(QUEUES))
        self.order(node, order)

    def order(self, node: Node, order: Any) -> None:
        """Give one order; whoever is told that it can't be carried out leaves it."""
        self._hears.ordered(order)
        self._world.note_here("orders", repr(order))
        with suppress(*UNANSWERED):
            node.system.ask(order)

    def _any_node(self) -> Node | None:
        running = [node for node in self._world.nodes.values() if not node.has_ended and not node.owner.is_frozen]
        return self._world.random.choice(running) if running else None
