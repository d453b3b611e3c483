"""The lock: a lease that ends by itself, and a fence whose epoch only grows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from exqueue.persistence.base import Persistence, Session, Subscription
from exqueue.persistence.values import Fence, Holder, Presence
from tests.persistence.conformance.play import FAR_S, SOON_S, eventually, pass_time

TTL_S = 60.0


def acquire(session: Session, token: str, *, ttl: float = TTL_S, at_least: int = 0) -> Fence:
    """Acquire as the node ``node of <token>``; it must succeed."""
    answer = session.acquire(f"node of {token}", token, ttl, at_least)
    assert isinstance(answer, Fence)
    return answer


def held(session: Session) -> tuple[int, str] | None:
    """Epoch and token of the lease that stands."""
    holder = session.overview(()).holder
    return None if holder is None else (holder.epoch, holder.token)


def test_the_first_leadership_has_epoch_one(session: Session) -> None:
    """A free lock goes to whoever asks, with the token that was named."""
    assert acquire(session, "a") == Fence(1, "a")
    assert held(session) == (1, "a")


def test_a_lock_that_is_held_is_not_given_to_another(session: Session) -> None:
    """The answer names the lease that stands, and nothing is changed."""
    acquire(session, "a")
    for at_least in (0, 50):
        assert session.acquire("node-b", "b", TTL_S, at_least) == Holder(1, "a", "node of a")
    assert held(session) == (1, "a")


def test_a_lock_may_be_taken_after_its_lease_ended(session: Session) -> None:
    """Another token gets a new epoch."""
    acquire(session, "a", ttl=SOON_S)
    answer = eventually(lambda: isinstance(got := session.acquire("node-b", "b", TTL_S, 0), Fence) and got)
    assert answer == Fence(2, "b")


def test_a_holder_that_acquires_again_goes_on(session: Session) -> None:
    """The same token keeps its fence, within its lease: also a second copy of the call answers the same."""
    first = acquire(session, "a", ttl=SOON_S)
    assert acquire(session, "a", ttl=FAR_S) == first
    pass_time(session, SOON_S)
    assert held(session) == (1, "a")


def test_a_holder_whose_lease_lapsed_goes_on_when_nobody_else_led(session: Session) -> None:
    """An own lapse changes nothing: the same fence goes on."""
    acquire(session, "a", ttl=SOON_S)
    eventually(lambda: held(session) is None)
    assert acquire(session, "a") == Fence(1, "a")


def test_a_former_holder_gets_a_new_epoch_when_another_led_since(session: Session) -> None:
    """A leadership that was interrupted by another is over."""
    acquire(session, "a", ttl=SOON_S)
    eventually(lambda: held(session) is None)
    acquire(session, "b", ttl=SOON_S)
    eventually(lambda: held(session) is None)
    assert acquire(session, "a") == Fence(3, "a")


@pytest.mark.parametrize(("at_least", "epoch"), [(0, 1), (1, 2), (2, 3), (41, 42)])
def test_at_least_raises_the_epoch_of_a_holder(session: Session, at_least: int, epoch: int) -> None:
    """A fence goes on only when its epoch is above ``at_least``; else the next is above both."""
    acquire(session, "a")
    assert acquire(session, "a", at_least=at_least) == Fence(epoch, "a")
    assert held(session) == (epoch, "a")


def test_at_least_raises_the_epoch_of_a_newcomer(session: Session) -> None:
    """After a store went back the epoch overtakes what the queues have seen."""
    assert acquire(session, "a", at_least=7) == Fence(8, "a")


def test_at_least_lowers_no_epoch(session: Session) -> None:
    """The epoch grows whatever is asked for."""
    fence = acquire(session, "a", at_least=7)
    session.release(fence)
    assert acquire(session, "b", at_least=3) == Fence(9, "b")


def test_acquiring_twice_with_at_least_raises_once(session: Session) -> None:
    """The second copy finds a fence above ``at_least`` and changes nothing."""
    assert acquire(session, "a", at_least=5) == Fence(6, "a")
    assert acquire(session, "a", at_least=5) == Fence(6, "a")


def test_renewing_prolongs_the_lease(session: Session) -> None:
    """The lease then ends as long from now as was said."""
    fence = acquire(session, "a", ttl=SOON_S)
    assert session.renew(fence, FAR_S)
    pass_time(session, SOON_S)
    assert held(session) == (1, "a")
    assert session.renew(fence, SOON_S)
    assert eventually(lambda: held(session) is None)


def test_a_lease_that_ended_is_not_renewed(session: Session) -> None:
    """A holder that comes too late is told, and nothing is changed."""
    fence = acquire(session, "a", ttl=SOON_S)
    eventually(lambda: held(session) is None)
    assert not session.renew(fence, TTL_S)
    assert held(session) is None


@pytest.mark.parametrize("fence", [Fence(1, "b"), Fence(2, "a"), Fence(0, "a"), Fence(3, "c")])
def test_only_the_named_lease_is_renewed_or_released(session: Session, fence: Fence) -> None:
    """Another epoch or another token is another lease."""
    acquire(session, "a")
    assert not session.renew(fence, SOON_S)
    assert not session.release(fence)
    pass_time(session, SOON_S)
    assert held(session) == (1, "a")
    assert acquire(session, "a") == Fence(1, "a")


def test_nothing_is_renewed_released_or_evicted_before_the_first_leadership(session: Session) -> None:
    """There is no lease, and none comes of it."""
    assert not session.renew(Fence(0, ""), TTL_S)
    assert not session.release(Fence(1, "a"))
    assert not session.evict(Holder(1, "a", "node of a"), Presence("absent"))
    assert held(session) is None


def test_a_released_lock_is_free_at_once(session: Session) -> None:
    """Whoever comes next has a new epoch."""
    assert session.release(acquire(session, "a"))
    assert held(session) is None
    assert acquire(session, "b") == Fence(2, "b")


def test_a_release_ends_the_leadership_of_its_token(session: Session) -> None:
    """The same token gets a new epoch afterwards: what it gave up does not go on."""
    session.release(acquire(session, "a"))
    assert acquire(session, "a") == Fence(2, "a")


def test_a_release_after_the_lease_ended_still_ends_the_leadership(session: Session) -> None:
    """The last fence is given up, too, so that a new one follows."""
    fence = acquire(session, "a", ttl=SOON_S)
    eventually(lambda: held(session) is None)
    assert session.release(fence)
    assert acquire(session, "a") == Fence(2, "a")


def test_a_late_release_does_not_end_another_leadership(session: Session) -> None:
    """A second copy, and one that comes after others led, change nothing."""
    first = acquire(session, "a")
    session.release(first)
    session.release(first)
    second = acquire(session, "b")
    assert not session.release(first)
    assert held(session) == (second.epoch, "b")
    assert acquire(session, "b") == second


def test_a_late_release_does_not_end_the_next_leadership_of_its_own_token(session: Session) -> None:
    """A fence is named by its epoch, too."""
    first = acquire(session, "a")
    session.release(first)
    second = acquire(session, "a")
    assert not session.release(first)
    assert held(session) == (second.epoch, "a")
    assert acquire(session, "a") == second


def leased(session: Session) -> Holder:
    """The lease that stands."""
    holder = session.overview(()).holder
    assert holder is not None
    return holder


@dataclass(frozen=True)
class Leader:
    """Another system that holds the lock as ``a`` and listens, as systems do."""

    session: Session
    subscription: Subscription


def led_elsewhere(elsewhere: Persistence) -> Leader:
    """Let another system lead."""
    holding = elsewhere.session(timeout=10.0)
    acquire(holding, "a")
    return Leader(holding, elsewhere.subscribe("a", timeout=10.0))


def end_of(elsewhere: Persistence, leader: Leader, session: Session) -> Presence:
    """Let that system end without a word; what is seen of it then. Skips where that can't be known."""
    assert leader.subscription.next(0.0) is None
    elsewhere.close()
    eventually(lambda: session.presence("a").state != "present")
    presence = session.presence("a")
    if presence.state == "unknown":
        pytest.skip("this store can't tell who is there")
    assert presence.state in ("absent", "gone")
    return presence


