"""Asking: what is sent to an actor and waited for, and what is known of it when no answer comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pykka

from exqueue.actors.protocol import Store
from exqueue.actors.tables import backlog_table, failures_table, present_outage
from exqueue.actors.unbuilt import Unbuilt
from exqueue.errors import AskTimeout, Overloaded, SystemStopped
from exqueue.messages import OrderMessage, QueuesMessage, ReporterMessage
from exqueue.supervision import Envelope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exqueue.supervision import ActorContext, Reply

MAX_INBOX = 10_000
"""Enqueues that may wait for the persistence, in the Producer's inbox and with it; past it an enqueue is refused."""


class Asking:
    """Puts messages into the inboxes of a system's actors, and waits for their answers.

    Args:
        context: of the system.
    """

    def __init__(self, context: ActorContext) -> None:
        self._runtime = context.runtime
        self._names = context.names
        self._board = context.board

    def send(self, recipient: str, message: object, reply: Reply[Any] | None) -> Any:
        """Send a message, and return ``reply``.

        Raises:
            Overloaded: too many jobs wait to be stored.
            SystemStopped: nobody is there any more.
        """
        if recipient == "producer":
            ref = self._names.whereis("producer")
            kept = backlog_table(self._board).get("jobs", 0)
            if ref is not None and ref.actor_inbox.qsize() + kept >= MAX_INBOX:  # type: ignore[attr-defined]
                raise Overloaded(
                    f"{_in_words(message)}: {MAX_INBOX} others wait for it already; stored: no. Try again later"
                )
        if not self._names.deliver(recipient, Envelope(message, reply, kept=True)):
            raise SystemStopped(self.why_stopped())
        return reply

    def wait(self, reply: Reply[Any], message: object, recipient: str, patience_s: float) -> Any:
        """Wait for the answer; who gives up withdraws the message, if nobody has begun to act on it.

        Raises:
            AskTimeout: none within ``patience_s`` seconds.
            SystemStopped: the system ended before.
        """
        try:
            return self._look(reply, patience_s)
        except pykka.Timeout:
            pass
        was_begun = not reply.withdraw()
        outage = present_outage(self._board)
        why = "" if outage is None else f"; {outage}"
        raise AskTimeout(
            f"{_in_words(message)}: no answer from the {recipient} within {round(patience_s, 2):g} s{why}"
            f"{_what_becomes_of(message, was_begun=was_begun)}",
            stored=_is_stored(was_begun=was_begun) if isinstance(message, Store) else None,
        )

    def answer_of(self, reply: Reply[Any], message: object, recipient: str, patience_s: float) -> pykka.Future[Any]:
        """A future of the answer: its ``get()`` does as `wait`; with a time-out of its own it only looks.

        That look ends with `pykka.Timeout`, and withdraws nothing.
        """
        given_up: list[AskTimeout] = []

        def get(timeout: float | None) -> Any:
            if given_up and not reply.is_answered():
                raise given_up[0]
            if timeout is not None:
                return self._look(reply, timeout)
            try:
                return self.wait(reply, message, recipient, patience_s)
            except AskTimeout as error:
                given_up.append(error)
                raise

        future = self._runtime.reply()
        future.set_get_hook(get)
        return future

    def _look(self, reply: Reply[Any], timeout: float) -> Any:
        try:
            answer = reply.get(timeout=timeout)
        except pykka.ActorDeadError:
            raise SystemStopped(self.why_stopped()) from None
        return answer.build() if isinstance(answer, Unbuilt) else answer

    def why_stopped(self) -> str:
        """What the system died of, and what to do about it."""
        why = failures_table(self._board).get("system", "the system was stopped")
        return f"{why}; start another with ExqueueSystem.start(...)"

    # -- jobs, in pieces
    def tell_to_store(self, stores: Sequence[Store]) -> None:
        """Send the pieces; when one of them is refused, those after it are not sent, and a note says how many were."""
        sent = 0
        for store in stores:
            try:
                self.send("producer", store, None)
            except (Overloaded, SystemStopped) as error:
                if sent:
                    error.add_note(f"of {_count(stores)} jobs {sent} were sent before; the others are not stored")
                raise
            sent += len(store.jobs)

    def store(self, stores: Sequence[Store], deadline: float) -> None:
        """Send the pieces, and wait until all are stored; a note of the error says what is known of each.

        Args:
            stores: the pieces.
            deadline: monotonic seconds.
        """
        asked: list[Reply[Any]] = []
        stored = 0
        try:
            for store in stores:
                asked.append(self.send("producer", store, self._runtime.reply()))  # noqa: PERF401 - kept if one fails
            for store, reply in zip(stores, asked, strict=True):
                self.wait(reply, store, "producer", max(0.0, deadline - self._runtime.clock.monotonic()))
                stored += 1
        except Exception as error:
            known = [_found_out(reply) for reply in asked] + ["not stored"] * (len(stores) - len(asked))
            if len(asked) == len(stores):
                known[stored] = _said_by(error)
            if len(stores) > 1:
                error.add_note(_note(stores, known))
            raise


def _found_out(reply: Reply[Any]) -> str:
    """What is known of a piece for which nobody waits any more; what was not begun is withdrawn."""
    if not reply.is_answered():
        return "not stored" if reply.withdraw() else "unknown"
    try:
        reply.get(timeout=0)
    except Exception as error:  # noqa: BLE001 - whatever the answer is
        return _said_by(error)
    return "stored"


def _said_by(error: Exception) -> str:
    is_refused = isinstance(error, Overloaded) or getattr(error, "stored", None) == "no"
    return "not stored" if is_refused else "unknown"


def _note(stores: Sequence[Store], known: Sequence[str]) -> str:
    parts = []
    for what in ("stored", "not stored", "unknown"):
        these = [store for store, found in zip(stores, known, strict=True) if found == what]
        if these:
            parts.append(f"{what}: {_count(these)}, from job {these[0].jobs[0].id} of queue {these[0].queue} on")
    return f"of {_count(stores)} jobs, {'; '.join(parts)}"


def _count(stores: Iterable[Store]) -> int:
    return sum(len(store.jobs) for store in stores)


def _in_words(message: object) -> str:
    if isinstance(message, Store):
        return f"storing {message.named}"
    job_id = getattr(message, "id", None)
    return type(message).__name__ + (f" of job {job_id}" if job_id else "")


def _is_stored(*, was_begun: bool) -> str:
    return "unknown" if was_begun else "no"


def _what_becomes_of(message: object, *, was_begun: bool) -> str:
    if isinstance(message, Store):
        return f"; stored: {_is_stored(was_begun=was_begun)}"
    if isinstance(message, OrderMessage) and not was_begun:
        return "; it is not carried out"
    # Queues and the Reporter do not ask whether anybody waits still.
    if isinstance(message, OrderMessage | QueuesMessage | ReporterMessage):
        return "; it may still be carried out"
    return ""
