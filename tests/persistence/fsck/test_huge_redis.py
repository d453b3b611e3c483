"""A store in Redis with numbers that nobody ever counted to: each is found and brought down to one that works."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exqueue.persistence.inspection.check import check
from tests.persistence.fsck.conftest import Shop
from tests.persistence.fsck.shop import QUEUE, Found, assert_mended, found, records_of

HUGE = [str(2**53), str(2**60), "9" * 20, "9" * 5_000]
"""One more than Lua counts exactly, more than that, more than 64 bits, and more than Python reads."""

Break = Callable[[Shop, str], object]

BROKEN: list[tuple[str, Break, Found]] = [
    *(
        (
            f"{field} of the queue",
            lambda it, huge, field=field: it.client.hset(it.at.owner, field, huge),
            ("unreadable_owner", QUEUE, None),
        )
        for field in ("epoch", "seat", "call", "places", "processed", "failed", "husks")
    ),
    ("the last epoch", lambda it, huge: it.client.hset(it.keys.fence, "epoch", huge), ("unreadable_fence", None, None)),
    (
        "the place of a run",
        lambda it, huge: it.client.hset(it.at.running, "run1", f"{huge}|1|1|1790000000000"),
        ("unreadable_run", QUEUE, "run1"),
    ),
    (
        "the seat of a run",
        lambda it, huge: it.client.hset(it.at.running, "run1", f"1|{huge}|1|1790000000000"),
        ("unreadable_run", QUEUE, "run1"),
    ),
    ("husks", lambda it, huge: it.client.hset(it.at.husks, "gone1", huge), ("wrong_husks", QUEUE, "gone1")),
    (
        "recoveries",
        lambda it, huge: it.client.hset(it.at.recoveries, "suspect1", huge),
        ("unreadable_recoveries", QUEUE, "suspect1"),
    ),
    (
        "a call",
        lambda it, huge: it.client.set(it.at.caller("c"), f"{huge}|ok", px=60_000),
        ("unreadable_caller", QUEUE, None),
    ),
    ("a beat", lambda it, huge: it.client.hset(it.keys.nodes, "n", f"{huge}|i"), ("endless_beat", None, None)),
]


@pytest.mark.parametrize("huge", HUGE, ids=["2^53", "2^60", "20 digits", "5,000 digits"])
@pytest.mark.parametrize(("act", "finding"), [pytest.param(*rest, id=name) for name, *rest in BROKEN])
def test_a_number_that_nobody_counted_to_is_found_and_mended(shop: Shop, act: Break, finding: Found, huge: str) -> None:
    """Then a node can lead, claim the queue, and run all that it has."""
    before = records_of(shop.session)
    act(shop, huge)
    assert found(check(shop.store)) == {finding}
    assert_mended(shop.store, shop.session, before)


@pytest.mark.parametrize("number", [2.0**53, 1e300])
@pytest.mark.parametrize("line", ["returned", "suspects", "waiting", "dead"])
def test_a_place_or_a_time_that_nobody_comes_to_is_mended(shop: Shop, line: str, number: float) -> None:
    """It gets the first place, or is due now."""
    job_id = {"returned": "back1", "suspects": "suspect1", "waiting": "later1", "dead": "dead1"}[line]
    before = records_of(shop.session)
    shop.client.zadd(getattr(shop.at, line), {job_id: number})
    assert found(check(shop.store)) == {("no_number", QUEUE, job_id)}
    assert_mended(shop.store, shop.session, before)