def test_an_evicted_lease_has_ended(elsewhere: Persistence, session: Session) -> None:
    """A holder that is provably gone is not waited for; the next one has a new epoch."""
    leader = led_elsewhere(elsewhere)
    seen, presence = leased(session), end_of(elsewhere, leader, session)
    assert session.evict(seen, presence)
    assert held(session) is None
    assert not session.evict(seen, presence)
    assert acquire(session, "b") == Fence(2, "b")


@pytest.mark.parametrize("change", [{"token": "b"}, {"epoch": 2}, {"epoch": 0}, {"renewal": 999}])
def test_only_the_named_lease_is_evicted(elsewhere: Persistence, session: Session, change: dict[str, Any]) -> None:
    """A lease that is another one by now stays."""
    leader = led_elsewhere(elsewhere)
    seen, presence = leased(session), end_of(elsewhere, leader, session)
    assert not session.evict(replace(seen, **change), presence)
    assert held(session) == (1, "a")


@pytest.mark.parametrize("again", ["renew", "acquire"])
def test_a_lease_that_was_renewed_since_is_not_evicted(elsewhere: Persistence, session: Session, again: str) -> None:
    """Whoever renews is alive, whether it is seen or not."""
    leader = led_elsewhere(elsewhere)
    seen = leased(session)
    pass_time(session, SOON_S)
    if again == "renew":
        assert leader.session.renew(Fence(1, "a"), TTL_S)
    else:
        acquire(leader.session, "a")
    assert leased(session).renewal != seen.renewal
    presence = end_of(elsewhere, leader, session)
    assert not session.evict(seen, presence)
    assert session.evict(leased(session), presence)


