"""An inbox loses nothing and hands nothing out twice, also while it closes."""

import sys
import threading
from collections.abc import Iterator
from itertools import chain
from queue import SimpleQueue

import pykka
import pytest

from exqueue.supervision import Envelope, Reply
from exqueue.supervision.inbox import Inbox, InboxClosed
from tests.supervision.tree import DEADLINE_S


def test_control_messages_overtake() -> None:
    """What supervision sends comes first, in order among itself; the others keep their order."""
    inbox = Inbox()
    for message in ("a", "b"):
        inbox.put(Envelope(message))
    for message in ("stop", "down"):
        inbox.put(Envelope(message, control=True))
    inbox.put(Envelope("c"))
    assert [inbox.get().message for _ in range(5)] == ["stop", "down", "a", "b", "c"]


def test_a_control_message_wakes_a_waiting_actor_and_serves_nothing_twice() -> None:
    """The empty place that wakes is no message."""
    inbox = Inbox()
    got: list[object] = []
    thread = threading.Thread(target=lambda: got.extend(inbox.get().message for _ in range(2)))
    thread.start()
    inbox.put(Envelope("stop", control=True))
    inbox.put(Envelope("a"))
    thread.join(DEADLINE_S)
    assert got == ["stop", "a"]


def test_a_closed_inbox_takes_nothing_and_returns_what_waited() -> None:
    """Control first, then the line, in order; afterwards offers are refused and askers are answered."""
    inbox = Inbox()
    for envelope in (Envelope("a"), Envelope("b"), Envelope("stop", control=True)):
        inbox.put(envelope)
    assert [e.message for e in inbox.close()] == ["stop", "a", "b"]
    assert not inbox.offer(Envelope("late"))
    reply: Reply[None] = Reply()
    inbox.put(Envelope("late", reply))
    with pytest.raises(pykka.ActorDeadError):
        reply.get(timeout=DEADLINE_S)
    assert inbox.close() == []


def test_who_waits_at_a_closed_inbox_is_let_go() -> None:
    """An actor that was replaced while it waited does not wait for ever."""
    inbox = Inbox()
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises(InboxClosed):
            inbox.get()
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    inbox.close()
    assert ended.wait(DEADLINE_S)
    thread.join(DEADLINE_S)


class GatedLine(SimpleQueue[Envelope | None]):
    """Holds a sender of "late" back until the line is being emptied, and the emptying until that sender is through."""

    def __init__(self) -> None:
        super().__init__()
        self.sending, self.emptying = threading.Event(), threading.Event()
        self.sender: threading.Thread | None = None

    def put(self, item: Envelope | None, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT002 - the signature of queue.Queue
        if item is not None and item.message == "late":
            self.sending.set()
            self.emptying.wait(0.2)
        super().put(item, block, timeout)

    def get_nowait(self) -> Envelope | None:
        if threading.current_thread() is threading.main_thread() and self.sender is not None:
            self.emptying.set()
            self.sender.join(0.2)
        return super().get_nowait()


def test_what_waits_is_the_closing_sides_also_when_a_sender_is_late() -> None:
    """A sender that is caught in the middle gives nothing back but its own envelope."""
    line = GatedLine()
    inbox = Inbox(line)
    inbox.put(Envelope("kept", kept=True))
    accepted: list[bool] = []
    line.sender = threading.Thread(target=lambda: accepted.append(inbox.offer(Envelope("late"))))
    line.sender.start()
    assert line.sending.wait(DEADLINE_S)
    taken = [e.message for e in inbox.close()]
    line.sender.join(DEADLINE_S)
    assert taken == (["kept", "late"] if accepted == [True] else ["kept"])


@pytest.fixture
def hasty_switches() -> Iterator[None]:
    """Threads change places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_switches")
@pytest.mark.parametrize("control", [False, True])
def test_each_envelope_is_taken_or_handed_back_exactly_once_while_the_inbox_closes(*, control: bool) -> None:
    """Whatever the threads' interleaving: offer says True and the owner has it, or False and nobody else has."""
    for _ in range(150):
        inbox = Inbox()
        go = threading.Barrier(5)
        refused: list[list[int]] = [[] for _ in range(4)]

        def offer(
            who: int, inbox: Inbox = inbox, go: threading.Barrier = go, refused: list[list[int]] = refused
        ) -> None:
            go.wait(DEADLINE_S)
            for n in range(who * 50, who * 50 + 50):
                if not inbox.offer(Envelope(n, control=control and n % 2 == 0)):
                    refused[who].append(n)

        threads = [threading.Thread(target=offer, args=(who,)) for who in range(4)]
        for thread in threads:
            thread.start()
        go.wait(DEADLINE_S)
        taken = [inbox.get().message for _ in range(3)]
        taken += [e.message for e in inbox.close()]
        for thread in threads:
            thread.join(DEADLINE_S)
        assert sorted([*taken, *chain(*refused)]) == list(range(200))
