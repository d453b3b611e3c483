"""Signals: hints that wake an owner or a standby. What must be heard is heard; what nobody needs is not said."""

import threading
from collections.abc import Callable, Iterator

import pytest

from exqueue.errors import Outage
from exqueue.persistence.base import Persistence, Session, Subscription
from exqueue.persistence.values import Fence, LockReleased, QueueWoken, Signal
from tests.persistence.conformance.play import DEADLINE_S, FAR_S, Client, Owner, bury, new_job, retry


class Ear:
    """Hears what is signalled; a signal of its own tells where to stop listening, so that silence needs no waiting."""

    def __init__(self, subscription: Subscription, session: Session) -> None:
        self._subscription = subscription
        self._marker = Client(session, "marker")

    def heard(self) -> list[Signal]:
        """All signals since the last time, each once, in the order of their first coming."""
        self._marker.pause()
        heard: dict[Signal, None] = {}
        while True:
            signal = self._subscription.next(DEADLINE_S)
            assert signal is not None, "the signal of a pause was not heard"
            if signal == QueueWoken("marker"):
                return list(heard)
            heard[signal] = None


@pytest.fixture
def subscription(store: Persistence) -> Iterator[Subscription]:
    """A subscription to the namespace."""
    opened = store.subscribe("token", timeout=DEADLINE_S)
    yield opened
    opened.close()


@pytest.fixture
def ear(subscription: Subscription, session: Session) -> Ear:
    """Hears all signals from now on."""
    return Ear(subscription, session)


WOKEN = [QueueWoken("q")]


def test_a_push_wakes_a_hungry_owner(ear: Ear, owner: Owner, client: Client) -> None:
    """An owner that got less than it wanted hears of the next ready job."""
    owner.exchange(want=1)
    assert ear.heard() == []
    client.push("a")
    assert ear.heard() == WOKEN


def test_each_hungry_exchange_is_woken_again(ear: Ear, owner: Owner, client: Client) -> None:
    """Also an owner that got some of what it wanted is hungry for more."""
    client.push("a")
    owner.exchange(want=2)
    ear.heard()
    client.push("b")
    assert ear.heard() == WOKEN
    owner.exchange(want=2)
    client.push("c")
    assert ear.heard() == WOKEN


def test_a_burst_wakes_the_owner_once(ear: Ear, owner: Owner, client: Client) -> None:
    """What follows before its next exchange finds it awake already; what is due earlier still is news."""
    owner.exchange(want=1)
    client.push("a")
    assert ear.heard() == WOKEN
    client.push("b")
    assert ear.heard() == []
    client.push("c", delay=FAR_S)
    assert ear.heard() == WOKEN
    client.push("d", delay=FAR_S * 2)
    assert ear.heard() == []
    client.push("e", delay=FAR_S / 2)
    assert ear.heard() == WOKEN


def test_a_push_does_not_wake_an_owner_that_has_enough(ear: Ear, owner: Owner, client: Client) -> None:
    """Who got all that it wanted, or wanted nothing, need not be told."""
    client.push("a", "b")
    owner.exchange(want=1)
    ear.heard()
    client.push("c")
    assert ear.heard() == []
    owner.exchange(want=0)
    client.push("d")
    assert ear.heard() == []


def test_a_push_that_stores_nothing_wakes_nobody(ear: Ear, owner: Owner, client: Client) -> None:
    """A job that is there already, and a call that was applied already, are no news."""
    client.push("a", delay=FAR_S)
    owner.exchange(want=1)
    ear.heard()
    client.push("a")  # call 2
    assert client.send(2, new_job("b")) is None
    assert ear.heard() == []


def test_a_delayed_job_wakes_the_owner_when_it_is_due_before_the_others(ear: Ear, owner: Owner, client: Client) -> None:
    """The owner sleeps until the earliest that it knows of; an earlier one must be told, hungry or not."""
    client.push("a", delay=FAR_S)
    owner.exchange(want=0)
    ear.heard()
    client.push("b", delay=FAR_S * 2)
    assert ear.heard() == []
    client.push("c", delay=FAR_S / 2)
    assert ear.heard() == WOKEN


def test_a_delayed_job_wakes_the_owner_when_nothing_waits(ear: Ear, owner: Owner, client: Client) -> None:
    """An owner that knows of no waiting job sleeps without end."""
    owner.exchange(want=0)
    client.push("a", delay=FAR_S)
    assert ear.heard() == WOKEN


def test_a_retry_counts_among_those_that_the_owner_knows_of(ear: Ear, owner: Owner, client: Client) -> None:
    """The exchange that settles it tells the owner when it is due."""
    client.push("a")
    owner.settle(retry(owner.fetch_one(), FAR_S))
    ear.heard()
    client.push("b", delay=FAR_S * 2)
    assert ear.heard() == []
    client.push("c", delay=FAR_S / 2)
    assert ear.heard() == WOKEN


