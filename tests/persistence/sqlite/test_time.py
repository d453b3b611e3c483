"""The host's clocks: leases go by one that nobody can set, and end with the boot of the host."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exqueue.errors import StaleCall
from exqueue.persistence.sqlite import SqlitePersistence
from exqueue.persistence.sqlite.host_time import WALL, HostTime, boot_id
from exqueue.persistence.sqlite.session import SqliteSession
from exqueue.persistence.values import CALLER_KEPT_S, Fence, Holder, Push
from tests.persistence.conformance.play import Client, Owner, listed

TTL_S = 10.0


class HandClock:
    """Clocks that are set by hand."""

    def __init__(self) -> None:
        self.wall = 1_000_000.0
        self.boot = 50.0

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.boot

    def boottime(self) -> float:
        return self.boot


Booted = Callable[[str], SqliteSession]


@pytest.fixture
def clock() -> HandClock:
    """The clocks of the host."""
    return HandClock()


@pytest.fixture
def booted(path: Path, clock: HandClock) -> Iterator[Booted]:
    """Opens the store in the boot of that name."""
    stores: list[SqlitePersistence] = []

    def open_it(boot: str) -> SqliteSession:
        stores.append(SqlitePersistence(str(path), "default", time=HostTime(clock, boot)))
        return stores[-1].session(timeout=10.0)

    yield open_it
    for store in stores:
        store.close()


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0])
def test_a_jump_of_the_wall_clock_ends_no_lease_and_keeps_none(booted: Booted, clock: HandClock, jump_s: float) -> None:
    """A lease lasts as long as was said, whatever somebody sets the time to."""
    session = booted("first")
    session.acquire("node-a", "a", TTL_S, 0)
    session.beat("node-a", b"info", TTL_S)
    clock.wall += jump_s
    clock.boot += TTL_S - 1
    assert session.acquire("node-b", "b", TTL_S, 0) == Holder(1, "a", "node-a")
    assert session.nodes() == (("node-a", b"info"),)
    clock.boot += 2
    assert session.nodes() == ()
    assert session.acquire("node-b", "b", TTL_S, 0) == Fence(2, "b")


def test_the_number_of_a_caller_is_forgotten_after_its_time(booted: Booted, clock: HandClock) -> None:
    """Until then a copy is known as one."""
    session = booted("first")
    session.push("me", [Push("q", 2, ())])
    clock.wall += CALLER_KEPT_S - 1
    assert isinstance(session.push("me", [Push("q", 1, ())])[0], StaleCall)
    clock.wall += 2
    assert session.push("me", [Push("q", 1, ())]) == (None,)


def test_a_lease_ends_with_the_boot_of_the_host(booted: Booted, clock: HandClock) -> None:
    """After a restart of the host nobody who held it lives, though its clock begins anew below the old deadline."""
    first = booted("first")
    fence = first.acquire("node-a", "a", TTL_S, 0)
    assert isinstance(fence, Fence)
    first.beat("node-a", b"info", TTL_S)
    clock.boot = 1.0
    second = booted("second")
    assert second.overview(()).holder is None
    assert second.nodes() == ()
    assert not second.renew(fence, TTL_S)
    assert second.acquire("node-b", "b", TTL_S, 0) == Fence(2, "b")


def test_where_boots_have_no_name_leases_go_by_the_wall_clock(booted: Booted, clock: HandClock) -> None:
    """A clock that begins anew with each boot would be worse."""
    session = booted(WALL)
    session.acquire("node-a", "a", TTL_S, 0)
    clock.wall += TTL_S + 1
    assert session.overview(()).holder is None


def test_what_is_due_goes_by_the_wall_clock(booted: Booted, clock: HandClock) -> None:
    """A job for a time of the calendar runs at that time, also when the host slept or was set."""
    session = booted("first")
    Client(session).push("a", at=clock.wall + 60)
    owner = Owner(session)
    assert owner.exchange(want=1).next_due == 60.0
    clock.wall += 61
    assert [job.id for job in owner.fetch()] == ["a"]
    assert listed(session, "waiting") == []


def test_this_boot_has_a_name() -> None:
    """On Linux; it is the same at each look."""
    if not Path("/proc/sys/kernel/random/boot_id").exists():
        pytest.skip("this system names no boots")
    assert boot_id() == boot_id() != WALL
