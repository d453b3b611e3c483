"""An outage is one outage, however many actors meet it, and in whatever order they leave it."""

from __future__ import annotations

import threading

import pytest

from exqueue.actors.tables import outage_table, outages_table, present_outage
from exqueue.actors.weather import LISTENER, MET, Weather
from exqueue.errors import Outage, StoreDamaged
from exqueue.supervision import Board, ThreadRuntime

BEGINS, ENDS = "WARNING", "INFO"


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="exqueue")


@pytest.fixture
def board() -> Board:
    """The board of a system."""
    return Board()


def weather(board: Board, name: str) -> Weather:
    """What the actor of this name knows."""
    return Weather(name, board, ThreadRuntime())


def said(log: pytest.LogCaptureFixture) -> list[str]:
    """The levels of what was said so far."""
    return [one.levelname for one in log.records]


def test_the_first_says_that_it_begins_and_the_last_that_it_is_over(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    """As long as one actor is not answered it is not over, and since when is what the first one saw."""
    one, other = weather(board, "one"), weather(board, "other")
    one.storm(Outage("it is gone"))
    since = present_outage(board)
    assert since is not None
    other.storm(Outage("it is still gone"))
    one.storm(Outage("it is loading"))
    row = present_outage(board)
    assert row is not None
    assert (row.since, row.reason) == (since.since, "it is loading")
    assert said(caplog) == [BEGINS]
    one.calm()
    assert said(caplog) == [BEGINS]
    one.storm(Outage("once more"))
    one.calm()
    other.calm()
    assert said(caplog) == [BEGINS, ENDS]
    assert present_outage(board) is None


def test_of_many_that_meet_it_in_the_same_moment_one_says_so(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    """However the threads interleave."""
    for _ in range(20):
        all_weathers = [weather(board, f"actor-{number}") for number in range(8)]
        together = threading.Barrier(8)

        def meet(mine: Weather, together: threading.Barrier = together) -> None:
            together.wait()
            mine.storm(Outage("it is gone"))

        threads = [threading.Thread(target=meet, args=(one,)) for one in all_weathers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one in all_weathers:
            one.calm()
    assert said(caplog) == [BEGINS, ENDS] * 20


def test_the_successor_of_a_crashed_actor_leaves_the_end_to_the_listener(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    """It may have nothing to ask, and the status would tell of an outage for ever."""
    weather(board, "operator").storm(Outage("it is gone"))
    weather(board, "operator")
    assert list(outages_table(board)) == [LISTENER]
    weather(board, LISTENER).calm()
    assert said(caplog) == [BEGINS, ENDS]
    assert not outages_table(board)


def test_what_may_pass_is_no_refusal_until_it_has_lasted(
    board: Board, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By when it was first met, whoever met it; of the next outage the time counts anew."""
    one, other = weather(board, "one"), weather(board, "other")
    failover = Outage("a replica", refusal="it is a replica", may_pass=True)
    for _ in range(2):
        one.storm(failover)
        other.storm(failover)
        assert said(caplog) == [BEGINS]
        assert [row.is_refusal for row in outages_table(board).values()] == [False, False]
        with monkeypatch.context() as patch:
            patch.setattr("exqueue.actors.weather.FAILOVER_S", 0.0)
            other.storm(failover)
            one.storm(failover)
        assert said(caplog) == [BEGINS, "ERROR"]
        one.calm()
        other.calm()
        assert said(caplog) == [BEGINS, "ERROR", ENDS]
        assert not [word for word in outage_table(board).copy() if word.startswith(MET)]
        caplog.clear()


def test_who_ends_in_an_outage_leaves_nothing_behind(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    """Others say whether it is over."""
    one, other = weather(board, "one"), weather(board, "other")
    one.storm(Outage("it is gone"))
    other.storm(Outage("it is gone"))
    one.leave()
    other.calm()
    assert said(caplog) == [BEGINS, ENDS]
    one.leave()
    assert present_outage(board) is None


def test_who_asks_no_more_leaves_the_end_to_the_listener(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    """Where nobody else saw the outage: else its end would never be said, and the next outage would not be either."""
    one = weather(board, "one")
    one.storm(Outage("it is gone"))
    one.leave()
    assert list(outages_table(board)) == [LISTENER]
    assert said(caplog) == [BEGINS]
    weather(board, LISTENER).calm()
    assert said(caplog) == [BEGINS, ENDS]
    assert present_outage(board) is None


def test_damage_to_some_keys_is_known_to_be_local(board: Board) -> None:
    """What has nothing to do with them is asked and answered as ever."""
    one = weather(board, "one")
    one.storm(StoreDamaged("a key is of another type"))
    assert [row.is_local for row in outages_table(board).values()] == [True]
    one.storm(Outage("it is gone"))
    assert [row.is_local for row in outages_table(board).values()] == [False]


def test_damage_is_told_from_what_passes_by_itself(board: Board) -> None:
    """Waiting mends a server that does not answer, and no key that somebody else wrote to."""
    fetcher = weather(board, "fetcher")
    assert not fetcher.is_damage
    fetcher.storm(StoreDamaged("a key"))
    assert fetcher.is_damage
    fetcher.storm(Outage("no server"))
    assert not fetcher.is_damage
    for ends in (fetcher.calm, fetcher.leave):
        fetcher.storm(StoreDamaged("a key"))
        ends()
        assert not fetcher.is_damage
