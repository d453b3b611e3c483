"""A store in Redis, broken in every way: each is found, explained and mended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from exqueue.errors import StoreInUse
from exqueue.persistence.inspection.check import check
from exqueue.persistence.inspection.inspector import Inspectable
from exqueue.persistence.inspection.remedies import Forget, Put, SetOwner
from exqueue.persistence.redis.keys import ROLES
from exqueue.persistence.values import Fence
from tests.persistence.fsck.conftest import Shop
from tests.persistence.fsck.shop import QUEUE, TIMEOUT_S, Found, assert_mended, found, record, records_of

if TYPE_CHECKING:
    from exqueue.persistence.inspection.inspector import Inspector
    from exqueue.persistence.inspection.remedies import Remedy
    from exqueue.persistence.inspection.report import Report

Break = Callable[[Shop], object]

GARBAGE = b"\x01 somebody else was here"

BROKEN: list[tuple[str, Break, Found]] = [
    ("a ready job out of its line", lambda it: it.client.lrem(it.at.ready, 1, "ready2"), ("no_place", QUEUE, "ready2")),
    ("a dead job out of its line", lambda it: it.client.zrem(it.at.dead, "dead1"), ("no_place", QUEUE, "dead1")),
    ("a run that is gone", lambda it: it.client.hdel(it.at.running, "run1"), ("no_place", QUEUE, "run1")),
    ("ready and waiting", lambda it: it.client.zadd(it.at.waiting, {"ready1": 1e12}), ("two_places", QUEUE, "ready1")),
    ("ready twice", lambda it: it.client.rpush(it.at.ready, "ready1"), ("two_places", QUEUE, "ready1")),
    ("running and dead", lambda it: it.client.zadd(it.at.dead, {"run1": 1e12}), ("two_places", QUEUE, "run1")),
    ("running and ready", lambda it: it.client.lpush(it.at.ready, "run1"), ("two_places", QUEUE, "run1")),
    ("back twice", lambda it: it.client.zadd(it.at.suspects, {"back1": 5}), ("two_places", QUEUE, "back1")),
    ("ghost ready", lambda it: it.client.lpush(it.at.ready, "ghost"), ("place_without_record", QUEUE, "ghost")),
    ("ghost waits", lambda it: it.client.zadd(it.at.waiting, {"ghost": 1}), ("place_without_record", QUEUE, "ghost")),
    ("ghost back", lambda it: it.client.zadd(it.at.returned, {"ghost": 0}), ("place_without_record", QUEUE, "ghost")),
    ("ghost dead", lambda it: it.client.zadd(it.at.dead, {"ghost": 1}), ("place_without_record", QUEUE, "ghost")),
    (
        "ghost runs",
        lambda it: it.client.hset(it.at.running, "ghost", "1|1|1|1790000000000"),
        ("place_without_record", QUEUE, "ghost"),
    ),
    ("trail of a ghost", lambda it: it.client.hset(it.at.trail, "ghost", "t"), ("leftovers", QUEUE, "ghost")),
    ("recovered ghost", lambda it: it.client.hset(it.at.recoveries, "ghost", "1"), ("leftovers", QUEUE, "ghost")),
    ("nonsense of a ghost", lambda it: it.client.hset(it.at.recoveries, "ghost", "x"), ("leftovers", QUEUE, "ghost")),
    ("marked ghost", lambda it: it.client.hset(it.at.unreported, "ghost", "1|1|1|1"), ("leftovers", QUEUE, "ghost")),
    (
        "half a trail",
        lambda it: it.client.hset(it.at.trail, "failed1", b"\x01?"),
        ("undecodable_trail", QUEUE, "failed1"),
    ),
    (
        "recoveries that are no times",
        lambda it: it.client.hset(it.at.recoveries, "suspect1", "1790000000000,nonsense"),
        ("unreadable_recoveries", QUEUE, "suspect1"),
    ),
    (
        "recoveries to come",
        lambda it: it.client.hset(it.at.recoveries, "back1", "99999999999000,99999999999000"),
        ("unreadable_recoveries", QUEUE, "back1"),
    ),
    ("no run", lambda it: it.client.hset(it.at.running, "run1", "nonsense"), ("unreadable_run", QUEUE, "run1")),
    ("an empty run", lambda it: it.client.hset(it.at.running, "run1", ""), ("unreadable_run", QUEUE, "run1")),
    ("a later seat", lambda it: it.client.hset(it.at.running, "run1", "1|9|1|1"), ("old_run", QUEUE, "run1")),
    ("a later call", lambda it: it.client.hset(it.at.running, "run1", "1|1|99|1"), ("old_run", QUEUE, "run1")),
    ("never due", lambda it: it.client.zadd(it.at.waiting, {"later1": "inf"}), ("no_number", QUEUE, "later1")),
    ("died never", lambda it: it.client.zadd(it.at.dead, {"dead1": "-inf"}), ("no_number", QUEUE, "dead1")),
    ("half a place", lambda it: it.client.zadd(it.at.returned, {"back1": 1.5}), ("no_number", QUEUE, "back1")),
    ("no place at all", lambda it: it.client.zadd(it.at.suspects, {"suspect1": -1}), ("no_number", QUEUE, "suspect1")),
    ("a head in line", lambda it: it.client.hset(it.at.owner, "head", "ready2"), ("wrong_line", QUEUE, "ready2")),
    (
        "a mark of the living",
        lambda it: it.client.hset(it.at.unreported, "ready1", "1|1|1|1"),
        ("mark_without_death", QUEUE, "ready1"),
    ),
    (
        "husks that are no number",
        lambda it: (it.client.hset(it.at.husks, "ready1", "x"),),
        ("wrong_husks", QUEUE, "ready1"),
    ),
    ("a count of husks", lambda it: it.client.hset(it.at.owner, "husks", 7), ("wrong_count", QUEUE, None)),
    ("a count of places", lambda it: it.client.hset(it.at.owner, "places", 0), ("wrong_count", QUEUE, None)),
    ("a lost head", lambda it: it.client.hset(it.at.owner, "head", "ghost"), ("lost_head", QUEUE, "ghost")),
    *(
        (
            f"no {field}",
            lambda it, field=field: it.client.hset(it.at.owner, field, "x"),
            ("unreadable_owner", QUEUE, None),
        )
        for field in ("epoch", "seat", "call", "places", "processed", "failed", "husks", "paused", "serial", "hungry")
    ),
    ("no refusals", lambda it: it.client.hset(it.at.owner, "refused", "x"), ("unreadable_owner", QUEUE, None)),
    ("no next time", lambda it: it.client.hset(it.at.owner, "next_due", "x"), ("unreadable_owner", QUEUE, None)),
    ("off the list", lambda it: it.client.srem(it.keys.queues, QUEUE), ("unlisted_queue", QUEUE, None)),
    ("no name", lambda it: it.client.sadd(it.keys.queues, b"\xff"), ("foreign_name", None, None)),
    ("a fence set back", lambda it: it.client.hset(it.keys.fence, "epoch", 0), ("epoch_ahead", QUEUE, None)),
    ("a fence that is gone", lambda it: it.client.delete(it.keys.fence), ("epoch_ahead", QUEUE, None)),
    ("the same epoch twice", lambda it: it.client.hset(it.keys.fence, "token", "x"), ("epoch_ahead", QUEUE, None)),
    ("no fence", lambda it: it.client.hset(it.keys.fence, "epoch", "x"), ("unreadable_fence", None, None)),
    ("no lease", lambda it: it.client.set(it.keys.lease, "nonsense"), ("unreadable_lease", None, None)),
    ("no lease either", lambda it: it.client.set(it.keys.lease, "a|b|c|d"), ("unreadable_lease", None, None)),
    ("no call", lambda it: it.client.set(it.at.caller("c"), "x", px=60_000), ("unreadable_caller", QUEUE, None)),
    ("an endless call", lambda it: it.client.set(it.at.caller("c"), "7|ok"), ("endless_caller", QUEUE, None)),
    ("no beat", lambda it: it.client.hset(it.keys.nodes, "n", "nonsense"), ("unreadable_beat", None, None)),
    ("a beat of nobody", lambda it: it.client.hset(it.keys.nodes, b"\xff", "1|i"), ("unreadable_beat", None, None)),
    ("an endless beat", lambda it: it.client.hset(it.keys.nodes, "n", f"{10**15}|i"), ("endless_beat", None, None)),
]
"""What is done to a sound store, and what is found then."""


@pytest.mark.parametrize(("act", "finding"), [pytest.param(*rest, id=name) for name, *rest in BROKEN])
def test_each_way_to_break_a_store_is_found_and_mended(shop: Shop, act: Break, finding: Found) -> None:
    """Nothing else is found, no record is lost by it, and every job can run or stays where it waits."""
    before = records_of(shop.session)
    act(shop)
    report = check(shop.store)
    assert found(report) == {finding}
    assert not any(each.mended for each in report.findings)
    before.pop("ghost", None)
    assert_mended(shop.store, shop.session, {job_id: record(job_id) for job_id in before})


@pytest.mark.parametrize("garbage", [b"", GARBAGE], ids=["nothing", "garbage"])
@pytest.mark.parametrize("job_id", ["ready1", "later1", "back1", "suspect1", "run1"])
def test_a_record_that_nobody_can_read_goes_to_the_dead_ones_with_its_bytes(
    shop: Shop, job_id: str, garbage: bytes
) -> None:
    """Wherever it stood; its death is marked, so that it is reported like any other."""
    before = records_of(shop.session)
    shop.client.hset(shop.at.jobs, job_id, garbage)
    assert found(check(shop.store)) == {("undecodable_record", QUEUE, job_id)}
    mended = assert_mended(shop.store, shop.session, before | {job_id: garbage})
    assert [finding.kind for finding in mended] == ["undecodable_record"]
    dead = {job.id: job.record for job in shop.session.list_jobs(QUEUE, "dead", 10, 0)}
    assert dead[job_id] == garbage
    marked = {one.mark.id for one in shop.session.unreported(QUEUE, 10)}
    assert marked == {"dead1", job_id}


def test_a_record_of_a_newer_format_is_in_order(shop: Shop) -> None:
    """It waits for a node that can read it."""
    shop.client.hset(shop.at.jobs, "ready1", b"\x02 of a newer version")
    assert check(shop.store).is_sound


@pytest.mark.parametrize(
    ("act", "job_id", "state"),
    [
        pytest.param(lambda it: it.client.zadd(it.at.dead, {"run1": 1e12}), "run1", "dead", id="running and dead"),
        pytest.param(lambda it: it.client.rpush(it.at.ready, "dead1"), "dead1", "dead", id="dead and ready"),
        pytest.param(lambda it: it.client.zadd(it.at.dead, {"later1": 1e12}), "later1", "dead", id="waiting and dead"),
        pytest.param(
            lambda it: it.client.zadd(it.at.returned, {"later1": 1}), "later1", "waiting", id="waiting and back"
        ),
        pytest.param(lambda it: it.client.rpush(it.at.ready, "run1"), "run1", "ready", id="running and ready"),
        pytest.param(lambda it: it.client.zrem(it.at.dead, "dead1"), "dead1", "dead", id="buried and nowhere"),
        pytest.param(lambda it: it.client.zrem(it.at.waiting, "failed1"), "failed1", "ready", id="failed and nowhere"),
    ],
)
def test_a_job_is_put_where_it_does_least_harm(shop: Shop, act: Break, job_id: str, state: str) -> None:
    """What waits for a person is not run, what waits for a time not before it, and what was buried stays dead."""
    act(shop)
    assert check(shop.store, repair=True).is_mended
    (job,) = shop.session.get_jobs(job_id, [QUEUE])
    assert job.state == state


@pytest.mark.parametrize("run", ["nonsense", "1|9|1|1"])
def test_a_run_that_nobody_can_end_counts_as_lost(shop: Shop, run: str) -> None:
    """As any run of a node that died: a job that takes down whatever runs it has to be told from the others."""
    shop.client.hset(shop.at.running, "run1", run)
    check(shop.store, repair=True)
    (job,) = shop.session.get_jobs("run1", [QUEUE])
    assert (job.state, job.recoveries) == ("ready", 1)


def test_a_job_that_stands_twice_in_line_keeps_its_first_place(shop: Shop) -> None:
    """The entry that is to be skipped, of when it was cancelled, stays before it."""
    line = shop.client.lrange(shop.at.ready, 0, -1)
    shop.client.rpush(shop.at.ready, "gone1", "ready1", "ready1")
    shop.client.hset(shop.at.jobs, "gone1", record("gone1"))
    assert found(check(shop.store)) == {("two_places", QUEUE, "ready1")}
    assert check(shop.store, repair=True).is_mended
    assert shop.client.lrange(shop.at.ready, 0, -1) == [*line, b"gone1"]


def test_a_node_that_begins_to_lead_during_a_repair_ends_it(shop: Shop) -> None:
    """Each step looks once more, so that none falls into its work."""
    assert isinstance(shop.session.acquire("node-9", "nine", 60.0, 0), Fence)
    inspector = open_inspector(shop)
    remedies: list[Remedy] = [Put(QUEUE, "ready1", "dead"), Forget(QUEUE, "ghost"), SetOwner(QUEUE, "head", None)]
    for remedy in remedies:
        with pytest.raises(StoreInUse, match="a node began to lead"):
            inspector.apply(remedy)
    assert shop.client.zscore(shop.at.dead, "ready1") is None


def open_inspector(shop: Shop) -> Inspector:
    """As a repair uses it."""
    assert isinstance(shop.store, Inspectable)
    return shop.store.inspector(timeout=TIMEOUT_S)


def test_a_remedy_for_a_job_that_is_gone_by_now_does_nothing(shop: Shop) -> None:
    """Somebody may have cancelled it between the look and the step; and a job that has come is not forgotten."""
    before = records_of(shop.session)
    inspector = open_inspector(shop)
    inspector.apply(Put(QUEUE, "ghost", "ready"))
    inspector.apply(Forget(QUEUE, "ready1"))
    assert records_of(shop.session) == before
    assert check(shop.store).is_sound


def test_husks_that_are_too_many_would_hide_a_later_job(shop: Shop) -> None:
    """They are set right, and so is their sum."""
    shop.client.hset(shop.at.husks, "gone1", 3)
    shop.client.hset(shop.at.owner, "husks", 3)
    before = records_of(shop.session)
    assert found(check(shop.store)) == {("wrong_husks", QUEUE, "gone1")}
    assert_mended(shop.store, shop.session, before)
    assert shop.client.hget(shop.at.husks, "gone1") is None  # It was passed over when all that was ready was fetched.


def test_a_suspect_among_the_others_is_held_apart_again(shop: Shop) -> None:
    """It would run beside another suspect, and be blamed for that, or that for it."""
    before = records_of(shop.session)
    place = shop.client.zscore(shop.at.suspects, "suspect1")
    assert place is not None
    shop.client.zrem(shop.at.suspects, "suspect1")
    shop.client.zadd(shop.at.returned, {"suspect1": place})
    assert found(check(shop.store)) == {("wrong_line", QUEUE, "suspect1")}
    check(shop.store, repair=True)
    assert shop.client.zscore(shop.at.suspects, "suspect1") == place
    assert_mended(shop.store, shop.session, before)


def test_places_stay_when_all_records_are_gone(shop: Shop) -> None:
    """Somebody renamed their key, as it may turn out: then it is brought back, and all is as it was."""
    before = records_of(shop.session)
    shop.client.rename(shop.at.jobs, "elsewhere")
    assert found(check(shop.store)) == {("lost_records", QUEUE, None)}
    report = check(shop.store, repair=True)
    assert found(report) == {("lost_records", QUEUE, None)}
    assert not report.is_mended
    shop.client.rename("elsewhere", shop.at.jobs)
    assert check(shop.store).is_sound
    assert records_of(shop.session) == before


def test_records_under_a_key_that_was_set_aside_are_gone(shop: Shop) -> None:
    """The key that was in their place is renamed, and their places stay."""
    shop.client.delete(shop.at.jobs)
    shop.client.set(shop.at.jobs, "somebody else was here")
    report = check(shop.store, repair=True)
    assert found(report) == {("foreign_type", QUEUE, None), ("lost_records", QUEUE, None)}
    assert [finding.kind for finding in report.findings if finding.mended] == ["foreign_type"]
    assert shop.client.zcard(shop.at.dead) == 1


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"jobs", "layout", "caller", "queues", "fence", "lease", "nodes"}))
def test_a_key_of_a_queue_of_another_type_is_set_aside(shop: Shop, role: str) -> None:
    """Nothing of it is deleted; what can be told of the jobs without it is mended."""
    key: bytes = getattr(shop.at, role)
    before = records_of(shop.session)
    shop.client.delete(key)
    shop.client.set(key, "somebody else was here")
    assert found(check(shop.store)) == {("foreign_type", QUEUE, None)}
    assert_mended(shop.store, shop.session, before)
    (aside,) = shop.client.keys(b"%saside:*" % shop.at.prefix)
    assert shop.client.get(aside) == b"somebody else was here"


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"caller", "lease", "nodes"}))
def test_a_key_that_would_end_is_kept(shop: Shop, role: str) -> None:
    """The server would delete it, with all that is in it."""
    of_queue = hasattr(shop.at, role)
    key: bytes = getattr(shop.at if of_queue else shop.keys, role)
    before = records_of(shop.session)
    assert shop.client.pexpire(key, 3_600_000)
    assert found(check(shop.store)) == {("expiring", QUEUE if of_queue else None, None)}
    assert check(shop.store, repair=True).is_mended
    assert shop.client.pttl(key) == -1
    assert records_of(shop.session) == before
    assert check(shop.store).is_sound


@pytest.mark.parametrize("role", ["queues", "fence", "lease", "nodes"])
def test_a_key_of_the_namespace_of_another_type_is_set_aside(shop: Shop, role: str) -> None:
    """The queues are put on a new list."""
    key: bytes = getattr(shop.keys, role)
    before = records_of(shop.session)
    shop.client.delete(key)
    shop.client.rpush(key, "somebody else was here")
    report = check(shop.store)
    others = {("unlisted_queue", QUEUE, None)} if role == "queues" else set()
    assert found(report) == {("foreign_type", None, None), *others}
    assert_mended(shop.store, shop.session, before)
    assert shop.session.queues() == (QUEUE,)


def test_a_foreign_key_of_a_caller_is_set_aside(shop: Shop) -> None:
    """It is in nobody's way but that caller's."""
    shop.client.rpush(shop.at.caller("c"), "x")
    assert found(check(shop.store)) == {("foreign_type", QUEUE, None)}
    assert_mended(shop.store, shop.session, records_of(shop.session))


def refused(shop: Shop) -> Report:
    """Repair is refused and changes nothing; what is found nevertheless."""
    shop.client.lrem(shop.at.ready, 1, "ready2")
    with pytest.raises(StoreInUse, match="node node-9 leads"):
        check(shop.store, repair=True)
    report = check(shop.store)
    assert ("no_place", QUEUE, "ready2") in found(report)
    return report


def test_a_lease_without_an_end_gets_one_and_whoever_holds_it_may_go_on(shop: Shop) -> None:
    """A dead holder would else keep everybody out for ever; a living one renews."""
    shop.client.hset(shop.keys.fence, "token", "t")
    shop.client.set(shop.keys.lease, "1|t|1790000000000|node-9")
    assert found(check(shop.store)) == {
        ("endless_lease", None, None),
        ("epoch_ahead", QUEUE, None),
    }
    refused(shop)
    assert 0 < shop.client.pttl(shop.keys.lease) <= 10_000


def test_a_lease_of_another_leadership_is_told_and_ends_by_itself(shop: Shop) -> None:
    """Nothing is done about it: whoever holds it is refused everywhere."""
    shop.client.set(shop.keys.lease, "7|t|1790000000000|node-9", px=60_000)
    assert ("lease_of_another", None, None) in found(refused(shop))
    assert check(shop.store).leader == "node-9"
