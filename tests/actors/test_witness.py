"""When a holder counts as provably gone: after its lease says it was seen, absent for long enough, renewing nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exqueue.actors.witness import ABSENT_FOR_S, Witness
from exqueue.persistence.values import Holder, Presence, Witnessed

AFTER_OUTAGE_S = 4.0
HOLDER = Holder(7, "token", "node", renewal=1, seen_by="run 1")


def seen(state: Witnessed, server: str = "run 1") -> Presence:
    """One look."""
    return Presence(state, server)


def test_a_holder_that_stays_absent_is_gone() -> None:
    """Counted from the first look at which it was absent; whether this witness ever saw it present does not matter."""
    witness = Witness(AFTER_OUTAGE_S)
    assert not witness.is_in_doubt
    assert not witness.is_gone(HOLDER, seen("absent"), 10.0)
    assert witness.is_in_doubt
    assert not witness.is_gone(HOLDER, seen("absent"), 10.0 + ABSENT_FOR_S - 0.01)
    assert witness.is_gone(HOLDER, seen("absent"), 10.0 + ABSENT_FOR_S)


def test_a_holder_whose_process_has_ended_is_gone_at_once() -> None:
    """That is a proof, whatever the lease says."""
    assert Witness(AFTER_OUTAGE_S).is_gone(replace(HOLDER, seen_by=None), seen("gone"), 0.0)


@pytest.mark.parametrize("seen_by", [None, "", "run 0"], ids=["nobody", "no server", "another run of the server"])
def test_a_holder_that_was_not_seen_when_it_renewed_is_not_gone(seen_by: str | None) -> None:
    """It may be one that is not allowed to subscribe, or has not subscribed again yet, also when it was seen before."""
    witness = Witness(AFTER_OUTAGE_S)
    holder = replace(HOLDER, seen_by=seen_by)
    assert not witness.is_gone(holder, seen("present"), 0.0)
    assert not any(witness.is_gone(holder, seen("absent"), float(now)) for now in range(1, 100))
    assert not witness.is_in_doubt


def test_where_servers_have_no_runs_the_lease_still_has_to_say_that_it_was_seen() -> None:
    """As in memory: "seen by the only one there is" is something else than "seen by nobody"."""
    witness = Witness(AFTER_OUTAGE_S)
    for seen_by, is_gone in ((None, False), ("", True)):
        holder = replace(HOLDER, seen_by=seen_by)
        assert not witness.is_gone(holder, seen("absent", ""), 10.0)
        assert witness.is_gone(holder, seen("absent", ""), 10.0 + ABSENT_FOR_S) is is_gone


@pytest.mark.parametrize(
    "between",
    [
        (HOLDER, seen("present")),
        (HOLDER, seen("unknown")),
        (replace(HOLDER, renewal=2), seen("absent")),
        (replace(HOLDER, renewal=2, seen_by=None), seen("absent")),
        (HOLDER, seen("absent", "run 2")),
        (replace(HOLDER, epoch=8, token="other"), seen("absent")),
    ],
    ids=["present", "unknown", "renewed", "renewed unseen", "another run of the server", "another holder"],
)
def test_what_comes_between_begins_the_time_anew(between: tuple[Holder, Presence]) -> None:
    """It has to be absent at each look, under one renewal, as one run of the server sees it."""
    witness = Witness(AFTER_OUTAGE_S)
    assert not witness.is_gone(HOLDER, seen("absent"), 10.0)
    assert not witness.is_gone(*between, 10.0 + ABSENT_FOR_S)
    assert not witness.is_gone(HOLDER, seen("absent"), 10.1 + ABSENT_FOR_S)


def test_a_look_that_failed_begins_the_time_anew() -> None:
    """A server that answered nobody let the holder renew nothing either, and its next try may still take a while."""
    witness = Witness(AFTER_OUTAGE_S)
    assert not witness.is_gone(HOLDER, seen("absent"), 10.0)
    witness.look_failed()
    assert not witness.is_in_doubt
    assert not witness.is_gone(HOLDER, seen("absent"), 20.0)
    assert not witness.is_gone(HOLDER, seen("absent"), 20.0 + AFTER_OUTAGE_S - 0.01)
    assert witness.is_gone(HOLDER, seen("absent"), 20.0 + AFTER_OUTAGE_S)


@pytest.mark.parametrize(
    "sign", [(HOLDER, seen("present")), (replace(HOLDER, renewal=2), seen("absent"))], ids=["present", "renewed"]
)
def test_a_sign_of_life_after_an_outage_ends_the_caution(sign: tuple[Holder, Presence]) -> None:
    """Whoever was heard of again can be missed again."""
    witness = Witness(AFTER_OUTAGE_S)
    witness.look_failed()
    assert not witness.is_gone(HOLDER, seen("absent"), 20.0)
    assert not witness.is_gone(*sign, 20.1)
    holder = sign[0]
    assert not witness.is_gone(holder, seen("absent"), 20.2)
    assert witness.is_gone(holder, seen("absent"), 20.2 + ABSENT_FOR_S)
