"""A system without threads: its real actors handle what is sent to them in the thread of whoever waits."""

from __future__ import annotations

import heapq
import itertools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exqueue.actors.announcer import Announcer
from exqueue.actors.beat import encode_beat, present_beat
from exqueue.actors.operator import Operator
from exqueue.actors.producer import Producer
from exqueue.actors.register import Register
from exqueue.actors.reporter import Reporter
from exqueue.actors.settings import NodeSettings
from exqueue.actors.tables import RegisteredJob, jobs_table, queues_table
from exqueue.codec import default_codec, learn_parameters
from exqueue.errors import ConfigError
from exqueue.execution import Run
from exqueue.messages import StartWorker, StopWorker
from exqueue.persistence.memory import MemoryPersistence
from exqueue.persistence.values import Fence, GiveBack
from exqueue.supervision import Actor, ActorContext, Board, Names, Reply, ThreadRuntime
from exqueue.testing.loop import Loop
from exqueue.testing.running import Place, end_test_if_meant, run_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from exqueue.config import SystemConfig
    from exqueue.job import JobDefinition
    from exqueue.persistence.values import Settlement
    from exqueue.supervision import Envelope
    from exqueue.testing.clock import VirtualClock
    from exqueue.testing.running import Ran

FOR_EVER_S = 1e12
"""A lease and a beat that no test outlives."""


class BenchReply(Reply[Any]):
    """A reply for which its asker lets the actors work."""

    __slots__ = ("_work",)

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self._work = work

    def get(self, *, timeout: float | None = None) -> Any:
        """See `Reply.get`."""
        if not self.is_answered():
            self._work()
        return super().get(timeout=timeout)


class BenchRuntime(ThreadRuntime):
    """Virtual time, whose timers fire when somebody works. Threads are started for subscribers only."""

    def __init__(self, clock: VirtualClock, work: Callable[[], None]) -> None:
        super().__init__(clock)
        self._work = work
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._cancelled: set[int] = set()

    def reply(self) -> Reply[Any]:
        """See `Runtime.reply`."""
        return BenchReply(self._work)

    def after(self, delay_s: float, callback: Callable[[], None]) -> Callable[[], None]:
        """See `Runtime.after`."""
        number = next(self._numbers)
        heapq.heappush(self._due, (self.clock.monotonic() + delay_s, number, callback))
        return lambda: self._cancelled.add(number)

    def fire(self) -> None:
        """Call back whose time has come."""
        while self._due and self._due[0][0] <= self.clock.monotonic():
            _, number, callback = heapq.heappop(self._due)
            if number not in self._cancelled:
                callback()
            self._cancelled.discard(number)


class Registrar(Actor):
    """Takes the place of Queues: notes what is started; there are no actors of a queue to start."""

    def __init__(self, context: ActorContext, *, settings: NodeSettings) -> None:
        super().__init__(context)
        self._settings = settings
        self._register = Register(self.board)
        self._session = settings.persistence.session(timeout=1.0)
        self.stopped: set[str] = set()

    def on_receive(self, message: Any) -> Any:
        """Handle a message; see `exqueue.actors.protocol`."""
        match message:
            case StartWorker():
                self._register.add(message.definition, message.options)
                learn_parameters(self._settings.codec, message.definition.perform)
                self.stopped.discard(message.definition.queue)
            case StopWorker():
                if not self._register.stop(message.definition):
                    self._register.forget(message.definition.queue)
                    self.stopped.add(message.definition.queue)
            case _:
                return None
        beat = encode_beat(present_beat(self.board, self.clock))
        self._session.beat(self._settings.config.node, beat, FOR_EVER_S)
        return message.definition.queue


@dataclass(slots=True)
class _Queue:
    """A queue that is worked here."""

    announcer: Announcer
    calls: int = 0


