"""Who is restarted with whom, and in which order."""

from __future__ import annotations

from exqueue.supervision import Intensity, Strategy
from tests.supervision.otp.ends import break_starts, end, fragile
from tests.supervision.tree import child, running

MANY = Intensity(50, 60.0)
SIGNS = {"started": "+", "stopped": "-"}


def after_the_end_of_b(strategy: Strategy) -> tuple[str, list[str]]:
    """Of a, b and c: who is another one after the failure of b, and who stopped and started in which order."""
    with running(*map(child, "abc"), strategy=strategy) as tree:
        before = {name: tree.urn(name) for name in "abc"}
        tree.probe.waiting()
        end(tree, "b", "abnormal")
        order = [SIGNS[what] + name for what, name in tree.lived() if what in SIGNS]
        assert list(tree.statuses()) == ["a", "b", "c"]
        return "".join(name for name in "abc" if before[name] != tree.urn(name)), order


def test_otp_031_one_for_one_replaces_the_dead_child_only() -> None:
    """Its siblings are the same actors."""
    assert after_the_end_of_b(Strategy.ONE_FOR_ONE) == ("b", ["+b"])


def test_otp_032_one_for_all_ends_all_in_reverse_and_starts_all_in_order() -> None:
    """Nobody of before is left."""
    assert after_the_end_of_b(Strategy.ONE_FOR_ALL) == ("abc", ["-c", "-a", "+a", "+b", "+c"])


def test_otp_033_rest_for_one_renews_what_was_started_after_it() -> None:
    """Those before it are the same actors."""
    assert after_the_end_of_b(Strategy.REST_FOR_ONE) == ("bc", ["-c", "+b", "+c"])


def after_a_start_fails(strategy: Strategy) -> list[str]:
    """Who stopped and started after the failure of a, when the first new start of b fails."""
    with running(child("a"), fragile("b"), strategy=strategy, intensity=MANY) as tree:
        break_starts(tree, "b", times=1)
        tree.probe.waiting()
        end(tree, "a", "abnormal")
        tree.settle()
        assert tree.statuses() == {"a": "running", "b": "running"}
        return [SIGNS[what] + name for what, name in tree.lived() if what in SIGNS]


def test_otp_035_one_for_all_begins_again_when_a_sibling_cannot_start() -> None:
    """What had been started by then is ended again, and the whole set is tried anew."""
    assert after_a_start_fails(Strategy.ONE_FOR_ALL) == ["-b", "+a", "-a", "+a", "+b"]


def test_otp_036_rest_for_one_goes_on_from_the_one_that_cannot_start() -> None:
    """Those before it are not started once more."""
    assert after_a_start_fails(Strategy.REST_FOR_ONE) == ["-b", "+a", "+b"]
