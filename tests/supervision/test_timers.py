"""Timers fire once, in order, unless they were cancelled."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

import pytest

from exqueue.supervision import ThreadRuntime
from exqueue.supervision.timers import Timers
from tests.supervision.tree import DEADLINE_S, Do, child, running

if TYPE_CHECKING:
    from collections.abc import Callable


def test_timers_fire_in_the_order_of_their_times() -> None:
    """Not in the order in which they were set."""
    runtime = ThreadRuntime()
    fired: queue.Queue[str] = queue.Queue()
    runtime.after(0.03, lambda: fired.put("late"))
    runtime.after(0.0, lambda: fired.put("soon"))
    assert [fired.get(timeout=DEADLINE_S) for _ in range(2)] == ["soon", "late"]
    runtime.close()
    runtime.close()


def test_a_closed_timer_never_fires_and_leaves_no_thread() -> None:
    """What was set before and after the end is forgotten."""
    runtime = ThreadRuntime()
    fired: list[str] = []
    runtime.after(60.0, lambda: fired.append("before"))
    runtime.close()
    runtime.after(0.0, lambda: fired.append("after"))()
    assert not [t for t in threading.enumerate() if t.name == "exqueue-timers"]
    assert fired == []


def test_a_timer_that_is_cancelled_as_it_comes_due_does_not_end_the_others() -> None:
    """However late the cancelling comes, the thread that serves all timers lives on."""
    cancels: list[Callable[[], None]] = []

    def now() -> float:
        if threading.current_thread().name == "exqueue-timers":
            cancels[0]()
        return 0.0

    timers = Timers(now)
    fired = threading.Event()
    with timers._changed:  # noqa: SLF001 - to hold the moment in which both happen
        cancels.append(timers.after(0.0, lambda: None))
    timers.after(0.0, fired.set)
    assert fired.wait(DEADLINE_S)
    timers.close()


def test_a_timer_reaches_its_actor() -> None:
    """The message comes back as if it had been told."""
    with running(child("a")) as tree:
        done = threading.Event()
        tree.tell("a", lambda actor: actor.send_after(0.0, Do(lambda _: done.set())))
        assert done.wait(DEADLINE_S)


def test_a_timer_that_fired_and_is_cancelled_then_is_dropped() -> None:
    """Cancelled is cancelled, although the message waits in the inbox already."""
    with running(child("a")) as tree:
        seen: list[str] = []

        def fire_then_cancel(actor: object) -> None:
            number = actor.send_after(0.0, Do(lambda _: seen.append("cancelled")))  # type: ignore[attr-defined]
            came = threading.Event()
            tree.runtime.after(0.0, came.set)
            assert came.wait(DEADLINE_S)
            assert actor.actor_inbox.qsize() == 1  # type: ignore[attr-defined]
            actor.cancel_timer(number)  # type: ignore[attr-defined]

        tree.ask("a", fire_then_cancel)
        tree.ask("a", lambda _: None)
        assert seen == []


@pytest.mark.parametrize("number", [None, 99])
def test_cancelling_no_timer_is_harmless(number: int | None) -> None:
    """A timer that fired, or was never set, can be cancelled."""
    with running(child("a")) as tree:
        tree.ask("a", lambda actor: actor.cancel_timer(number))


def test_an_actor_that_ended_takes_its_timers_with_it() -> None:
    """The next actor of the name does not get what the last one had set."""
    with running(child("a")) as tree:
        seen: list[str] = []

        def set_and_crash(actor: object) -> None:
            actor.send_after(0.02, Do(lambda _: seen.append("old")))  # type: ignore[attr-defined]
            raise ValueError("after setting")

        tree.tell("a", set_and_crash)
        tree.until_lived("restarted", "a")
        past = threading.Event()
        tree.runtime.after(0.05, past.set)
        assert past.wait(DEADLINE_S)
        tree.ask("a", lambda _: None)
        assert seen == []
