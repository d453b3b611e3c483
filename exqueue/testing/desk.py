"""What a stand-in answers to each message, as the actors of a system do, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from exqueue.actors import status
from exqueue.actors.beat import encode_beat, present_beat
from exqueue.actors.lookup import Lookup
from exqueue.actors.orders import Roll
from exqueue.actors.survey import Survey
from exqueue.actors.tables import queues_table
from exqueue.codec import learn_parameters
from exqueue.errors import NotSupportedYet
from exqueue.messages import (
    CancelJob,
    CancelResult,
    DeleteAllDead,
    DeleteDead,
    GetJob,
    GetStatus,
    GetTree,
    ListJobs,
    PauseQueue,
    ResumeQueue,
    RetryAllDead,
    RetryDead,
    StartWorker,
    StopWorker,
    Subscribe,
    Unsubscribe,
)
from exqueue.persistence.values import MAX_BATCH

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.messages import Message, SystemStatus
    from exqueue.testing.place import Place

T = TypeVar("T")

BEAT_S = 60.0
"""How long a sign of life holds that is given for one status."""


def at_once(function: Callable[..., T], *args: object) -> T:
    """A call of a persistence that never keeps anybody waiting."""
    return function(*args)


class Desk:
    """Answers what people ask and order.

    Args:
        place: that is asked about.
    """

    def __init__(self, place: Place) -> None:
        settings, board = place.settings, place.context.board
        self._place = place
        self._board = board
        self._session = place.session
        self._caller = place.context.runtime.token(6).hex()
        self._lookup = Lookup(place.session, at_once, board, settings)
        node, address = settings.config.node, settings.persistence.address
        self._survey = Survey(node, address, board, place.clock, place.session, at_once)

    def answer(self, message: Message[Any]) -> Any:  # noqa: PLR0911 - a line a message
        """Do what is asked.

        Raises:
            ExqueueError: it can't be done, as a system says it.
        """
        match message:
            case StartWorker():
                return self._start(message)
            case StopWorker():
                return self._stop(message)
            case RetryDead() | DeleteDead():
                return self._act_on_dead(message)
            case RetryAllDead() | DeleteAllDead():
                return self._act_on_all_dead(message)
            case CancelJob():
                return self._cancel(message)
            case PauseQueue(name):
                return self._pause(name, paused=True)
            case ResumeQueue(name):
                return self._pause(name, paused=False)
            case GetJob():
                return self._lookup.info(message.id, message.queue)
            case ListJobs():
                return self._lookup.page(message)
            case GetStatus():
                return self._status()
            case GetTree():
                return status.tree(status.rows(self._board, {}))
            case Subscribe():
                return self._place.listeners.subscribe(message)
            case Unsubscribe():
                return self._place.listeners.unsubscribe(message.actor_ref.actor_urn)
            case _:
                raise NotSupportedYet(f"a stand-in has no answer to {type(message).__name__}")

    def _start(self, start: StartWorker) -> str:
        self._place.register.add(start.definition, start.options)
        learn_parameters(self._place.settings.codec, start.definition.perform)
        return start.definition.queue

    def _stop(self, stop: StopWorker) -> str:
        if not self._place.register.stop(stop.definition):
            self._place.register.forget(stop.definition.queue)
        return stop.definition.queue

    def _status(self) -> SystemStatus:
        beat = encode_beat(present_beat(self._board, self._place.clock))
        self._session.beat(self._place.settings.config.node, beat, BEAT_S)
        return self._survey.status()

    # -- orders
    def _number(self) -> int:
        return self._board.next_number("orders of a test")

    def _act_on_dead(self, message: RetryDead | DeleteDead) -> bool:
        queue = self._lookup.find(message.id, message.queue, "dead").queue
        verb = self._session.retry_dead if isinstance(message, RetryDead) else self._session.delete_dead
        verb(queue, self._caller, self._number(), [message.id])
        return True

    def _act_on_all_dead(self, message: RetryAllDead | DeleteAllDead) -> int:
        verb = self._session.retry_dead if isinstance(message, RetryAllDead) else self._session.delete_dead
        roll = Roll(self._session.overview(self._lookup.queues_of(message.queue)))
        count = 0
        while (queue := roll.queue) is not None:
            ids = roll.take(self._session.list_jobs(queue, "dead", MAX_BATCH, roll.offset))
            count += len(verb(queue, self._caller, self._number(), ids)) if ids else 0
        return count

    def _cancel(self, message: CancelJob) -> CancelResult:
        queue = self._lookup.find(message.id, message.queue, "stored").queue
        state = self._session.cancel(queue, self._caller, self._number(), message.id)
        if state is None:
            raise self._lookup.not_found(message.id, message.queue, "stored")
        if state == "running":
            raise NotSupportedYet(f"job {message.id} runs; CancelJob of a running job is not supported yet")
        return CancelResult(id=message.id, queue=queue, state=state)

    def _pause(self, queue: str, *, paused: bool) -> bool:
        if queue not in queues_table(self._board):
            self._lookup.check_queue(queue)
        self._session.set_paused(queue, self._caller, self._number(), paused)
        return True
