"""Between the look and the remedy somebody changes what was looked at: what stands there then is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exqueue.persistence.inspection.check import check
from exqueue.persistence.inspection.inspector import Inspectable
from exqueue.persistence.inspection.remedies import Own, Put, SetFence, SetOwner
from exqueue.persistence.redis.inspector import RedisInspector
from exqueue.persistence.sqlite.inspector import SqliteInspector
from exqueue.persistence.values import Fence, NewJob, Push
from tests.persistence.fsck.shop import QUEUE, TIMEOUT_S, found, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.base import Persistence, Session
    from exqueue.persistence.inspection.remedies import Remedy
    from tests.persistence.fsck.conftest import FileShop, Shop

Patch = pytest.MonkeyPatch


def before_the_remedy(patch: Patch, kind: type, act: Callable[[], object]) -> None:
    """Do something once, just before the first remedy of this kind is carried out."""
    left = [act]
    for inspector in (RedisInspector, SqliteInspector):

        def apply(
            self: RedisInspector | SqliteInspector,
            remedy: Remedy,
            stamp: bytes = b"",
            *,
            does: Callable[..., bool] = inspector.apply,
        ) -> bool:
            if left and isinstance(remedy, kind):
                left.pop()()
            return does(self, remedy, stamp)

        patch.setattr(inspector, "apply", apply)


def make_anew(session: Session) -> None:
    """Somebody deletes the dead job, and a Producer enqueues the same id anew."""
    assert session.delete_dead(QUEUE, "person", 2, ["dead1"]) == ("dead1",)
    push = Push(QUEUE, 1, (NewJob("dead1", record("dead1")),))
    assert session.push("another", [push]) == (None,)


def revive(session: Session) -> None:
    """Somebody tries the dead job again."""
    assert session.retry_dead(QUEUE, "person", 2, ["dead1"]) == ("dead1",)


@pytest.mark.parametrize("act", [make_anew, revive])
def test_a_job_of_a_file_that_is_another_by_now_is_left_alone(
    file_shop: FileShop, monkeypatch: Patch, act: Callable[[Session], None]
) -> None:
    """It was dead at no time; it is ready, and was not, and nothing else is said of it."""
    file_shop.write("UPDATE jobs SET rank = 9e999 WHERE id = 'dead1'")
    before_the_remedy(monkeypatch, Put, lambda: act(file_shop.session))
    report = check(file_shop.store, repair=True)
    assert found(report) == set()
    (job,) = file_shop.session.get_jobs("dead1", [QUEUE])
    assert job.state == "ready"
    assert check(file_shop.store).is_sound


@pytest.mark.parametrize("act", [make_anew, revive])
def test_a_job_of_a_server_that_is_another_by_now_is_left_alone(
    shop: Shop, monkeypatch: Patch, act: Callable[[Session], None]
) -> None:
    """As in a file."""
    shop.client.zadd(shop.at.dead, {"dead1": "inf"})
    before_the_remedy(monkeypatch, Put, lambda: act(shop.session))
    assert found(check(shop.store, repair=True)) == set()
    (job,) = shop.session.get_jobs("dead1", [QUEUE])
    assert job.state == "ready"
    assert check(shop.store).is_sound


def test_what_is_broken_in_another_way_by_now_is_looked_at_once_more(shop: Shop, monkeypatch: Patch) -> None:
    """The first remedy passes by, and the next look finds what is there now."""
    shop.client.lrem(shop.at.ready, 1, "ready2")
    before_the_remedy(monkeypatch, Put, lambda: shop.client.zadd(shop.at.waiting, {"ready2": "inf"}))
    report = check(shop.store, repair=True)
    assert report.is_mended
    assert found(report) == {("no_number", QUEUE, "ready2")}
    assert check(shop.store).is_sound


@pytest.mark.parametrize(
    ("act", "job_id"),
    [
        pytest.param(lambda it: it.client.zadd(it.at.dead, {"later1": 1e12}), "later1", id="waiting and dead"),
        pytest.param(lambda it: it.client.zadd(it.at.dead, {"ready1": 1e12}), "ready1", id="ready and dead"),
        pytest.param(
            lambda it: (it.client.zrem(it.at.dead, "dead1"), it.client.delete(it.at.unreported)),
            "dead1",
            id="buried and nowhere",
        ),
    ],
)
def test_what_is_dead_after_a_repair_is_reported(shop: Shop, act: Callable[[Shop], object], job_id: str) -> None:
    """As every death: by the next leader, at ERROR."""
    act(shop)
    assert check(shop.store, repair=True).is_mended
    assert job_id in {one.mark.id for one in shop.session.unreported(QUEUE, 10)}


def test_what_a_file_buries_is_reported(file_shop: FileShop) -> None:
    """Also a death that stood nowhere; a mark that stands is kept, so that none is said twice."""
    file_shop.write("UPDATE jobs SET state = 9, unreported = NULL WHERE id = 'dead1'")
    assert check(file_shop.store, repair=True).is_mended
    (one,) = file_shop.session.unreported(QUEUE, 10)
    assert one.mark.id == "dead1"
    file_shop.write("UPDATE jobs SET state = 9 WHERE id = 'dead1'")
    assert check(file_shop.store, repair=True).is_mended
    assert [one.mark] == [again.mark for again in file_shop.session.unreported(QUEUE, 10)]


def test_a_count_of_husks_that_a_person_changes_meanwhile_is_left_to_the_next_look(
    shop: Shop, monkeypatch: Patch
) -> None:
    """Who cancels may go on while a store is mended."""
    shop.client.hset(shop.at.owner, "husks", 7)
    before_the_remedy(monkeypatch, SetOwner, lambda: shop.session.cancel(QUEUE, "person", 9, "ready1"))
    (finding,) = check(shop.store, repair=True).findings
    assert finding.explanation == "husks of the queue is 8, and there are 2"
    assert finding.mended
    assert shop.client.hget(shop.at.owner, "husks") == b"2"
    assert check(shop.store).is_sound


def test_a_key_that_is_of_its_type_again_is_not_renamed(shop: Shop, monkeypatch: Patch) -> None:
    """Somebody brought back what belongs there."""
    kept = shop.client.hget(shop.at.running, "run1")
    shop.client.delete(shop.at.running)
    shop.client.set(shop.at.running, "somebody else was here")

    def bring_back() -> None:
        shop.client.delete(shop.at.running)
        shop.client.hset(shop.at.running, "run1", kept or b"")

    before_the_remedy(monkeypatch, Own, bring_back)
    assert found(check(shop.store, repair=True)) == set()
    assert shop.client.keys(b"%saside:*" % shop.at.prefix) == []
    assert check(shop.store).is_sound


def assert_not_taken_back(store: Persistence, session: Session) -> None:
    """A remedy of before a leadership does not let its epoch be given out again."""
    fence = session.acquire("node-2", "another", 60.0, 6)
    assert isinstance(fence, Fence)
    assert session.release(fence)
    assert isinstance(store, Inspectable)
    inspector = store.inspector(timeout=TIMEOUT_S)
    assert not inspector.apply(SetFence(3))
    inspector.close()
    assert session.acquire("node-3", "third", 60.0, 0) == Fence(8, "third")


def test_a_leadership_that_came_and_went_meanwhile_is_not_taken_back(shop: Shop) -> None:
    """In Redis."""
    assert_not_taken_back(shop.store, shop.session)


def test_a_leadership_of_a_file_that_came_and_went_meanwhile_is_not_taken_back(file_shop: FileShop) -> None:
    """As in Redis."""
    assert_not_taken_back(file_shop.store, file_shop.session)
