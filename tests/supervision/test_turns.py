"""The end of a turn: it comes after whatever an actor handled last, also after what it refused."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from exqueue.errors import ConfigError
from exqueue.supervision import Reply, actor
from tests.supervision.tree import DEADLINE_S, Player, child, crash, running


class Counting(Player):
    """Counts on the board the turns that it ended."""

    def on_turn_end(self) -> None:
        turns = self.board.table("turns")
        turns["ended"] = turns.get("ended", 0) + 1
        left = self.board.table("left")
        while left:
            left.popitem()[1].set("done")


def keep(asker: Reply[Any]) -> Any:
    """Leave work that is done when the turn ends."""

    def do(player: Any) -> None:
        player.board.table("left")[id(asker)] = asker

    return do


def test_a_refusal_that_comes_last_ends_the_turn() -> None:
    """What was left for the end of the turn is not forgotten because the last message of it was refused."""
    work: Reply[Any] = Reply()
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: Any) -> None:
        begun.set()
        assert go_on.wait(DEADLINE_S)

    with running(child("a", Counting)) as tree:
        tree.tell("a", hold)
        assert begun.wait(DEADLINE_S)
        tree.tell("a", keep(work))
        refused = tree.send("a", crash(ConfigError("no")))
        go_on.set()
        with pytest.raises(ConfigError, match="no"):
            refused.get(timeout=DEADLINE_S)
        assert work.get(timeout=DEADLINE_S) == "done"


def test_refusals_count_for_the_length_of_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are refused one after the other, a turn has its end."""
    monkeypatch.setattr(actor, "MAX_MESSAGES_A_TURN", 3)
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: Any) -> None:
        begun.set()
        assert go_on.wait(DEADLINE_S)

    def turns(player: Any) -> int:
        count: int = player.board.table("turns").get("ended", 0)
        return count

    with running(child("a", Counting)) as tree:
        tree.tell("a", hold)
        assert begun.wait(DEADLINE_S)
        refused = [tree.send("a", crash(ConfigError("no"))) for _ in range(5)]
        seen = tree.send("a", turns)
        go_on.set()
        assert seen.get(timeout=DEADLINE_S) == 2
        for reply in refused:
            with pytest.raises(ConfigError):
                reply.get(timeout=DEADLINE_S)


def test_what_fails_at_the_end_of_a_refused_turn_is_a_crash() -> None:
    """The asker keeps its refusal, and the error of the end is reported as the actor's own."""
    fails = iter([True])

    class Failing(Player):
        def on_turn_end(self) -> None:
            if next(fails, False):
                raise ConfigError("at the end")

    with running(child("a", Failing)) as tree:
        with pytest.raises(ConfigError, match="refused"):
            tree.ask("a", crash(ConfigError("refused")))
        assert tree.until_down("a").exit.error == "exqueue.errors.ConfigError: at the end"
        tree.until_lived("restarted", "a")
