"""Job classes run through the crashes that a machine would show once a year: between any two of their side effects."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Self, TypeVar, Unpack

from exqueue.errors import ConfigError, ExqueueError
from exqueue.job import define
from exqueue.messages import Enqueue, StartWorker
from exqueue.testing.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from exqueue.job import AnyJob
    from exqueue.messages import Message
    from exqueue.options import RunOptions
    from exqueue.testing.simulation.world import Node

P = ParamSpec("P")
R = TypeVar("R")

Crash = Literal["kill", "freeze"]
"""``kill``: the node is gone, the other takes its jobs over. ``freeze``: it stands still until the other has taken them
over, and then goes on where it was, not knowing."""

CRASHES: tuple[Crash, ...] = ("kill", "freeze")

NODES = ("node-1", "node-2")

LEASE_S = 10.0
FROZEN_S = 2 * LEASE_S
RESTARTED_AFTER_S = 1.0
WITHIN_S = 3_600.0
"""In how much virtual time all jobs must have run to their end. (It takes some ten seconds of real time.)"""

MOST_CRASHES = 2
"""How many crashes a seed draws at most: one more, and by default a job is taken for poison and buried."""

WRAPPED = "_exqueue_side_effect"
"""The attribute that a side effect is known by, through other decorators as well."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """What `simulate` did.

    Args:
        points: how many places of a crash there are in a run in which nothing goes wrong: two a side effect.
        runs: how often the scenario was run.
        crashes: how many there were in all of them. What is planned at a place that its run does not come to is none.
    """

    points: int
    runs: int
    crashes: int


def simulate(scenario: Callable[[Simulation], None], *, seeds: Iterable[int] = range(100)) -> Simulated:
    """Run a scenario again and again, with crashes before and after each of its side effects.

    First once with none. Then, for each place of a crash that this run had, once with the node killed there and once
    with it frozen there for longer than its lease. Then once a seed, with up to `MOST_CRASHES` crashes in places that
    the seed draws; two nodes are there, and what is killed is started again. Time is virtual: a minute of it, in which
    only back-offs run, takes a fraction of a second.

    Args:
        scenario: sets its world up, starts and enqueues jobs, calls `Simulation.run` and asserts what must hold then.
            It is called once a run and must depend on nothing but what it is given: the same crashes have to show the
            same again.
        seeds: of what is drawn.

    Raises:
        BaseException: whatever the scenario raises, with a note that says which crashes led to it, in which order
            things happened, and how to run it alone. (There is no note to a ``KeyboardInterrupt``.)
        ConfigError: a job is async or calls a side effect in a thread, which a simulation can't run; or there is
            nothing to try, since the scenario does not call `Simulation.run` or none of its jobs has a side effect.
    """
    points = _places(_try(scenario, {}, 0, "with no crash"))
    tried: list[int] = []
    for crash in CRASHES:
        for at in range(points):
            how = f"with the node {_done(crash)} at place {at} of {points}"
            tried.append(_try(scenario, {at: crash}, 0, how).crashes)
    tried += [_try(scenario, _drawn(seed, points), seed, f"simulate(..., seeds=[{seed}])").crashes for seed in seeds]
    return Simulated(points, 1 + len(tried), sum(tried))


def _places(uncrashed: Simulation) -> int:
    """How many places of a crash there are to try."""
    if not uncrashed.has_run:
        raise ConfigError(
            "the scenario did not call run(), so nothing was tried: call simulation.run() after jobs are enqueued"
        )
    if not uncrashed.points:
        raise ConfigError(
            "no job called a side effect in run(), so nothing was tried: enqueue jobs before, "
            "and make what they do to the world simulation.side_effect(...)"
        )
    return uncrashed.points


def _drawn(seed: int, points: int) -> dict[int, Crash]:
    chance = random.Random(seed)
    # A job that is run again has its places again: there are more of them than in a run with no crash.
    places = [chance.randrange(2 * points + 1) for _ in range(1 + chance.randrange(MOST_CRASHES))]
    return {at: chance.choice(CRASHES) for at in places}


def _done(crash: Crash) -> str:
    return "killed" if crash == "kill" else "frozen"


def _try(scenario: Callable[[Simulation], None], plan: dict[int, Crash], seed: int, how: str) -> Simulation:
    """Run the scenario once."""
    with Simulation(seed, plan) as simulation:
        try:
            scenario(simulation)
            simulation.check_threads()
        except KeyboardInterrupt:
            raise
        # `pytest.fail` raises no `Exception`.
        except BaseException as error:
            error.add_note(f"Exqueue simulated this {how}:\n{simulation.story()}")
            raise
        return simulation


class Simulation:
    """One run of a scenario, as `simulate` gives it.

    Args:
        seed: decides the order of all that happens at once.
        plan: at which places of a crash which crash is.

    Attributes:
        points: how many places of a crash there were until now.
        crashes: how many crashes.
        has_run: whether `run` was called.
    """

    def __init__(self, seed: int = 0, plan: dict[int, Crash] | None = None) -> None:
        self.points = self.crashes = 0
        self.has_run = False
        self._refused: ConfigError | None = None
        self._plan = {} if plan is None else plan
        self._world = World(seed)
        self._started: list[StartWorker] = []

    def __enter__(self) -> Self:
        self._world.__enter__()
        for name in NODES:
            self._start_node(name)
        self._client = self._world.start_node("client")
        return self

    def __exit__(self, *_: object) -> None:
        self._world.__exit__()

    # -- what a scenario does
    def start(self, *jobs: AnyJob, **options: Unpack[RunOptions]) -> None:
        """Start job classes on both nodes, as `StartWorker` does.

        Args:
            jobs: the classes and functions.
            options: of all of them; a short ``backoff`` is best where jobs fail.

        Raises:
            ConfigError: one is async, or what `StartWorker` refuses.
        """
        for one in jobs:
            if define(one).is_async:
                raise ConfigError(f"{define(one).name} is async, and a simulation has no event loop")
        started = [StartWorker(one, **options) for one in jobs]
        self._started += started
        for name in NODES:
            for message in started:
                self._world.nodes[name].system.ask(message)

    def enqueue(self, job: AnyJob, kwargs: dict[str, Any] | None = None, **options: Any) -> str:
        """Enqueue a job; ``options`` as in `Enqueue`. Returns its id."""
        return self.ask(Enqueue(job, kwargs or {}, **options))

    def ask(self, message: Message[R]) -> R:
        """Ask a system that runs no jobs and does not crash: `ListJobs`, `RetryDead`, ..."""
        return self._client.system.ask(message)

    def side_effect(self, function: Callable[P, R]) -> Callable[P, R]:
        """Make a function a side effect: the node may crash just before and just after each call by a job.

        A call from outside of jobs, as from the scenario itself, is none. One in a thread, or in another run than that
        which made it, raises ``ConfigError`` and does nothing.

        Raises:
            ConfigError: the function is one already, as an earlier run may have left it in a global.
        """
        name = getattr(function, "__name__", repr(function))
        # A mock has whatever attribute it is asked for.
        if getattr(function, WRAPPED, None) is True:
            raise ConfigError(
                f"{name} is a side effect already: a scenario makes its world anew, and wraps what is none"
            )

        @wraps(function)
        def with_crashes(*args: P.args, **kwargs: P.kwargs) -> R:
            self._crash_here(f"before {name}")
            answer = function(*args, **kwargs)
            self._crash_here(f"after {name}")
            return answer

        setattr(with_crashes, WRAPPED, True)
        return with_crashes

    def run(self) -> None:
        """Let time pass until every job has succeeded or is dead.

        Raises:
            AssertionError: one has not after `WITHIN_S` virtual seconds.
            ConfigError: a side effect was called in a thread. (It raised there as well.)
        """
        self.has_run = True
        self._world.until(self._world.is_quiet, WITHIN_S)
        self.check_threads()

    def check_threads(self) -> None:
        """Raise if a side effect was called in a thread, where nobody may have looked at what it raised."""
        if self._refused is not None:
            raise self._refused

    def note(self, what: str) -> None:
        """Write something into the story."""
        self._world.note_here("notes", what)

    def story(self) -> str:
        """What has happened so far, an event a line: virtual seconds, step, node, event."""
        return self._world.history.story()

    # -- crashes
    def _start_node(self, name: str) -> None:
        node = self._world.start_node(name, lock_ttl=LEASE_S)
        for message in self._started:
            with suppress(ExqueueError):
                node.system.ask(message)

    def _crash_here(self, where: str) -> None:
        try:
            _, owner = self._world.scheduler.current()
        except ConfigError as error:
            self._refused = error
            raise
        node = self._world.nodes.get(owner.name)
        if node is None:
            return
        if self._world.scheduler.is_over:
            # A job's clean-up, run as its greenlet is ended: a process that died would not have come to it.
            self._world.scheduler.vanish()
        crash = self._plan.get(self.points)
        self.points += 1
        self.crashes += crash is not None
        if crash == "kill":
            self._world.note_here("crashes", f"killed {where}")
            self._later(RESTARTED_AFTER_S, lambda: self._start_node(node.name))
            self._world.kill_here()
        elif crash == "freeze":
            self._world.note_here("crashes", f"frozen {where}")
            self._freeze_here(node)

    def _freeze_here(self, node: Node) -> None:
        self._world.freeze(node)
        self._later(FROZEN_S, lambda: self._world.thaw(node))
        self._world.scheduler.give_way()

    def _later(self, delay_s: float, act: Callable[[], None]) -> None:
        def body() -> None:
            self._world.pass_time(delay_s)
            act()

        self._world.client("mender", body)