class Bench:
    """A store in memory, the actors that answer, and jobs that are run one at a time, when they are asked for.

    Args:
        config: of the system.
        clock: by which all of it goes.
    """

    def __init__(self, config: SystemConfig, clock: VirtualClock) -> None:
        self.clock = clock
        self._lock = threading.RLock()
        self.runtime = BenchRuntime(clock, self.work)
        persistence = MemoryPersistence(clock=clock.time)
        token = self.runtime.token(8).hex()
        self.settings = NodeSettings(config, persistence, default_codec(), token)
        self.board, self.names = Board(), Names()
        self.session = persistence.session(timeout=1.0)
        fence = self.session.acquire(config.node, token, FOR_EVER_S, 0)
        assert isinstance(fence, Fence)  # noqa: S101 - nobody else knows of this store
        self._fence = fence
        self._queues: dict[str, _Queue] = {}
        self.registrar = Registrar(self._context("queues"), settings=self.settings)
        self.producer = Producer(self._context("producer"), settings=self.settings)
        self._reporter = Reporter(self._context("reporter"), settings=self.settings)
        self._actors: tuple[Actor, ...] = (
            self.registrar,
            self.producer,
            Operator(self._context("operator"), settings=self.settings),
            self._reporter,
        )
        for actor in self._actors:
            self.names.register(actor.name, actor.actor_ref)
        jobs = jobs_table(self.board)
        self.place = Place(config.node, self.settings.codec, clock, self.runtime.random(), jobs, Loop())

    def _context(self, name: str) -> ActorContext:
        return ActorContext(name=name, runtime=self.runtime, names=self.names, board=self.board)

    def work(self) -> None:
        """Let the actors handle all that was sent to them, but for one that this is called from."""
        with self._lock:
            self.runtime.fire()
            while any(_has_a_turn(actor) for actor in self._actors):
                self.runtime.fire()

    def close(self) -> None:
        """Let go of what subscribers were given."""
        with self._lock:
            self.work()
            self._reporter.on_stop()
        self.place.loop.close()
        self.runtime.close()
        self.settings.persistence.close()

    # -- jobs
    def know(self, definition: JobDefinition) -> None:
        """A job class that a test enqueues is run without `StartWorker`, with its own options.

        Raises:
            ConfigError: another class of this name was enqueued or started before.
        """
        jobs = jobs_table(self.board)
        known: RegisteredJob = jobs.setdefault(definition.name, RegisteredJob(definition, definition.options))
        if known.definition.target is not definition.target:
            raise ConfigError(f"two job classes are named {definition.name} in this test; set name= on one of them")
        for alias in definition.aliases:
            jobs.setdefault(alias, known)
        learn_parameters(self.settings.codec, definition.perform)

    def queues(self) -> tuple[str, ...]:
        """Those that are worked: all but the ones that `StopWorker` ended."""
        return tuple(name for name in self.session.queues() if name not in self.registrar.stopped)

    def fetch(self, queue: str) -> Run | None:
        """The next job of a queue, if one may run now; it runs from then on until it is settled."""
        with self._lock:
            answer = self._exchange(queue, (), 1)
            if not answer.jobs:
                return None
            job = answer.jobs[0]
            call = self._queues[queue].calls
            return Run(queue, job.id, job.run, job.record, job.trail, job.recoveries, self._fence.epoch, 1, call)

    def run(self, run: Run) -> Ran:
        """Run a job that was fetched, and settle it."""
        ran = run_here(run, self.place)
        with self._lock:
            self._exchange(run.queue, (ran.outcome.settlement,), 0)
            self._queues[run.queue].announcer.ended(run.key, ran.outcome)
        self.work()
        end_test_if_meant(ran)
        return ran

    def give_back(self, runs: Iterable[Run]) -> None:
        """Put jobs that were fetched back where they were."""
        with self._lock:
            for run in runs:
                self._exchange(run.queue, (GiveBack(*run.key),), 0)

    def _exchange(self, queue: str, settlements: tuple[Settlement, ...], want: int) -> Any:
        owned = self._queues.get(queue)
        if owned is None:
            self.session.claim(queue, self._fence, 1)
            node = self.settings.config.node
            announcer = Announcer(queue, node, self.board, self.clock, self.names.tell)
            owned = self._queues[queue] = _Queue(announcer)
        owned.calls += 1
        serial = self._is_serial(queue)
        return self.session.exchange(queue, self._fence, 1, owned.calls, settlements, want, serial=serial)

    def _is_serial(self, queue: str) -> bool:
        started = queues_table(self.board).get(queue)
        if started is not None:
            return bool(started.serial)
        jobs: list[RegisteredJob] = list(jobs_table(self.board).values())
        return any(one.options.serial for one in jobs if one.definition.queue == queue)


def _has_a_turn(actor: Actor) -> bool:
    if actor.inbox.empty() or actor.inbox.in_hand is not None:
        return False
    envelope: Envelope = actor.inbox.get()
    actor._handle(envelope)  # noqa: SLF001 - a turn as in its own thread: the reply, refusals and the end of the turn
    return True
