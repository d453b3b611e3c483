"""Jobs that live in virtual time, and clients that enqueue them until they know that each is stored."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exqueue import AskTimeout, ConfigError, Enqueue, ExqueueError, StartWorker, StopWorker, current_job, job

if TYPE_CHECKING:
    from exqueue.testing.simulation.world import Node, World

FAST, SERIAL = "fast", "serial"
LONGEST_S = 0.4
"""How long a job takes at most."""

LONGEST_UNKNOWN_S = 20.0
"""How long, outages apart, a client waits until it takes for lost what may or may not have been sent."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A job to be enqueued: it takes ``lasts_s`` and raises at its first so many runs."""

    id: str
    queue: str
    lasts_s: float
    raises: int


class Workload:
    """Jobs of two queues, one of them serial.

    Of each run the history has ``begins``, then ``succeeds`` or ``fails``; a run that its node did not survive has no
    end.
    """

    def __init__(self, world: World, jobs: int) -> None:
        self._world = world
        chance = world.random
        self.jobs = tuple(
            Planned(f"{queue}-{number:02}", queue, chance.random() * LONGEST_S, int(chance.random() < 0.2))
            for number in range(jobs)
            for queue in (FAST if number % 3 else SERIAL,)
        )
        self._left_to_raise = {planned.id: planned.raises for planned in self.jobs}
        self._fast = job(name="Fast", queue=FAST, concurrency=3, backoff=0.7)(self._perform_fast)
        self._serial = job(name="Serial", queue=SERIAL, serial=True, backoff=0.7)(self._perform_serial)

    # -- the jobs
    def _perform_fast(self, *, lasts_s: float) -> None:
        self._run(lasts_s)

    def _perform_serial(self, *, lasts_s: float) -> None:
        self._run(lasts_s)

    def _run(self, lasts_s: float) -> None:
        it = current_job()
        assert it is not None
        self._world.note_here("begins", it.id)
        self._world.scheduler.sleep(lasts_s)
        if self._left_to_raise[it.id]:
            self._left_to_raise[it.id] -= 1
            self._world.note_here("fails", it.id)
            raise ValueError("simulated")
        self._world.note_here("succeeds", it.id)

    # -- who starts and enqueues them
    def work_on(self, node: Node) -> None:
        """Start both queues there."""
        for one in (self._fast, self._serial):
            node.system.ask(StartWorker(one))

    def stop_work_on(self, node: Node) -> None:
        """Stop one of the queues there, if it is started."""
        with suppress(ConfigError):
            node.system.ask(StopWorker(self._world.random.choice((self._fast, self._serial))))

    def enqueue_from(self, clients: int) -> None:
        """Have so many clients enqueue all jobs, each its own share in order, at any living node."""
        for number in range(clients):
            share = self.jobs[number::clients]
            self._world.client(f"client-{number}", lambda share=share: self._enqueue_all(share))  # type: ignore[misc]

    def _enqueue_all(self, share: tuple[Planned, ...]) -> None:
        for planned in share:
            self._world.pass_time(self._world.random.random() * 0.3)
            while not self._is_stored(planned):
                self._world.pass_time(0.5)

    def _is_stored(self, planned: Planned) -> bool:
        function: Any = self._fast if planned.queue == FAST else self._serial
        node = self._world.random.choice(self._world.living)
        try:
            node.system.ask(Enqueue(function, {"lasts_s": planned.lasts_s}, id=planned.id))
        except AskTimeout as unanswered:
            self._world.note_here("unanswered", f"{planned.id} by {node.name}, stored: {unanswered.stored}")
            return unanswered.stored == "unknown" and self._becomes_known(planned)
        except ExqueueError:
            return False
        self._world.note_here("stored", planned.id)
        return True

    def _becomes_known(self, planned: Planned) -> bool:
        """Wait for what may still be sent: to ask again could run it again once it has succeeded."""
        patience_s = LONGEST_UNKNOWN_S
        while not self._is_known(planned):
            if not self._world.network.is_out:
                patience_s -= 0.5
            if patience_s <= 0:
                return False
            self._world.pass_time(0.5)
        return True

    def _is_known(self, planned: Planned) -> bool:
        is_there = self._world.store.get_jobs(planned.id, (planned.queue,))
        return bool(is_there) or self._world.history.count("begins", planned.id) > 0