def test_every_queue_of_a_call_is_woken(ear: Ear, session: Session) -> None:
    """Signals name the queue."""
    for name in ("mail", "image"):
        Owner(session, name).exchange(want=1)
    ear.heard()
    for name in ("mail", "image"):
        Client(session, name).push("a")
    assert ear.heard() == [QueueWoken("mail"), QueueWoken("image")]


@pytest.mark.parametrize(
    "act",
    [
        lambda client: client.pause(),
        lambda client: client.resume(),
        lambda client: client.retry_dead("dead"),
        lambda client: client.delete_dead("dead"),
        lambda client: client.cancel("ready"),
    ],
    ids=["pause", "resume", "retry_dead", "delete_dead", "cancel"],
)
def test_a_command_wakes_the_owner(ear: Ear, owner: Owner, client: Client, act: Callable[[Client], object]) -> None:
    """What a person does must be seen at once, hungry or not."""
    client.push("dead", "ready")
    owner.settle(bury(owner.fetch_one()))
    ear.heard()
    act(client)
    assert ear.heard() == WOKEN


def test_what_an_owner_does_wakes_nobody(ear: Ear, session: Session, client: Client) -> None:
    """Claims, exchanges and sweeps are the owner's own doing."""
    client.push("a", "b")
    owner = Owner(session)
    ear.heard()
    owner.settle(retry(owner.fetch_one(), FAR_S))
    owner.sweep()
    Owner(session, fence=Fence(2, "two"))
    assert ear.heard() == []


def test_a_released_lock_is_signalled(ear: Ear, session: Session) -> None:
    """A standby may try at once."""
    fence = session.acquire("node", "a", FAR_S, 0)
    assert isinstance(fence, Fence)
    assert session.renew(fence, FAR_S)
    assert ear.heard() == []
    assert session.release(fence)
    assert ear.heard() == [LockReleased()]


def test_a_release_that_changes_nothing_is_not_signalled(ear: Ear, session: Session) -> None:
    """A late copy wakes no standby."""
    session.acquire("node", "a", FAR_S, 0)
    assert not session.release(Fence(1, "b"))
    assert ear.heard() == []


def test_every_subscription_hears_every_signal(store: Persistence, session: Session, client: Client) -> None:
    """All nodes of a namespace are told."""
    opened = [store.subscribe(token, timeout=DEADLINE_S) for token in ("a", "a", "b")]
    try:
        ears = [Ear(each, session) for each in opened]
        client.pause()
        for each in opened:
            assert each.next(DEADLINE_S) == QueueWoken("q")
        assert len(ears) == 3
    finally:
        for each in opened:
            each.close()


def test_a_signal_from_before_the_subscription_is_not_heard(
    store: Persistence, session: Session, client: Client
) -> None:
    """A subscription begins when it is made."""
    client.pause()
    late = store.subscribe("token", timeout=DEADLINE_S)
    try:
        assert Ear(late, session).heard() == []
    finally:
        late.close()


def test_waiting_for_a_signal_ends(subscription: Subscription) -> None:
    """``None`` after the time-out, when there was none."""
    assert subscription.next(0.0) is None
    assert subscription.next(0.02) is None


def test_a_signal_ends_the_wait(subscription: Subscription, client: Client) -> None:
    """Whoever waits is woken by it, long before the time-out."""
    heard: list[Signal | None] = []
    waiter = threading.Thread(target=lambda: heard.append(subscription.next(DEADLINE_S * 6)))
    waiter.start()
    client.pause()
    waiter.join(DEADLINE_S)
    assert heard == [QueueWoken("q")]


def test_closing_ends_the_wait(store: Persistence) -> None:
    """Closing from another thread lets a waiting `next` return or raise `Outage` soon; closing twice is harmless."""
    subscription = store.subscribe("token", timeout=DEADLINE_S)
    waiting, ended = threading.Event(), threading.Event()

    def wait() -> None:
        waiting.set()
        try:
            heard = subscription.next(DEADLINE_S * 6)
        except Outage:
            heard = None
        assert heard is None
        ended.set()

    waiter = threading.Thread(target=wait)
    waiter.start()
    assert waiting.wait(DEADLINE_S)
    subscription.close()
    subscription.close()
    assert ended.wait(2.0)
    waiter.join(DEADLINE_S)


def test_a_queue_of_any_name_is_signalled(ear: Ear, session: Session) -> None:
    """Names are letters, digits, dots, dashes and underscores; signals of the lock are told apart from them."""
    names = ["released", "lock", "A.b_c-9", "x" * 128]
    for name in names:
        Client(session, name).pause()
    assert ear.heard() == [QueueWoken(name) for name in names]
