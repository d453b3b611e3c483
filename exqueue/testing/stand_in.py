"""The system that a test has in the place of a started one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, Self

from exqueue.errors import SystemStopped
from exqueue.execution import Run, is_inside_job
from exqueue.intake import stored
from exqueue.job import define
from exqueue.messages import Enqueue, EnqueueMany
from exqueue.testing.asserting import Asserting, Drained
from exqueue.testing.running import end_test_if_meant, run_here

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exqueue.actors.protocol import Store
    from exqueue.execution import Outcome
    from exqueue.job import JobFunction, Performs
    from exqueue.messages import Message
    from exqueue.persistence.values import State, StoredJob
    from exqueue.testing.bench import Bench

P = ParamSpec("P")

A_PAGE = 100
"""So many stored jobs are looked at in one step."""

MOST_RUNS = 10_000
"""After so many runs of one `StandIn.drain` its jobs are taken to enqueue each other for ever."""


class _Always:
    """The life of a system on the bench."""

    def is_alive(self) -> bool:
        return True

    def join(self, timeout: float | None = None) -> None:
        return None

    def stack(self) -> str:
        return ""


class StandIn(Asserting):
    """A `SystemRef` without actors' threads, on a store of its own in memory, in virtual time.

    ``tell``, ``ask`` and ``enqueue`` check, encode and store as a started system does. Jobs run in the thread of the
    test: when it drains, or where ``is_inline``, as soon as they are due and no other job runs. A job class needs no
    `StartWorker`; without one it has the options of its class.

    Made by `exqueue.testing.use` and the fixture ``exqueue``, not by hand.

    Args:
        bench: what stands behind it.
        is_inline: whether each job runs as soon as it is enqueued, or due.
    """

    def __init__(self, bench: Bench, *, is_inline: bool = False) -> None:
        context = bench._context("")  # noqa: SLF001 - the place of the root
        super().__init__(bench.producer.actor_ref, _Always(), context, bench.settings)  # type: ignore[arg-type]
        self._at_exit.cancel()
        self._bench = bench
        self.clock = bench.clock
        self._is_inline = is_inline
        self._is_stopped = False
        self._begin_log()

    # -- as a system
    def tell(self, message: Message[object]) -> None:
        """See `SystemRef.tell`."""
        super().tell(message)
        self._worked()

    if not TYPE_CHECKING:  # For type checkers it stays as `SystemRef` has it, with the type of each answer.

        def ask(self, message: Any, **options: Any) -> Any:
            """See `SystemRef.ask`."""
            answer = super().ask(message, **options)
            self._worked()
            return answer

    def stop(self, *, block: bool = True, timeout: float | None = None) -> bool:  # type: ignore[override]
        """From now on it refuses messages, as a stopped system; what a test asserts goes on to work."""
        self._is_stopped = True
        return True

    def start_again(self) -> Self:
        """The program starts a system: it takes messages again."""
        self._is_stopped = False
        return self

    def is_alive(self) -> bool:
        """Whether it was not stopped."""
        return not self._is_stopped

    def run(self) -> None:
        """Run what is ready, and return as if a signal had come."""
        self.drain()
        self.stop()

    def _check_process(self) -> None:
        super()._check_process()
        if self._is_stopped:
            raise SystemStopped(
                "the system was stopped, or its test is over; start another with ExqueueSystem.start(...)"
            )

    def _stores(self, message: Enqueue | EnqueueMany) -> tuple[list[str], tuple[Store, ...]]:
        ids, stores = super()._stores(message)
        for one in (message,) if isinstance(message, Enqueue) else message.jobs:
            if one.definition is not None:
                self._bench.know(one.definition)
        for store in stores:
            self._note(store)
        return ids, stores

    def _worked(self) -> None:
        self._bench.work()
        if self._is_inline and not is_inside_job():
            self._drain(None, set(), raises=True)

    # -- running jobs
    def drain(  # type: ignore[override] # It says what it did.
        self, timeout: float | None = None, *, recursive: bool = True, scheduled: bool = False
    ) -> Drained:
        """Run the jobs that are ready, here and now, and count how they ended.

        Args:
            timeout: of no meaning here.
            recursive: also those that are enqueued meanwhile; else the jobs that there are now, each once.
            scheduled: also those that wait for a later time, retries too: the clock is moved to each of them.
        """
        scope = None if recursive else self._present(scheduled=scheduled)
        counts = {"succeeded": 0, "failed": 0, "died": 0, "postponed": 0}
        # Put off again and again, for as long as their class is stopped: each is met once.
        postponed: set[tuple[str, str]] = set()
        while True:
            for verdict, count in self._drain(scope, postponed).items():
                counts[verdict] += count
            due_at = self._next_due(scope, postponed) if scheduled else None
            if due_at is None:
                return Drained(**counts)
            if sum(counts.values()) >= MOST_RUNS:
                raise AssertionError(f"{MOST_RUNS} runs, and jobs still wait: do they enqueue each other for ever?")
            self._bench.clock.advance_to(due_at)

    def _drain(
        self, scope: set[tuple[str, str]] | None, postponed: set[tuple[str, str]], *, raises: bool = False
    ) -> dict[str, int]:
        counts: dict[str, int] = {}
        # They run, for the store, until those behind them had their turn.
        aside: list[Run] = []
        first: BaseException | None = None
        is_any = True
        try:
            while is_any:
                is_any = False
                for queue in self._bench.queues():
                    run = self._bench.fetch(queue)
                    if run is None:
                        continue
                    is_any = True
                    if scope is not None and (queue, run.id) not in scope:
                        aside.append(run)
                        continue
                    if scope is not None:
                        scope.discard((queue, run.id))
                    ran = self._bench.run(run)
                    counts[ran.outcome.verdict] = counts.get(ran.outcome.verdict, 0) + 1
                    if ran.outcome.verdict == "postponed":
                        postponed.add((queue, run.id))
                    first = first or ran.raised
                    if sum(counts.values()) >= MOST_RUNS:
                        raise AssertionError(f"{MOST_RUNS} runs: do these jobs enqueue each other for ever?")
        finally:
            self._bench.give_back(aside)
        if raises and first is not None:
            raise first
        return counts

    def _present(self, *, scheduled: bool) -> set[tuple[str, str]]:
        now = self._bench.clock.time()
        due = (one for one in self._stored("waiting") if scheduled or (one.due_at or 0) <= now)
        return {(one.queue, one.id) for one in (*self._stored("ready"), *due)}

    def _next_due(self, scope: set[tuple[str, str]] | None, but_not: set[tuple[str, str]]) -> float | None:
        now = self._bench.clock.time()

        def is_meant(job: StoredJob) -> bool:
            key = job.queue, job.id
            return key not in but_not and (scope is None or key in scope) and (job.due_at or 0) > now

        firsts = (next(filter(is_meant, self._stored_in(queue, "waiting")), None) for queue in self._bench.queues())
        return min((job.due_at for job in firsts if job is not None and job.due_at is not None), default=None)

    def _stored(self, state: State) -> Iterator[StoredJob]:
        for queue in self._bench.queues():
            yield from self._stored_in(queue, state)

    def _stored_in(self, queue: str, state: State) -> Iterator[StoredJob]:
        offset = 0
        while page := self._bench.session.list_jobs(queue, state, A_PAGE, offset):
            yield from page
            offset += len(page)

    def advance(self, seconds: float | timedelta) -> None:
        """Let time pass. Inline, what falls due meanwhile runs, each at its time; else it is ready to be drained."""
        until = self._bench.clock.time() + (seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)
        while self._is_inline and (due_at := self._next_due(None, set())) is not None and due_at <= until:
            self._bench.clock.advance_to(due_at)
            self._worked()
        self._bench.clock.advance(max(0.0, until - self._bench.clock.time()) if self._is_inline else seconds)
        self._worked()

    def perform(self, job: type[Performs[P]] | JobFunction[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Outcome:
        """Run one job at once, stored nowhere: through the codec, and as a Worker runs it. Never raises its error.

        Returns:
            The `Outcome`: ``verdict``, and of a failure the ``error`` as it would be recorded and ``retry_in_s``.

        Raises:
            ArgumentsError, PayloadError: as `SystemRef.ask`.
        """
        message = Enqueue.of(job, *args, **kwargs)
        definition = define(job)
        config = self._node.config
        queue, new = stored(message, self._ids, self._bench.clock.time(), self._node.codec, config.max_payload)
        self._bench.know(definition)
        ran = run_here(Run(queue, new.id, b"test", new.record, None, 0, 1, 1, 1), self._bench.place)
        end_test_if_meant(ran)
        self._worked()
        return ran.outcome
