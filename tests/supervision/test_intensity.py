"""How many restarts are allowed in how long, and what a spec refuses."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exqueue.errors import ConfigError
from exqueue.supervision import Backoff, ChildSpec, Intensity
from exqueue.supervision.intensity import add_restart
from tests.supervision.tree import Player


def test_as_many_as_allowed_and_not_one_more() -> None:
    """The first n within the window are allowed, the next is not."""
    history: tuple[float, ...] = ()
    answers = []
    for now in (0.0, 1.0, 2.0):
        history, allowed = add_restart(history, now, Intensity(2, 5.0))
        answers.append(allowed)
    assert answers == [True, True, False]


@pytest.mark.parametrize(("now", "allowed"), [(5.0, False), (5.001, True)])
def test_both_ends_belong_to_the_window(now: float, *, allowed: bool) -> None:
    """A restart exactly period_s ago still counts."""
    assert add_restart((0.0,), now, Intensity(1, 5.0))[1] is allowed


def test_no_restart_allowed() -> None:
    """Zero means that the first failure is one too many."""
    assert add_restart((), 0.0, Intensity(0, 5.0)) == ((0.0,), False)


@given(st.lists(st.floats(0, 100), max_size=30).map(sorted), st.integers(0, 5), st.floats(0.1, 50))
def test_the_history_holds_the_window_and_nothing_else(times: list[float], restarts: int, period_s: float) -> None:
    """It does not grow with the age of the supervisor, and allowed is what its length says."""
    intensity = Intensity(restarts, period_s)
    history: tuple[float, ...] = ()
    for now in times:
        history, allowed = add_restart(history, now, intensity)
        assert history == tuple(t for t in times[: len(times)] if now - period_s <= t <= now)[: len(history)]
        assert allowed is (len(history) <= restarts)


def test_a_backoff_doubles_up_to_its_cap() -> None:
    """Also after so many attempts that the power would overflow."""
    backoff = Backoff(1.0, 60.0)
    assert [backoff.delay_s(n) for n in (0, 1, 2, 5, 6, 10_000)] == [1, 2, 4, 32, 60, 60]


@pytest.mark.parametrize("restarts", [-1, 1.5, True, "3"])
def test_an_intensity_is_a_whole_number(restarts: object) -> None:
    """What OTP refuses is refused."""
    with pytest.raises(ConfigError, match="restarts"):
        Intensity(restarts)  # type: ignore[arg-type]


@pytest.mark.parametrize("period_s", [0, -1, math.inf, math.nan])
def test_a_period_is_above_zero_and_finite(period_s: float) -> None:
    """A window must end."""
    with pytest.raises(ConfigError, match="period_s"):
        Intensity(1, period_s)


@pytest.mark.parametrize(("id", "shutdown_s"), [("", 1), ("a/b", 1), ("a", -1), ("a", math.nan)])
def test_a_spec_refuses_what_could_not_be_supervised(id: str, shutdown_s: float) -> None:
    """An id is a part of a path; a stop takes a number of seconds."""
    with pytest.raises(ConfigError):
        ChildSpec(id, Player, shutdown_s=shutdown_s)
