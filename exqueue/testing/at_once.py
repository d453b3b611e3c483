"""Asking a stand-in: in the place of inboxes and of waiting, the answer is made in the thread of whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exqueue.asking import Asking
from exqueue.errors import ExqueueError, SystemStopped
from exqueue.messages import JobEnqueued
from exqueue.persistence.values import Push
from exqueue.record import peek
from exqueue.supervision import safe_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exqueue.actors.protocol import Store
    from exqueue.supervision import Reply
    from exqueue.testing.desk import Desk
    from exqueue.testing.place import Place

logger = safe_logger("exqueue")


class AskingAtOnce(Asking):
    """See `Asking`.

    Args:
        place: whose store takes the jobs.
        desk: answers all else.
        is_alive: whether anything is answered.
        then: called after each message, to run what it has made ready.
    """

    def __init__(self, place: Place, desk: Desk, is_alive: Callable[[], bool], then: Callable[[], None]) -> None:
        super().__init__(place.context)
        self._place = place
        self._desk = desk
        self._is_alive = is_alive
        self._then = then
        self._caller = place.context.runtime.token(6).hex()

    def send(self, recipient: str, message: Any, reply: Reply[Any] | None) -> Any:
        """See `Asking.send`: what is wrong is the answer, and without ``reply`` said in the log."""
        self._check_alive()
        try:
            answer = self._desk.answer(message)
        except ExqueueError as refusal:
            if reply is None:
                logger.warning("%s", refusal)
            else:
                reply.fail(refusal)
            return reply
        if reply is not None:
            reply.set(answer)
        self._then()
        return reply

    def tell_to_store(self, stores: Sequence[Store]) -> None:
        """See `Asking.tell_to_store`."""
        self._store(stores)

    def store(self, stores: Sequence[Store], deadline: float) -> None:
        """See `Asking.store`."""
        self._store(stores)

    def _store(self, stores: Sequence[Store]) -> None:
        self._check_alive()
        for store in stores:
            number = self._place.context.board.next_number("pushes of a test")
            (refused,) = self._place.session.push(self._caller, [Push(store.queue, number, store.jobs)])
            if refused is not None:
                raise refused
            self._tell_enqueued(store)
        self._then()

    def _tell_enqueued(self, store: Store) -> None:
        now = self._place.clock.time()
        node = self._place.settings.config.node
        for job in store.jobs:
            due_at = job.at if job.at is not None else now + job.delay if job.delay else None
            name = peek(job.record).job
            event = JobEnqueued(id=job.id, job=name, queue=store.queue, node=node, at=now, due_at=due_at)
            self._place.listeners.tell("reporter", event)

    def _check_alive(self) -> None:
        if not self._is_alive():
            raise SystemStopped(self.why_stopped())
