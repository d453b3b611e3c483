"""The Producer: stores enqueued jobs; what waits in its inbox goes together in one round trip."""

from __future__ import annotations

import copy
from collections import deque
from typing import TYPE_CHECKING, Any

from exqueue.actors.bounds import MAX_BACKLOG, MAX_PUSH_BYTES
from exqueue.actors.protocol import Flush, Store, TryAgain
from exqueue.actors.settings import VERB_TIMEOUT_S
from exqueue.actors.tables import backlog_table, subscribers_table
from exqueue.actors.weather import Weather
from exqueue.errors import AskTimeout, ExqueueError, Outage, Overloaded, StaleCall, StorageFull, StoreDamaged
from exqueue.messages import JobEnqueued
from exqueue.persistence.values import MAX_BATCH, Push
from exqueue.record import peek
from exqueue.supervision import DEFERRED, Actor, ActorContext, safe_logger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from exqueue.actors.settings import NodeSettings
    from exqueue.supervision import Reply

logger = safe_logger("exqueue")

MOST_TOLD = 2 * MAX_BACKLOG
"""Jobs that are kept of those that nobody waits for, and that were let in before the outage was known."""

ProducerMessage = Store | Flush | TryAgain


class Waiting:
    """Jobs of one `Store` and who waits for them to be stored (nobody under ``tell``)."""

    __slots__ = ("reply", "store")

    def __init__(self, store: Store, reply: Reply[None] | None) -> None:
        self.store = store
        self.reply = reply


class Batch:
    """One push under way: the same jobs under the same number until it is answered.

    ``is_in_doubt``: it was sent and not answered, so it may be stored, whatever becomes of the next try.
    """

    __slots__ = ("is_in_doubt", "push", "waiting")

    def __init__(self, push: Push, waiting: tuple[Waiting, ...]) -> None:
        self.push = push
        self.waiting = waiting
        self.is_in_doubt = False


