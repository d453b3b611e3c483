"""When a holder counts as provably gone: after it was seen, absent for long enough, renewing nothing."""

from __future__ import annotations

import pytest

from exqueue.actors.witness import ABSENT_FOR_S, Witness
from exqueue.persistence.values import Holder, Presence, Witnessed

HOLDER = Holder(7, "token", "node", renewal=1)


def seen(state: Witnessed, server: str = "run 1") -> Presence:
    """One look."""
    return Presence(state, server)


def present_at_zero() -> Witness:
    """A witness that has just seen the holder."""
    witness = Witness()
    assert not witness.is_gone(HOLDER, seen("present"), 0.0)
    return witness


def test_a_holder_that_stays_absent_is_gone() -> None:
    """Counted from the first look at which it was absent, not from the last at which it was present."""
    witness = present_at_zero()
    assert not witness.is_in_doubt
    assert not witness.is_gone(HOLDER, seen("absent"), 10.0)
    assert witness.is_in_doubt
    assert not witness.is_gone(HOLDER, seen("absent"), 10.0 + ABSENT_FOR_S - 0.01)
    assert witness.is_gone(HOLDER, seen("absent"), 10.0 + ABSENT_FOR_S)


def test_a_holder_whose_process_has_ended_is_gone_at_once() -> None:
    """That is a proof, whether it was ever seen or not."""
    assert Witness().is_gone(HOLDER, seen("gone"), 0.0)


def test_a_holder_that_was_never_seen_is_not_gone() -> None:
    """It may be one that is not allowed to subscribe."""
    witness = Witness()
    assert not any(witness.is_gone(HOLDER, seen("absent"), float(now)) for now in range(100))


@pytest.mark.parametrize(
    "between",
    [
        (HOLDER, seen("present")),
        (HOLDER, seen("unknown")),
        (Holder(7, "token", "node", renewal=2), seen("absent")),
        (HOLDER, seen("absent", "run 2")),
        (Holder(8, "other", "node"), seen("absent")),
    ],
    ids=["present", "unknown", "renewed", "another run of the server", "another holder"],
)
def test_what_comes_between_begins_the_time_anew(between: tuple[Holder, Presence]) -> None:
    """It has to be absent at each look, under one lease, as one run of the server sees it."""
    witness = present_at_zero()
    assert not witness.is_gone(HOLDER, seen("absent"), 10.0)
    assert not witness.is_gone(*between, 10.0 + ABSENT_FOR_S)
    assert not witness.is_gone(HOLDER, seen("absent"), 10.1 + ABSENT_FOR_S)


def test_a_restarted_server_has_to_see_it_first() -> None:
    """A holder that has not subscribed again yet lives."""
    witness = present_at_zero()
    assert not any(witness.is_gone(HOLDER, seen("absent", "run 2"), float(now)) for now in range(1, 100))
    assert not witness.is_gone(HOLDER, seen("present", "run 2"), 100.0)
    assert not witness.is_gone(HOLDER, seen("absent", "run 2"), 101.0)
    assert witness.is_gone(HOLDER, seen("absent", "run 2"), 101.0 + ABSENT_FOR_S)
