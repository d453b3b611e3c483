"""How many restarts are allowed in how long, and what a spec refuses."""

from hypothesis import given, settings
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


@settings(derandomize=True, max_examples=300)
@given(st.lists(st.integers(0, 60), max_size=40).map(sorted), st.integers(0, 5), st.integers(1, 20))
def test_the_decision_is_that_of_somebody_who_remembers_all(times: list[int], restarts: int, period_s: int) -> None:
    """Allowed is what leaves at most so many in the window, its ends included; and nothing else is remembered."""
    history: tuple[float, ...] = ()
    for count, now in enumerate(times, 1):
        history, allowed = add_restart(history, now, Intensity(restarts, period_s))
        in_window = [at for at in times[:count] if now - at <= period_s]
        assert list(history) == in_window
        assert allowed is (len(in_window) <= restarts)


@settings(derandomize=True)
@given(st.floats(0.001, 1e6), st.floats(0.001, 1e6), st.integers(0, 10_000))
def test_a_backoff_grows_and_stays_within_its_bounds(first_s: float, cap_s: float, attempt: int) -> None:
    """It never shrinks, and neither begins nor ends above its cap."""
    backoff = Backoff(first_s, cap_s)
    delay_s = backoff.delay_s(attempt)
    assert min(first_s, cap_s) <= delay_s <= cap_s
    assert delay_s <= backoff.delay_s(attempt + 1) <= max(cap_s, 2 * delay_s)


def test_a_backoff_doubles_up_to_its_cap() -> None:
    """Also after so many attempts that the power would overflow."""
    backoff = Backoff(1.0, 60.0)
    assert [backoff.delay_s(n) for n in (0, 1, 2, 5, 6, 10_000)] == [1, 2, 4, 32, 60, 60]
