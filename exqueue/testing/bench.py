"""Working the queues of a stand-in: fetch, run and settle, one job after the other, in the thread of the test."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from exqueue.actors.announcer import Announcer
from exqueue.actors.tables import RegisteredJob, jobs_table, queues_table, subscribers_table, worker_of
from exqueue.codec import learn_parameters
from exqueue.execution import Run
from exqueue.messages import JobStarted
from exqueue.persistence.values import MAX_BATCH, Fence, GiveBack, Leave
from exqueue.testing.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.execution import Outcome
    from exqueue.job import JobDefinition
    from exqueue.persistence.values import Exchanged, Settlement, State
    from exqueue.record import Record
    from exqueue.testing.place import Place

SEAT: Final = 1

STATES: Final[tuple[State, ...]] = ("ready", "waiting")
"""In which a job can wait for its turn."""

LEASE_S: Final = 1e9
"""Nobody else wants the lock."""

PAST_DUE_S: Final = 0.001
"""So much later than its time a job is looked at, as sums of seconds are not exact."""

MOST_RUNS: Final = 10_000
"""So many runs are enough for one drain: jobs that always enqueue others would go on for ever."""


Jobs = set[tuple[str, str]]
"""Queue and id of each."""


class Ended(NamedTuple):
    """A run that was settled."""

    id: str
    queue: str
    outcome: Outcome


class Bench:
    """The one that works all queues of a place. The decisions are `exqueue.execution`'s and the persistence's.

    Args:
        place: where.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._board = place.context.board
        self._calls: dict[str, int] = {}
        self._lock = threading.Lock()
        self._fence = self._acquired()
        self.workbench = Workbench(place.settings, place.context, self._tell_begun)

    def know(self, definition: JobDefinition) -> None:
        """Let the jobs of a class be run that nobody has started; one that was started or stopped stays as it is.

        Raises:
            ConfigError: another class of its name is known.
        """
        known = jobs_table(self._board).get(definition.name)
        if known is not None and known.definition.target is definition.target:
            return
        queue = queues_table(self._board).get(definition.queue)
        options = definition.options
        if queue is not None:
            # Whoever starts it may say something else of the queue than the class does.
            options = replace(options, concurrency=queue.concurrency, serial=queue.serial)
        self._place.register.add(definition, options)
        learn_parameters(self._place.settings.codec, definition.perform)

    # -- running
    def run_ready(self, only: Jobs | None = None, most: int = MOST_RUNS) -> list[Ended]:
        """Run all that is ready, also of what is enqueued meanwhile.

        Args:
            only: those that are run, each once; it is taken out of here.
            most: runs, at least 1.

        Raises:
            AssertionError: there are more.
        """
        ended: list[Ended] = []
        held: list[tuple[str, GiveBack]] = []
        while one := self._run_next(only, held):
            ended.append(one)
            if len(ended) >= most:
                raise AssertionError(
                    f"{MOST_RUNS:,} jobs have run and there are more: do they always enqueue others? recursive=False "
                    "runs only those that were there before"
                )
        for queue, back in held:
            self._exchange(queue, [back], 0)
        return ended

    def run_all(self, only: Jobs | None = None) -> list[Ended]:
        """As `run_ready`, and what waits for a later time: the clock goes on to each. What is put off is not chased."""
        ended = self.run_ready(only)
        postponed = {(one.queue, one.id) for one in ended if one.outcome.verdict == "postponed"}
        while (due_in := self._next_due_in(only, postponed)) is not None:
            self._place.clock.advance(due_in)
            now_ended = self.run_ready(only, MOST_RUNS - len(ended))
            postponed |= {(one.queue, one.id) for one in now_ended if one.outcome.verdict == "postponed"}
            ended += now_ended
        return ended

    def run_for(self, seconds: float) -> list[Ended]:
        """As `run_ready`, and what falls due within so many seconds, which pass: each at its time."""
        clock = self._place.clock
        until = clock.ahead_s + seconds
        ended = self.run_ready()
        while (due_in := self._next_due_in(None, set())) is not None and clock.ahead_s + due_in <= until:
            clock.advance(due_in)
            ended += self.run_ready()
        clock.advance(max(0.0, until - clock.ahead_s))
        return ended + self.run_ready()

    def _run_next(self, only: Jobs | None, held: list[tuple[str, GiveBack]]) -> Ended | None:
        for queue in self._place.session.queues():
            while (run := self._fetch(queue)) is not None:
                if only is None or (queue, run.id) in only:
                    if only is not None:
                        only.remove((queue, run.id))
                    return self._finish(run)
                held.append((queue, GiveBack(run.id, run.run)))
        return None

    def _finish(self, run: Run) -> Ended:
        outcome = self.workbench.run(run, jobs_table(self._board))
        self._exchange(run.queue, [outcome.settlement], 0)
        node, listeners = self._place.settings.config.node, self._place.listeners
        Announcer(run.queue, node, self._board, self._place.clock, listeners.tell).ended(run.key, outcome)
        return Ended(run.id, run.queue, outcome)

    def _tell_begun(self, run: Run, record: Record, attempt: int) -> None:
        if not subscribers_table(self._board):
            return
        event = JobStarted(
            id=run.id,
            job=record.job,
            queue=run.queue,
            node=self._place.settings.config.node,
            worker=worker_of(run.queue, 1),
            attempt=attempt,
            at=self._place.clock.time(),
        )
        self._place.listeners.tell("reporter", event)

    # -- the persistence, as the owner of each queue calls it
    def _fetch(self, queue: str) -> Run | None:
        answer, call = self._exchange(queue, [], 1)
        if not answer.jobs:
            return None
        job = answer.jobs[0]
        return Run(queue, job.id, job.run, job.record, job.trail, job.recoveries, self._fence.epoch, SEAT, call)

    def _exchange(self, queue: str, settlements: Sequence[Settlement], want: int) -> tuple[Exchanged, int]:
        session = self._place.session
        with self._lock:
            if queue not in self._calls:
                self._calls[queue] = session.claim(queue, self._fence, SEAT).call
            settings = queues_table(self._board).get(queue)
            serial = settings is not None and settings.serial
            call = self._calls[queue] + 1
            leave = Leave(suspect=True)
            answer = session.exchange(queue, self._fence, SEAT, call, settlements, want, serial=serial, leave=leave)
            self._calls[queue] = call
        return answer, call

    def _acquired(self) -> Fence:
        settings = self._place.settings
        fence = self._place.session.acquire(settings.config.node, settings.token, LEASE_S, 0)
        assert isinstance(fence, Fence)  # noqa: S101 - nobody else knows this store
        return fence

    # -- what is there
    def stored(self, *, waiting: bool) -> Jobs:
        """Queue and id of all jobs that are ready or due, and of those that wait for later."""
        now, session = self._place.clock.time(), self._place.session
        found: Jobs = set()
        for queue in session.queues():
            for state in STATES:
                offset = 0
                while page := session.list_jobs(queue, state, MAX_BATCH, offset):
                    found |= {(queue, job.id) for job in page if waiting or (job.due_at or 0.0) <= now}
                    offset += len(page)
        return found

    def _next_due_in(self, only: Jobs | None, but_not: Jobs) -> float | None:
        """In how many seconds the next of these waiting jobs falls due; ``None`` when none waits."""
        session = self._place.session
        due = [
            job.due_at
            for queue in session.queues()
            for job in session.list_jobs(queue, "waiting", MAX_BATCH, 0)
            if job.due_at is not None and (queue, job.id) not in but_not and (only is None or (queue, job.id) in only)
        ]
        return max(0.0, min(due) - self._place.clock.time()) + PAST_DUE_S if due else None


def registered(definition: JobDefinition | None, board_jobs: dict[str, RegisteredJob]) -> dict[str, RegisteredJob]:
    """The job classes that are known, and this one, with the options of its class unless it is known."""
    jobs = dict(board_jobs)
    if definition is not None and definition.name not in jobs:
        jobs[definition.name] = RegisteredJob(definition, definition.options)
    return jobs