class Producer(Actor):
    """Stores jobs in the order in which they came, many in one round trip when many wait.

    An asker that gave up before its jobs were sent is left out. What was sent once is sent again under its own number
    until it is answered. When the Producer itself crashes, those whose jobs were under way are told that it is unknown
    whether they are stored; what had not been taken from its inbox is the next Producer's.
    """

    def __init__(self, context: ActorContext, *, settings: NodeSettings) -> None:
        super().__init__(context)
        self._node = settings.config.node
        self._session = settings.persistence.session(timeout=VERB_TIMEOUT_S)
        self._weather = Weather("producer", self.board, context.runtime)
        self._subscribers = subscribers_table(self.board)
        self._caller = context.runtime.token(6).hex()
        self._number = 0
        self._backlog: deque[Waiting] = deque()
        self._sent: tuple[Batch, ...] = ()
        self._flushing: list[Reply[int] | None] = []
        self._kept_jobs = 0
        self._kept = backlog_table(self.board)
        self._is_proven = False
        self._resume_timer: int | None = None

    def on_start(self) -> None:
        """Nothing is kept yet."""
        self._kept.pop("jobs", None)

    def on_receive(self, message: ProducerMessage) -> Any:
        """Handle a message; see `exqueue.actors.protocol`."""
        if type(message) is Store:
            return self._on_store(message)
        if type(message) is Flush:
            self._flushing.append(self.asker)
            return DEFERRED
        self._resume_timer = None
        return None

    def on_stop(self) -> None:
        """Store what is still here, in one try; whoever waits for more is told that it is not stored."""
        # The stop has overtaken what was told before it.
        for envelope in self.inbox.close():
            self.asker = envelope.reply_to
            try:
                self.on_receive(envelope.message)
            except Overloaded as refusal:
                if envelope.reply_to is not None:
                    envelope.reply_to.fail(refusal)
        self._flush()
        self._tell_all_unstored()
        self._answer_flushing()
        self._weather.leave()
        self._session.close()

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hand what was not sent to the next Producer; nobody else knows who waits for what was under way."""
        for waiting in self._backlog:
            self.hand_on(waiting.store, waiting.reply)
        for flushing in self._flushing:
            self.hand_on(Flush(), flushing)
        self._flushing.clear()
        self._backlog.clear()
        self._tell_all_unstored()

    def _on_store(self, store: Store) -> object:
        jobs = len(store.jobs)
        # What was told was let in by a look at the backlog: it is dropped only when that look was far too early.
        most = MAX_BACKLOG if self.asker is not None else MOST_TOLD
        while self._kept_jobs and self._kept_jobs + jobs > most and not self._weather.is_stormy:
            self._flush()
        if self._kept_jobs + jobs > most:
            self._forget_withdrawn()
        if self._kept_jobs and self._kept_jobs + jobs > most:
            refusal = Overloaded(
                f"{self._kept_jobs} jobs wait in memory for the persistence, and {most} are the most that are kept; "
                f"{store.named} of queue {store.queue}, stored: no; try again later"
            )
            if self.asker is None:
                logger.error("%s", refusal)
                return None
            raise refusal
        self._backlog.append(Waiting(store, self.asker))
        self._kept_jobs += jobs
        self._show_backlog()
        return DEFERRED

    def _show_backlog(self) -> None:
        """Let those who enqueue see, in an outage, whether there is room; else it is only on its way."""
        if self._weather.is_stormy:
            self._kept["jobs"] = self._kept_jobs
        elif self._kept:
            self._kept.pop("jobs", None)

    def on_turn_end(self) -> None:
        """Store what waits, in one round trip; after an outage look, also for nobody, whether it is over."""
        if self._resume_timer is None and (self._sent or self._backlog or self._weather.is_stormy):
            self._flush()
            if self._backlog and self._resume_timer is None:
                self._resume_timer = self.send_after(0.0, TryAgain())
        if self._flushing and not (self._sent or self._backlog):
            self._answer_flushing()

    def _answer_flushing(self) -> None:
        for reply in self._flushing:
            if reply is not None:
                reply.set(self._number)
        self._flushing.clear()

    def _flush(self) -> None:
        try:
            if not self._is_proven:
                # Only what is about to be sent is taken from those who wait: nobody is left in doubt for a connection
                # that does not come about.
                self.doing("connect")
                self.call(self._session.queues)
                self._is_proven = True
            batches = self._sent = self._sent or self._next_batches()
            if not batches:
                self._over()
                return
            self.doing("push")
            answers = self.call(self._session.push, self._caller, [batch.push for batch in batches])
        except Outage as outage:
            self._keep([(batch, outage) for batch in self._sent])
            self._wait_out(outage)
            return
        self._answered(batches, answers)
        self.doing("")

    def _answered(self, batches: tuple[Batch, ...], answers: Sequence[ExqueueError | None]) -> None:
        """Answer who waits; what met an outage is kept: under its number if it may have been stored."""
        kept: list[tuple[Batch, Outage]] = []
        for batch, answer in zip(batches, answers, strict=True):
            if isinstance(answer, Outage) and not isinstance(answer, StorageFull | StoreDamaged):
                kept.append((batch, answer))
            else:
                self._answer(batch, answer)
        self._keep(kept)
        if kept:
            self._wait_out(kept[-1][1])
        else:
            self._over()

    def _keep(self, unanswered: Sequence[tuple[Batch, Outage]]) -> None:
        """What may be stored stays as it is; what certainly is not goes back to those who wait for it."""
        for batch, outage in unanswered:
            batch.is_in_doubt = batch.is_in_doubt or outage.sent
        self._sent = tuple(batch for batch, _ in unanswered if batch.is_in_doubt)
        self._take_back([batch for batch, _ in unanswered if not batch.is_in_doubt])

    def _over(self) -> None:
        self._weather.calm()
        self._show_backlog()

    def _wait_out(self, outage: Outage) -> None:
        self._is_proven = False
        pause_s = self._weather.storm(outage)
        self._forget_withdrawn()
        self._show_backlog()
        if self._resume_timer is None:
            self._resume_timer = self.send_after(pause_s, TryAgain())

    def _forget_withdrawn(self) -> None:
        """Whoever gave up makes room for others."""
        free = deque(one for one in self._backlog if one.reply is None or one.reply.is_free)
        if len(free) < len(self._backlog):
            self._backlog = free
            self._kept_jobs = sum(len(one.store.jobs) for one in free) + sum(len(one.push.jobs) for one in self._sent)

    def _take_back(self, batches: Sequence[Batch]) -> None:
        """Nothing of it was stored: whoever gives up now can be told that it certainly is not."""
        for batch in reversed(batches):
            for waiting in reversed(batch.waiting):
                if waiting.reply is not None:
                    waiting.reply.give_back()
                self._backlog.appendleft(waiting)

    def _next_batches(self) -> tuple[Batch, ...]:
        """Take from the backlog one push for each queue in it, in order, each within its bounds."""
        chosen: dict[str, list[Waiting]] = {}
        room: dict[str, tuple[int, int]] = {}
        while self._backlog:
            store = self._backlog[0].store
            jobs, size = room.get(store.queue, (MAX_BATCH, MAX_PUSH_BYTES))
            if store.queue in chosen and (len(store.jobs) > jobs or store.size > size):
                break
            waiting = self._backlog.popleft()
            if waiting.reply is not None and not waiting.reply.begin():
                self._kept_jobs -= len(store.jobs)
                continue
            chosen.setdefault(store.queue, []).append(waiting)
            room[store.queue] = (jobs - len(store.jobs), size - store.size)
        return tuple(self._batch(queue, waiting) for queue, waiting in chosen.items())

    def _batch(self, queue: str, waiting: list[Waiting]) -> Batch:
        self._number += 1
        jobs = waiting[0].store.jobs if len(waiting) == 1 else tuple(job for one in waiting for job in one.store.jobs)
        return Batch(Push(queue, self._number, jobs), tuple(waiting))

    def _answer(self, batch: Batch, answer: ExqueueError | None) -> None:
        self._kept_jobs -= len(batch.push.jobs)
        if isinstance(answer, StaleCall):
            # Only a store that went back and forth could say so; nobody knows what it has kept.
            answer = AskTimeout(f"{self._what(batch)}: the persistence lost count of this producer", stored="unknown")
        if answer is not None:
            self._refuse(batch.waiting, answer)
            return
        for waiting in batch.waiting:
            if waiting.reply is not None:
                waiting.reply.set(None)
        if self._subscribers:
            self._tell_enqueued(batch)

    def _tell_enqueued(self, batch: Batch) -> None:
        now = self.clock.time()
        for job in batch.push.jobs:
            due_at = job.at if job.at is not None else now + job.delay if job.delay else None
            name = peek(job.record)[0]
            event = JobEnqueued(id=job.id, job=name, queue=batch.push.queue, node=self._node, at=now, due_at=due_at)
            self.tell("reporter", event)

    def _tell_all_unstored(self) -> None:
        for batch in self._sent:
            unknown = AskTimeout(f"{self._what(batch)}: the producer ended while it was under way", stored="unknown")
            self._refuse(batch.waiting, unknown)
        left = tuple(self._backlog)
        self._refuse(left, AskTimeout("the producer ended before the job was sent", stored="no"))
        self._sent = ()
        self._backlog.clear()

    def _refuse(self, refused: tuple[Waiting, ...], error: ExqueueError) -> None:
        stored = getattr(error, "stored", None) or "unknown"
        for waiting in refused:
            what = f"{error}; {waiting.store.named} of queue {waiting.store.queue}, stored: {stored}"
            if waiting.reply is None:
                logger.error("%s", what)
                continue
            # One error for each asker: each raises its own in its own thread.
            own = copy.copy(error)
            own.args = (what,)
            waiting.reply.fail(own)

    def _what(self, batch: Batch) -> str:
        return f"storing {len(batch.push.jobs)} jobs of queue {batch.push.queue} (first: {batch.push.jobs[0].id})"
