"""An outage is said once, and its end once, by whoever sees it."""

import logging

import pytest

from exqueue.actors.tables import outages_table
from exqueue.actors.weather import LISTENER, Weather
from exqueue.errors import Outage
from exqueue.supervision import Board, ThreadRuntime


def levels(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged so far."""
    return [record.levelname for record in caplog.records]


def test_the_first_says_it_and_the_last_says_its_end(caplog: pytest.LogCaptureFixture) -> None:
    """However often each of them meets it."""
    caplog.set_level(logging.INFO, "exqueue")
    board, runtime = Board(), ThreadRuntime()
    one, other = Weather("one", board, runtime), Weather("other", board, runtime)
    for weather in (one, other, one):
        weather.storm(Outage("away"))
    one.calm()
    assert levels(caplog) == ["WARNING"]
    other.calm()
    one.calm()
    assert levels(caplog) == ["WARNING", "INFO"]


def test_who_asks_no_more_leaves_the_end_to_the_listener(caplog: pytest.LogCaptureFixture) -> None:
    """Else nobody would ever say it, and the next outage would not be said either."""
    caplog.set_level(logging.INFO, "exqueue")
    board, runtime = Board(), ThreadRuntime()
    one, listener = Weather("one", board, runtime), Weather(LISTENER, board, runtime)
    one.storm(Outage("away"))
    one.leave()
    assert list(outages_table(board)) == [LISTENER]
    assert levels(caplog) == ["WARNING"]
    listener.calm()
    assert levels(caplog) == ["WARNING", "INFO"]
    assert not outages_table(board)


def test_an_actor_that_crashes_in_an_outage_leaves_no_row_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """Its successor, which met no outage, is not the one to see the end."""
    caplog.set_level(logging.INFO, "exqueue")
    board, runtime = Board(), ThreadRuntime()
    listener = Weather(LISTENER, board, runtime)
    Weather("one", board, runtime).storm(Outage("away"))
    Weather("one", board, runtime).calm()
    listener.calm()
    assert levels(caplog) == ["WARNING", "INFO"]
    assert not outages_table(board)
