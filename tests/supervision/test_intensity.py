"""How many restarts are allowed in how long, and what a spec refuses."""

from hypothesis import given
from hypothesis import strategies as st

from exqueue.supervision import Backoff, Intensity
from exqueue.supervision.intensity import add_restart


def test_as_many_as_allowed_and_not_one_more() -> None:
    """The first n within the window are allowed, the next is not."""
    history: tuple[float, ...] = ()
    answers = []
    for now in (0.0, 1.0, 2.0):
        history, allowed = add_restart(history, now, Intensity(2, 5.0))
        answers.append(allowed)
    assert answers == [True, True, False]


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
