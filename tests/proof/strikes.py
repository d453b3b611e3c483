"""What each kind of fault does to a world."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from exqueue.testing.simulation.callbacks import CALLBACKS
from exqueue.testing.simulation.weather import Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exqueue.testing.simulation.weather import Refuses
    from exqueue.testing.simulation.world import Node, World
    from tests.proof.load import Load
    from tests.proof.oracle import Oracle, Saved
    from tests.proof.plan import Fault, Kind

BADLY = 0.3
"""The highest chance that a call meets what the weather has for it."""

LONGEST_WAY_S = 1.5
"""How slow a way may become: less than the time-out of a verb."""

RESTART_S = 2.0
"""How long a server takes at most to be there again."""

CLOCKS_JUMP_S = 100_000.0
"""By how much a wall clock jumps at most, either way."""

SAVED_EVERY_S = 5.0
"""How often the store writes a snapshot that it may go back to."""

CALLERS = ("producer", "operator", "listener", "leader", "reporter", "queues/{queue}/fetcher")
"""The actors that call the persistence."""


class Strikes:
    """Carries out the faults of one plan, each when its time has come, and mends what lasts when it is over."""

    def __init__(self, world: World, load: Load, oracle: Oracle, lock_ttl: float, shutdown_timeout: float) -> None:
        self._world = world
        self._load = load
        self._oracle = oracle
        self._lock_ttl = lock_ttl
        self._shutdown_timeout = shutdown_timeout
        self._saved: list[Saved] = [oracle.save()]
        self._born = self._saved[0]
        self._starting: set[str] = set()
        self._numbers = itertools.count()
        self._weathers: dict[int, Callable[[Faults], Faults]] = {}
        self._refusals: dict[int, Refuses] = {}
        self._does: dict[Kind, Callable[[Fault], bool]] = {
            "kill": lambda fault: self._kill(self._pick(self._up(), fault), fault),
            "kill leader": lambda fault: self._kill(self._leader(), fault),
            "freeze": lambda fault: self._freeze(self._pick(self._up(), fault), fault),
            "freeze leader": lambda fault: self._freeze(self._leader(), fault),
            "stop": self._stop,
            "raise in message": self._raise_in_message,
            "raise in call": self._raise_in_call,
            "raise in callback": self._raise_in_callback,
            "lost requests": lambda it: self._weather(it, lambda now: replace(now, lost_requests=BADLY * it.pick)),
            "late requests": lambda it: self._weather(it, lambda now: replace(now, late_requests=BADLY * it.pick)),
            "requests twice": lambda it: self._weather(it, lambda now: replace(now, twice=BADLY * it.pick)),
            "lost answers": lambda it: self._weather(it, lambda now: replace(now, lost_answers=BADLY * it.pick)),
            "slow answers": lambda it: self._weather(it, lambda now: replace(now, slow_answers=BADLY * it.pick)),
            "lost signals": lambda it: self._weather(it, lambda now: replace(now, lost_signals=it.pick)),
            "slow ways": lambda it: self._weather(it, lambda now: replace(now, way_s=LONGEST_WAY_S * it.pick)),
            "outage": lambda fault: self._go_out(fault.lasts_s),
            "loading": lambda fault: self._refuse(fault, "loading"),
            "read-only": lambda fault: self._refuse(fault, "read-only"),
            "full": lambda fault: self._refuse(fault, "full"),
            "server restart": lambda fault: self._go_out(RESTART_S * fault.pick),
            "go back": self._go_back,
            "flush": self._flush,
            "clock jump": self._clock_jump,
        }

    def strike(self, fault: Fault) -> bool:
        """Let it happen, now. ``False`` when there is nobody whom it could strike."""
        self._world.note("faults", "strikes", str(fault))
        self._oracle.troubled_at = max(self._oracle.troubled_at, self._world.now + fault.lasts_s)
        if fault.kind != "stop":
            self._oracle.shaken_at = self._oracle.troubled_at
        return self._does[fault.kind](fault)

    def save(self) -> None:
        """Have the store write a snapshot."""
        self._saved.append(self._oracle.save())

    # -- nodes
    def _up(self) -> list[Node]:
        return [node for node in self._world.nodes.values() if not node.has_ended and not node.owner.is_frozen]

    def _pick(self, among: Sequence[Node], fault: Fault) -> Node | None:
        return among[int(fault.pick * len(among))] if among else None

    def _leader(self) -> Node | None:
        leader = self._world.leader
        return leader if leader in self._up() else None

    def _kill(self, node: Node | None, fault: Fault) -> bool:
        if node is None:
            return False
        self._world.kill(node)
        self._later(fault.lasts_s, lambda: self.start(node.name))
        return True

    def start(self, name: str) -> None:
        """Start a node under a name that has ended, as whoever looks after it does; all its queues at once."""
        if name in self._starting or (name in self._world.nodes and not self._world.nodes[name].has_ended):
            return
        self._starting.add(name)
        self._oracle.stopping.pop(name, None)
        node = self._world.start_node(name, lock_ttl=self._lock_ttl, shutdown_timeout=self._shutdown_timeout)
        self._starting.remove(name)
        self._load.work_on(node)

    def _freeze(self, node: Node | None, fault: Fault) -> bool:
        if node is None:
            return False
        self._world.freeze(node)
        self._later(fault.lasts_s, lambda: self._world.thaw(node))
        return True

    def _stop(self, fault: Fault) -> bool:
        node = self._pick(self._up(), fault)
        return node is not None and self._stop_node(node, fault)

    def _stop_node(self, node: Node, fault: Fault) -> bool:
        if node.name in self._oracle.stopping:
            return False
        self._world.note(node.name, "stops", "")
        self._oracle.stopping[node.name] = self._world.now + self._shutdown_timeout
        node.system.stop(block=False)

        def start_again() -> None:
            while not node.has_ended:
                self._world.pass_time(0.5)
            self._world.pass_time(fault.lasts_s)
            self.start(node.name)

        self._later(0.0, start_again)
        return True

    def _later(self, delay_s: float, act: Callable[[], None]) -> None:
        """Do it beside all else; it may wait."""

        def body() -> None:
            self._world.pass_time(delay_s)
            act()

        self._world.client("mender", body)

    # -- actors
    def _path(self, among: Sequence[str], fault: Fault) -> str:
        queues = tuple(self._load.started)
        return among[int(fault.aim * len(among))].format(queue=queues[int(fault.lasts_s * 1000) % len(queues)])

    def _raise_in_message(self, fault: Fault) -> bool:
        node = self._pick(self._up(), fault)
        paths = [path for path in node.table("tree") if path and node.system.urn_of(path) is not None] if node else []
        if node is None or not paths:
            return False
        return self._crash(node, self._path(paths, fault))

    def _crash(self, node: Node, path: str) -> bool:
        try:
            self._world.crash(node, path)
        except LookupError:
            # It is about to end already.
            return False
        return True

    def _raise_in_call(self, fault: Fault) -> bool:
        node = self._pick(self._up(), fault)
        if node is None:
            return False
        self._world.crash_in_call(node, self._path(CALLERS, fault))
        return True

    def _raise_in_callback(self, fault: Fault) -> bool:
        node = self._pick(self._up(), fault)
        paths = [path for path in node.table("tree") if path] if node else []
        if node is None or not paths:
            return False
        callback = CALLBACKS[int(fault.lasts_s * 1000) % len(CALLBACKS)]
        path = self._path(paths, fault)
        self._world.crash_in_callback(node, path, callback)
        if callback in {"on_start", "on_failure"}:
            # It comes to these when it fails.
            self._crash(node, path)
        if callback == "on_stop":
            self._stop_node(node, fault)
        return True

    # -- the store, and the way there
    def _weather(self, fault: Fault, change: Callable[[Faults], Faults]) -> bool:
        number = next(self._numbers)
        self._weathers[number] = change
        self._settle_weather()

        def over() -> None:
            del self._weathers[number]
            self._settle_weather()

        self._world.scheduler.after(fault.lasts_s, over)
        return True

    def _settle_weather(self) -> None:
        faults = Faults()
        for change in self._weathers.values():
            faults = change(faults)
        self._world.network.faults = faults

    def _refuse(self, fault: Fault, how: Refuses) -> bool:
        number = next(self._numbers)
        self._refusals[number] = how
        self._world.network.refuses = how

        def over() -> None:
            del self._refusals[number]
            self._world.network.refuses = next(reversed(self._refusals.values()), None)

        self._world.scheduler.after(fault.lasts_s, over)
        return True

    def _go_out(self, lasts_s: float) -> bool:
        self._world.network.go_out(lasts_s)
        return True

    def _go_back(self, fault: Fault) -> bool:
        self._world.network.go_out(RESTART_S * fault.aim)
        self._oracle.go_back(self._saved[-1 - int(fault.pick * min(3, len(self._saved)))])
        return True

    def _flush(self, _: Fault) -> bool:
        self._oracle.go_back(self._born)
        return True

    def _clock_jump(self, fault: Fault) -> bool:
        node = self._pick(self._up(), fault)
        if node is None:
            return False
        node.clock.is_ahead_s += CLOCKS_JUMP_S * (2 * fault.aim - 1)
        return True
