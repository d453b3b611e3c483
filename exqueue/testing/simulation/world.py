"""Nodes, each a whole system with its real tree of actors, on one simulated store, in one thread and in virtual time.

Simulated: who runs next (a seed decides at every point where an actor waits, gives way, calls the persistence or runs
a job), time, chance (jitter, tokens, ids), the way to the persistence with what gets lost or late on it, outages, nodes
that die at once, and nodes that stand still for a while. Real: every actor, supervision, execution, records, and the
verbs of the store in memory.

Not simulated: what two threads do to each other between two such points; processes, sockets, Redis and its scripts;
`SystemRef.drain`, `run` and asyncio jobs, which wait in real time. Turns take no time: ways, jobs and time-outs do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Self

from exqueue.config import SystemConfig
from exqueue.system import start_system
from exqueue.testing.crashing import crash
from exqueue.testing.simulation.chronicle import Chronicle
from exqueue.testing.simulation.history import Event, History, LogListener
from exqueue.testing.simulation.network import Network
from exqueue.testing.simulation.runtime import SeededRuntime
from exqueue.testing.simulation.scheduler import NodeClock, Owner, Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue import SystemRef
    from exqueue.testing.simulation.callbacks import Callback
    from exqueue.testing.simulation.stand_ins import SimulatedPersistence

HALF = 0.5

LOOK_EVERY_S = 0.1
"""How often `World.until` looks at its condition."""


@dataclass(frozen=True, slots=True)
class Node:
    """One system."""

    name: str
    owner: Owner
    runtime: SeededRuntime
    clock: NodeClock
    persistence: SimulatedPersistence
    system: SystemRef

    @property
    def is_dead(self) -> bool:
        """Whether it was killed."""
        return self.owner.is_dead

    @property
    def token(self) -> str:
        """With which it takes the lock."""
        return self.system._node.token  # noqa: SLF001 - as `table`

    @property
    def has_ended(self) -> bool:
        """Whether it was killed or has stopped."""
        return self.is_dead or not self.system.is_alive()

    @property
    def restarts(self) -> int:
        """How many actors were started again."""
        return sum(self.table("restarts").values())

    def table(self, name: str) -> dict[Any, Any]:
        """A table of its board."""
        return self.system._context.board.table(name)  # noqa: SLF001 - what tools show of it is asked in real time


class World:
    """Used as a context manager by one greenlet, ``main``: whatever it waits for lets the others go on.

    Attributes:
        history: all that happened; the same seed and the same calls make the same one.
        network: the weather between the nodes and the store.
        nodes: the last of each name, dead ones included.
        store: looks into the store from outside, at once.
    """

    def __init__(self, seed: int) -> None:
        self.history = History()
        self.scheduler = Scheduler(seed, lambda name: self.history.turn(self.scheduler.clock.now, name))
        self.random = self.scheduler.random
        self.network = Network(self.scheduler, self.note)
        self.chronicle = Chronicle(self.note)
        self.network.watchers.append(self.chronicle)
        self.store = self.network.store.session(timeout=0)
        self.nodes: dict[str, Node] = {}
        self._all: list[Node] = []
        self._clients = 0

    def __enter__(self) -> Self:
        self._log = LogListener(self._note_log)
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()
        for node in self._all:
            node.system._at_exit.cancel()  # noqa: SLF001 - nobody else leaves systems behind
        self.scheduler.end()
        self._log.leave()

    # -- what is written down
    @property
    def now(self) -> float:
        """Virtual seconds since the beginning."""
        return self.scheduler.clock.now

    def note(self, node: str, what: str, of: str) -> None:
        """Write an event down."""
        self.history.note(Event(self.now, self.scheduler.turns, node, what, of))

    def note_here(self, what: str, of: str) -> None:
        """As `note`, at the node that has its turn."""
        self.note(self.scheduler.current()[1].name, what, of)

    def _note_log(self, level: str, line: str) -> None:
        self.note_here(level, line.partition("\n")[0])

    # -- nodes
    def start_node(self, name: str, **config: float) -> Node:
        """Start a system; ``config`` as in `SystemConfig`, times in virtual seconds."""
        owner = Owner(name)
        clock = NodeClock(self.scheduler.clock)
        runtime = SeededRuntime(self.scheduler, owner, clock)
        persistence = self.network.persistence(name)
        system = start_system(SystemConfig("simulated://", node=name, **config), persistence, runtime)  # type: ignore[arg-type]
        node = self.nodes[name] = Node(name, owner, runtime, clock, persistence, system)
        self._all.append(node)
        self.note(name, "started", "")
        return node

    def kill(self, node: Node) -> None:
        """End a node between two turns: nothing of it ever goes on, its connections are closed."""
        node.owner.is_dead = True
        node.persistence.close()
        self.note(node.name, "killed", "")

    def kill_here(self) -> NoReturn:
        """End the node that has its turn, as a job does that kills its process."""
        self.kill(self.nodes[self.scheduler.current()[1].name])
        self.scheduler.vanish()

    def freeze(self, node: Node) -> None:
        """Let a node stand still, connections open, until `thaw`: what it has under way arrives when it goes on."""
        node.owner.is_frozen = True
        self.note(node.name, "frozen", "")

    def thaw(self, node: Node) -> None:
        """Let a frozen node go on; it does not know that time has passed."""
        self.note(node.name, "thawed", "")
        self.scheduler.thaw(node.owner)

    def crash(self, node: Node, path: str) -> None:
        """Make an actor raise in its next message. Raises ``LookupError`` when nobody answers to the path now."""
        self.note(node.name, "raises", path)
        crash(node.system, path)

    def crash_in_call(self, node: Node, path: str) -> None:
        """Make an actor raise before or after a call of the persistence, now or when it next makes one."""
        self.note(node.name, "raises", f"{path} in a call")
        node.runtime.raise_in_call(path, RuntimeError("simulated"), self.random.randrange(2))

    def crash_in_callback(self, node: Node, path: str, callback: Callback) -> None:
        """Make an actor raise at the begin or end of one of its callbacks, when that is next run."""
        self.note(node.name, "raises", f"{path} in {callback}")
        at_end = self.random.random() < HALF
        node.runtime.raise_in_callback(path, callback, RuntimeError("simulated"), at_end=at_end)

    @property
    def living(self) -> list[Node]:
        """The nodes that were not killed."""
        return [node for node in self.nodes.values() if not node.is_dead]

    @property
    def leader(self) -> Node | None:
        """The node that holds the lock."""
        holder = self.store.overview(()).holder
        return None if holder is None else self.nodes[holder.node]

    # -- time
    def client(self, name: str, act: Callable[[], None]) -> None:
        """Have somebody outside of all nodes act beside them; `is_quiet` waits for its end."""
        self._clients += 1

        def body() -> None:
            act()
            self._clients -= 1

        self.scheduler.spawn(body, name)

    def pass_time(self, duration_s: float) -> None:
        """Let virtual time pass."""
        self.scheduler.sleep(duration_s)

    def take_turns(self, turns: int) -> None:
        """Let so many turns pass."""
        until = self.scheduler.turns + turns
        self.scheduler.wait(lambda: self.scheduler.turns >= until)

    def until(self, condition: Callable[[], bool], within_s: float) -> None:
        """Wait for a condition; it fails after so many virtual seconds, with the whole story."""
        deadline = self.now + within_s
        while not condition():
            if self.now >= deadline:
                raise AssertionError(f"not within {within_s:g} s:\n{self.history.story()}")
            self.pass_time(LOOK_EVERY_S)

    def is_quiet(self) -> bool:
        """Whether every client has ended and nothing is ready, waiting or running in the store."""
        if self._clients:
            return False
        counts = self.store.overview(self.store.queues()).queues
        return not any(queue.ready or queue.waiting or queue.running for queue in counts)
