"""An actor's inbox: a line that control messages overtake, and that can be closed for good."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

import pykka

from exqueue.errors import ActorDead

if TYPE_CHECKING:
    from exqueue.supervision.reply import Reply


class Envelope:
    """A message on its way.

    Args:
        message: of any type.
        reply_to: who waits for the answer; ``None``: nobody.
        kept: whether it outlives a crash of its receiver, see `exqueue.supervision.names`.
        control: whether it overtakes the rest of the inbox.
    """

    __slots__ = ("control", "kept", "message", "reply_to")

    def __init__(
        self,
        message: Any,
        reply_to: Reply[Any] | None = None,
        *,
        kept: bool = False,
        control: bool = False,
    ) -> None:
        self.message = message
        self.reply_to = reply_to
        self.kept = kept
        self.control = control


class InboxClosed(Exception):
    """Nothing will come any more."""


class Line(Protocol):
    """The first-in-first-out line beneath an inbox; a runtime chooses it."""

    def put(self, item: Envelope | None) -> None:
        """Append, never blocking."""

    def get(self) -> Envelope | None:
        """Wait for an item."""

    def get_nowait(self) -> Envelope | None:
        """Take an item, or raise ``queue.Empty``."""

    def qsize(self) -> int:
        """How many items wait."""


class Inbox:
    """Where an actor's messages wait. Anyone puts, only the actor gets.

    A control envelope waits in a lane of its own and puts an empty place (``None``) into the line, so that a waiting
    actor wakes and the wake-up never serves a wrong message.

    After `close` nothing gets in any more: each envelope is either among what `close` returned or was never taken.

    ``in_hand``: what the actor handles right now. Written by the actor, read by the supervisor that replaces it.
    """

    def __init__(self, line: Line | None = None) -> None:
        self._line: Line = SimpleQueue() if line is None else line
        self._control: deque[Envelope] = deque()
        self._held: deque[Envelope] = deque()
        self._closed = False
        self.in_hand: Envelope | None = None
        # Re-entrant: a signal handler may send to the inbox that its thread is sending to.
        self._lock = threading.RLock()

    def put(self, envelope: Any) -> None:
        """Append an envelope; one that comes too late is answered as undelivered by `undelivered`."""
        if not self.offer(envelope):
            undelivered(envelope)

    def offer(self, envelope: Envelope) -> bool:
        """Append an envelope; ``False`` when the inbox is closed and the envelope was not taken."""
        with self._lock:
            if self._closed:
                return False
            if getattr(envelope, "control", False):
                self._control.append(envelope)
                self._line.put(None)
            else:
                self._line.put(envelope)
            return True

    def get(self) -> Envelope:
        """Wait for the next envelope, control messages first.

        Raises:
            InboxClosed: it was closed, by another thread, since this actor was replaced.
        """
        while True:
            if self._control:
                return self._control.popleft()
            if self._held:
                return self._held.popleft()
            envelope = self._line.get()
            if envelope is None:
                if self._closed:
                    raise InboxClosed
                continue
            if self._control:
                self._held.append(envelope)
                continue
            return envelope

    def empty(self) -> bool:
        """Whether nothing waits (an empty place counts as something)."""
        return not self._control and not self._held and not self._line.qsize()

    def qsize(self) -> int:
        """About how many messages wait."""
        return len(self._held) + self._line.qsize()

    def close(self) -> list[Envelope]:
        """Let nothing in any more; returns what waited, in order."""
        with self._lock:
            self._closed = True
            left = [*self._control, *self._held]
            self._control.clear()
            self._held.clear()
            with suppress(Empty):
                while True:
                    envelope = self._line.get_nowait()
                    if envelope is not None:
                        left.append(envelope)
            self._line.put(None)
            return left


def unfinished(envelope: Envelope | None, actor: str) -> None:
    """Answer what an actor had in hand that does not come back, unless it was answered."""
    if envelope is not None and envelope.reply_to is not None:
        why = f"{actor} was given up while it handled the message: it may be done, or be done yet"
        envelope.reply_to.fail_unless_answered(ActorDead(why))


def undelivered(envelope: Any) -> None:
    """Answer an envelope that no actor will handle, so that no asker waits for ever."""
    reply_to = envelope.reply_to
    if reply_to is not None:
        error = pykka.ActorDeadError("the actor stopped before it handled the message")
        reply_to.set_exception((type(error), error, None))