@pytest.mark.parametrize("presence", [Presence("unknown"), Presence("present"), Presence("absent", "another run")])
def test_nobody_is_evicted_without_a_witness(elsewhere: Persistence, session: Session, presence: Presence) -> None:
    """What is not known for certain, or was seen by another run of the server, proves nothing."""
    leader = led_elsewhere(elsewhere)
    end_of(elsewhere, leader, session)
    assert not session.evict(leased(session), presence)
    assert held(session) == (1, "a")


def test_a_holder_that_is_there_is_not_evicted(
    opener: Callable[[], Persistence], elsewhere: Persistence, session: Session
) -> None:
    """Presence is looked at once more in the step that evicts."""
    leader = led_elsewhere(elsewhere)
    before = end_of(elsewhere, leader, session)
    back = opener()
    subscription = back.subscribe("a", timeout=10.0)
    try:
        assert session.presence("a").state == "present"
        assert not session.evict(leased(session), before)
        assert held(session) == (1, "a")
    finally:
        subscription.close()
        back.close()
    assert eventually(lambda: session.presence("a") == before)
    assert session.evict(leased(session), before)


def test_a_token_is_present_while_any_that_has_it_listens(
    opener: Callable[[], Persistence], elsewhere: Persistence, store: Persistence, session: Session
) -> None:
    """Each counts; those of another token do not."""
    second = opener()
    listening = [one.subscribe("a", timeout=10.0) for one in (elsewhere, second)]
    other = store.subscribe("b", timeout=10.0)
    try:
        if session.presence("a").state == "unknown":
            pytest.skip("this store can't tell who is there")
        listening[0].close()
        elsewhere.close()
        assert session.presence("a").state == "present"
    finally:
        listening[1].close()
        second.close()
    assert eventually(lambda: session.presence("a").state != "present")
    assert session.presence("b").state == "present"
    assert session.presence("nobody").state != "present"
    other.close()


def noted(session: Session) -> str | None:
    """What the lease that stands says of its holder's presence."""
    return leased(session).seen_by


def present_as(session: Session, token: str) -> str | None:
    """What is seen of a token now, as a lease notes it."""
    presence = session.presence(token)
    return presence.server if presence.state == "present" else None


def test_a_lease_says_whether_its_holder_was_present_when_it_was_renewed(
    elsewhere: Persistence, session: Session
) -> None:
    """And which run of the server saw it: so whoever comes later knows that it would be seen if it lived."""
    leader = led_elsewhere(elsewhere)
    assert leader.session.renew(Fence(1, "a"), TTL_S)
    assert noted(session) == present_as(session, "a")
    if end_of(elsewhere, leader, session).state == "absent":
        assert noted(session) is not None
        assert session.renew(Fence(1, "a"), TTL_S)
        assert noted(session) is None


@pytest.mark.parametrize("is_listening", [False, True])
def test_a_lease_says_whether_its_holder_was_present_when_it_acquired(
    elsewhere: Persistence, session: Session, is_listening: bool
) -> None:
    """A leader that listened before needs no renewal for that, nor does one that acquires again."""
    subscription = elsewhere.subscribe("a", timeout=10.0) if is_listening else None
    holding = elsewhere.session(timeout=10.0)
    for _ in range(2):
        acquire(holding, "a")
        assert noted(session) == present_as(session, "a")
        answer = session.acquire("node-b", "b", TTL_S, 0)
        assert isinstance(answer, Holder)
        assert (answer.node, answer.renewal, answer.seen_by) == ("node of a", leased(session).renewal, noted(session))
    if subscription is not None:
        subscription.close()


def test_the_presence_of_another_token_is_not_noted(elsewhere: Persistence, session: Session) -> None:
    """What a lease says is about its own holder."""
    other = elsewhere.subscribe("b", timeout=10.0)
    acquire(session, "a")
    assert noted(session) == present_as(session, "a")
    assert session.renew(Fence(1, "a"), TTL_S)
    assert noted(session) == present_as(session, "a")
    other.close()
