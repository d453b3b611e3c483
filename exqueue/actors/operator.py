"""The Operator: what people ask and order: retry, delete, cancel, pause, status, lists."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar, assert_never

from exqueue.actors import status
from exqueue.actors.damage import past_damage, past_over
from exqueue.actors.lookup import Lookup
from exqueue.actors.orders import IN_TURN, Batch, GivenUp, Order, Roll
from exqueue.actors.protocol import NextBatch, TryAgain, WhatIsLeft
from exqueue.actors.settings import VERB_TIMEOUT_S
from exqueue.actors.survey import Survey
from exqueue.actors.tables import (
    OutageRow,
    epochs_table,
    outages_table,
    present_outage,
    queues_table,
)
from exqueue.actors.weather import Weather
from exqueue.errors import (
    ActorDead,
    ExqueueError,
    NotSupportedYet,
    Outage,
    StoreDamaged,
    SystemStopped,
)
from exqueue.messages import (
    ActorInfo,
    CancelJob,
    CancelResult,
    DeleteAllDead,
    DeleteDead,
    GetJob,
    GetStatus,
    GetTree,
    ListJobs,
    OperatorMessage,
    PauseQueue,
    ResumeQueue,
    RetryAllDead,
    RetryDead,
    SystemStatus,
)
from exqueue.persistence.values import MAX_BATCH
from exqueue.supervision import DEFERRED, Actor, ActorContext, safe_logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from exqueue.actors.settings import NodeSettings

T = TypeVar("T")

logger = safe_logger("exqueue")

LOOK_TIMEOUT_S = VERB_TIMEOUT_S / 2
"""How long a call for the status may take: whoever asks for it wants to hear of a server that hangs before he gives up.
"""


class Operator(Actor):
    """Answers people. In an outage it answers the status from memory, and keeps orders until it can carry them out.

    What an asker gave up before it was sent is dropped. What was sent once is sent again under its own number until it
    is answered. A command on all dead jobs takes a turn a batch, so that it keeps nobody waiting but those orders that
    are about dead jobs too: these stay in the order in which they came.
    """

    def __init__(self, context: ActorContext, *, settings: NodeSettings) -> None:
        super().__init__(context)
        self._node = settings.config.node
        self._session = settings.persistence.session(timeout=VERB_TIMEOUT_S, pooled=True)
        self._looks = settings.persistence.session(timeout=LOOK_TIMEOUT_S)
        self._address = settings.persistence.address
        self._survey = Survey(settings.config.node, self._address, self.board, self.clock, self._looks, self.call)
        self._lookup = Lookup(self._session, self.call, self.board, settings)
        self._weather = Weather("operator", self.board, context.runtime)
        self._caller = context.runtime.token(6).hex()
        self._number = 0
        self._orders: deque[Order] = deque()
        self._under_way: Order | None = None
        self._lane: deque[Order] = deque()
        self._resume_timer: int | None = None
        self._last_status: SystemStatus | None = None

    def on_stop(self) -> None:
        """Whoever still waits for an answer is told that there will be none."""
        for order in self._lane:
            if order.reply is not None:
                order.reply.fail(SystemStopped(f"the system was stopped: {order.how_far}"))
        self._lane.clear()
        while self._orders:
            order = self._orders.popleft()
            if order.reply is not None:
                order.reply.fail(Outage("the system stopped before the persistence answered"))
        self._weather.leave()
        self._session.close()
        self._looks.close()

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hand what was not begun to the next Operator; whoever waits for what was is told that it may be done."""
        for order in (self._under_way, *self._lane, *self._orders):
            if order is None:
                continue
            if order.n == 0:
                self.hand_on(order.message, order.reply)
            elif order.reply is not None:
                what = type(order.message).__name__
                order.reply.fail_unless_answered(ActorDead(f"the operator ended during {what}: it may be done"))
        self._lane.clear()
        self._orders.clear()

    def on_receive(self, message: OperatorMessage | WhatIsLeft | NextBatch | TryAgain) -> Any:
        """Handle a message; see `exqueue.actors.protocol`."""
        if isinstance(message, NextBatch):
            self._on_next_batch()
            return None
        if isinstance(message, TryAgain):
            self._resume_timer = None
            self._carry_on()
            return None
        if isinstance(message, GetTree):
            return self._tree()
        if isinstance(message, GetStatus) and self._is_unanswered():
            return self._status_from_memory(None)
        order = Order(message, self.asker)
        if self._orders and not isinstance(message, GetStatus):
            self._orders.append(order)
        else:
            self._take(order)
        return DEFERRED

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _carry_on(self) -> None:
        waiting, self._orders = self._orders, deque()
        try:
            while waiting and not self._orders:
                self._take(waiting.popleft())
        finally:
            self._orders.extend(waiting)
        if not self._orders and self._weather.is_stormy:
            # Who asked has given up, but that it answers again is still to be found out.
            self._carry_out(Order(WhatIsLeft(), None))

    def _take(self, order: Order) -> None:
        if self._lane and isinstance(order.message, IN_TURN):
            self._lane.append(order)
            return
        is_lane_new = not self._lane
        self._carry_out(order)
        if self._lane and is_lane_new:
            self.tell_self(NextBatch())

    def _on_next_batch(self) -> None:
        # It is empty when an outage came since.
        if self._lane:
            self._carry_out(self._lane.popleft())
        if self._lane:
            self.tell_self(NextBatch())

    def _carry_out(self, order: Order) -> None:
        if order.is_given_up:
            return
        self.doing(type(order.message).__name__)
        self._under_way = order
        order.n = order.n or self._next_number()
        try:
            answer = self._answer(order)
        except GivenUp:
            pass
        except StoreDamaged as damage:
            self._refuse(order, damage)
        except Outage as outage:
            self._wait_out(order, outage)
        except ExqueueError as error:
            self._weather.calm()
            if order.reply is not None:
                order.reply.fail(error)
            else:
                logger.warning("%s", error)
        else:
            self._weather.calm()
            if answer is DEFERRED:
                self._lane.appendleft(order)
            elif order.reply is not None:
                order.reply.set(answer)
        self._under_way = None
        self.doing("")

    def _refuse(self, order: Order, damage: StoreDamaged) -> None:
        """Waiting mends no damage: whoever asked hears of it, and the next order is not held up."""
        if isinstance(order.message, GetStatus):
            self._wait_out(order, damage)
            return
        if order.reply is not None:
            order.reply.fail(damage)
        elif not isinstance(order.message, WhatIsLeft):
            logger.error("%s: %s", type(order.message).__name__, damage)
        if damage.queue is not None:
            self._weather.calm()
        else:
            self._look_again(damage)

    def _wait_out(self, order: Order, outage: Outage) -> None:
        if isinstance(order.message, GetStatus):
            if order.reply is not None:
                order.reply.set(self._status_from_memory(outage))
            return
        if not order.is_given_up:
            self._orders.append(order)
        # After it, as its call may have to be sent again under a lower number than theirs; before whatever comes now.
        self._orders.extend(self._lane)
        self._lane.clear()
        self._look_again(outage)

    def _look_again(self, outage: Outage) -> None:
        pause_s = self._weather.storm(outage)
        if self._resume_timer is None:
            self._resume_timer = self.send_after(pause_s, TryAgain())

    def _answer(self, order: Order) -> Any:  # noqa: PLR0911 - a line a message
        message = order.message
        match message:
            case GetStatus():
                self._last_status = self._survey.status()
                epochs_table(self.board)["operator"] = self._last_status.epoch
                return self._last_status
            case GetJob():
                return self._lookup.info(message.id, message.queue)
            case ListJobs():
                return self._lookup.page(message)
            case RetryDead() | DeleteDead():
                return self._act_on_dead(order, message)
            case RetryAllDead() | DeleteAllDead():
                return self._act_on_all_dead(order, message)
            case CancelJob():
                return self._cancel(order, message)
            case PauseQueue():
                return self._pause(order, message.name, paused=True)
            case ResumeQueue():
                return self._pause(order, message.name, paused=False)
            case WhatIsLeft():
                return self._lookup.what_is_left()
            case GetTree():
                return self._tree()
            case _:
                assert_never(message)

    # -- orders
    def _change(self, order: Order, verb: Callable[..., T], queue: str, n: int, *what: object) -> T:
        """Make a call that changes something, unless whoever gave the order has given up before the first of them."""
        was_begun = order.is_begun
        order.begin()
        try:
            return self.call(verb, queue, self._caller, n, *what)
        except Outage as outage:
            if not was_begun and not outage.sent:
                order.take_back()
            raise

    def _act_on_dead(self, order: Order, message: RetryDead | DeleteDead) -> bool:
        if order.queue is None:
            order.queue = self._lookup.find(message.id, message.queue, "dead").queue
        verb = self._session.retry_dead if isinstance(message, RetryDead) else self._session.delete_dead
        if not self._change(order, verb, order.queue, order.n, [message.id]):
            raise self._lookup.not_found(message.id, message.queue, "dead")
        return True

    def _act_on_all_dead(self, order: Order, message: RetryAllDead | DeleteAllDead) -> Any:
        """One batch, with a number of its own. Answers how many it were when none is left, before that `DEFERRED`."""
        verb = self._session.retry_dead if isinstance(message, RetryAllDead) else self._session.delete_dead
        if order.roll is None:
            overview, order.damaged = past_damage(
                lambda sound: self.call(self._session.overview, sound), self._lookup.queues_of(message.queue)
            )
            order.roll = Roll(overview)
        queue = order.roll.queue
        if queue is None:
            if order.damaged:
                raise past_over(f"{type(message).__name__} was carried out on {order.count} jobs", order.damaged)
            return order.count
        try:
            order.batch = batch = order.batch or self._next_batch(order.roll)
            if batch is not None:
                order.count += len(self._change(order, verb, batch.queue, batch.n, batch.ids))
                order.batch = None
        except StoreDamaged as damage:
            if damage.queue != queue:
                raise
            order.batch, order.damaged[queue] = None, damage
            order.roll.pass_over()
        return DEFERRED

    def _next_batch(self, roll: Roll) -> Batch | None:
        """What is next of the roll's queue; ``None`` when this look has found nothing that is meant."""
        queue = roll.queue
        assert queue is not None  # noqa: S101 - asked by the caller
        ids = roll.take(self.call(self._session.list_jobs, queue, "dead", MAX_BATCH, roll.offset))
        return Batch(queue, self._next_number(), ids) if ids else None

    def _cancel(self, order: Order, message: CancelJob) -> CancelResult:
        if order.queue is None:
            order.queue = self._lookup.find(message.id, message.queue, "stored").queue
        state = self._change(order, self._session.cancel, order.queue, order.n, message.id)
        if state is None:
            raise self._lookup.not_found(message.id, message.queue, "stored")
        if state == "running":
            raise NotSupportedYet(
                f"job {message.id} runs; CancelJob of a running job is not supported yet: wait until it has ended"
            )
        return CancelResult(id=message.id, queue=order.queue, state=state)

    def _pause(self, order: Order, queue: str, *, paused: bool) -> bool:
        if queue not in queues_table(self.board):
            self._lookup.check_queue(queue)
        self._change(order, self._session.set_paused, queue, order.n, paused)
        return True

    # -- questions
    def _is_unanswered(self) -> bool:
        """Whether it is known that asking would be in vain, and perhaps take long."""
        return any(not row.is_local for row in outages_table(self.board).copy().values())

    def _status_from_memory(self, outage: Outage | None) -> SystemStatus:
        """What was last known, and since when nothing new is; ``outage`` if this is the first that is known of it."""
        row = present_outage(self.board)
        if row is None:
            row = OutageRow(self.clock.time(), "" if outage is None else outage.reason)
        return status.from_memory(self._node, self._address, self.board, self._last_status, row)

    def _tree(self) -> ActorInfo:
        return status.tree(status.rows(self.board, dict(self._names.snapshot())))
