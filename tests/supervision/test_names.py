"""What reaches whom while actors come and go."""

from functools import partial
from typing import Any

import pykka
import pytest

from exqueue.supervision import Down, Envelope, Intensity, Names, Reply
from exqueue.supervision import names as names_module
from exqueue.supervision.inbox import Inbox
from tests.supervision.tree import DEADLINE_S, Do, Probe, child, crash, running


def test_nobody_gets_what_is_sent_to_nobody() -> None:
    """Telling and delivering say so, and nothing is kept for later."""
    names = Names()
    assert names.whereis("a") is None
    assert not names.tell("a", "x")
    assert not names.control("a", "x")
    assert not names.deliver("a", Envelope("x", kept=True))


def test_kept_envelopes_survive_a_crash_and_the_others_do_not() -> None:
    """The next actor finds what was kept, in order; an asker of the rest is answered, and told messages are dropped."""
    with running(child("a")) as tree:
        seen: list[str] = []
        dropped: Reply[None] = Reply()

        def fill_and_crash(actor: object) -> None:
            for name in ("kept 1", "told", "kept 2"):
                do = Do(partial(lambda name, _: seen.append(name), name))
                tree.names.deliver("a", Envelope(do, kept=name != "told"))
            tree.names.deliver("a", Envelope(Do(lambda _: seen.append("asked")), dropped))
            raise ValueError("with a full inbox")

        tree.tell("a", fill_and_crash)
        with pytest.raises(pykka.ActorDeadError):
            dropped.get(timeout=DEADLINE_S)
        tree.ask("a", lambda _: None)
        assert seen == ["kept 1", "kept 2"]


def test_what_is_handed_on_by_a_failing_actor_is_handled_by_the_next() -> None:
    """With its asker."""
    with running(child("a")) as tree:
        reply: Reply[str] = Reply()

        def fail(actor: object) -> None:
            actor.hand_on(Do(lambda successor: successor.actor_urn), reply)  # type: ignore[attr-defined]
            raise ValueError("half way")

        tree.tell("a", fail)
        old = tree.until_down("a").urn
        assert reply.get(timeout=DEADLINE_S) == tree.urn("a") != old


def test_what_waits_for_a_child_that_is_let_go_is_answered() -> None:
    """A name that nobody will bring back keeps no asker waiting."""
    names = Names()
    names.expect("a")
    reply: Reply[None] = Reply()
    assert names.deliver("a", Envelope("x", reply, kept=True))
    assert not reply.is_answered()
    names.withdraw("a")
    with pytest.raises(pykka.ActorDeadError):
        reply.get(timeout=DEADLINE_S)


def test_only_so_much_waits_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound the oldest is answered; what is left is handed over first and in order."""
    monkeypatch.setattr(names_module, "MAX_PARKED", 2)
    names = Names()
    names.expect("a")
    replies: list[Reply[None]] = [Reply() for _ in range(3)]
    for number, reply in enumerate(replies):
        assert names.deliver("a", Envelope(number, reply, kept=True))
    assert [reply.is_answered() for reply in replies] == [True, False, False]
    probe = Probe()
    names.register("a", probe)  # type: ignore[arg-type] # as much of a ref as names need
    assert names.deliver("a", Envelope(3, kept=True))
    assert probe.waiting() == [1, 2, 3]


def test_a_stopped_actor_is_not_let_in() -> None:
    """What is parked stays for the one that comes after it."""
    names = Names()
    names.expect("a")
    names.deliver("a", Envelope("x", kept=True))
    late, right = Probe(), Probe()
    late.actor_stopped.set()
    names.register("a", late)  # type: ignore[arg-type] # as above
    assert names.whereis("a") is None
    names.register("a", right)  # type: ignore[arg-type] # as above
    assert (late.waiting(), right.waiting()) == ([], ["x"])


def test_unregistering_leaves_a_successor_alone() -> None:
    """An actor takes only its own entry away."""
    names = Names()
    old: Any = Probe()
    new: Any = Probe()
    assert names.register("a", old)
    old.actor_stopped.set()
    assert names.register("a", new)
    names.unregister("a", old)
    assert [ref for _, ref in names.snapshot()] == [new]
    names.unregister("a", new)
    assert names.snapshot() == ()


def test_a_monitor_is_told_of_each_end_once_until_it_is_taken_back() -> None:
    """Beside the supervisor, over restarts, and however often it was asked for."""
    with running(child("a"), intensity=Intensity(5, 60.0)) as tree:
        watcher = Probe()
        tree.names.register("watcher", watcher)  # type: ignore[arg-type] # as above
        for _ in range(2):
            tree.names.monitor("watcher", "a")
        for _ in range(2):
            tree.tell("a", crash(ValueError("x")))
            assert isinstance(watcher.next(), Down)
            tree.until_lived("restarted", "a")
            assert watcher.waiting() == []
        tree.names.demonitor("watcher", "a")
        tree.ask("", lambda root: root.terminate_child("a"))
        assert watcher.waiting() == []


def test_control_overtakes_what_was_told_before() -> None:
    """By the name as by the inbox."""
    names, probe = Names(), Probe()
    inbox = Inbox()
    probe.actor_inbox = inbox  # type: ignore[assignment] # a real one this time
    names.register("a", probe)  # type: ignore[arg-type] # as above
    names.tell("a", "first")
    names.control("a", "second")
    assert [inbox.get().message for _ in range(2)] == ["second", "first"]
