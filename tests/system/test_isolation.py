"""Actors share names, messages and the board only: none can reach another, or hold another up."""

from __future__ import annotations

import dataclasses
import gc
import inspect
import threading
import types
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from exqueue import Enqueue, EnqueueMany, JobEnqueued, JobSucceeded, PauseQueue, StartWorker, Subscribe, Unsubscribe
from exqueue.actors.fetcher import Fetcher
from exqueue.job import JobDefinition
from exqueue.supervision import Actor, Vitals
from exqueue.testing import crash
from tests.supervision.test_host_program import Guest, told_to
from tests.system.helpers import PATIENCE_S, Room, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exqueue import SystemRef

CODE = (type, types.ModuleType, types.CodeType, types.BuiltinFunctionType)
"""What leads from any object to all others: classes, modules and what is compiled, which hold no state of an actor."""

PLAIN = (type(None), bool, int, float, str, bytes)


class Held:
    """Stays in the room of the test."""

    room: ClassVar[Room]
    concurrency = 3

    def perform(self, *, who: int) -> None:
        type(self).room.visit(who)


class Failing:
    """Fails, and is dead at once."""

    max_retries = 0

    def perform(self) -> None:
        raise ValueError("as it should")


class Quick:
    """Notes that it ran."""

    ran: ClassVar[list[int]] = []

    def perform(self, *, number: int) -> None:
        type(self).ran.append(number)


@pytest.fixture
def room() -> Iterator[Room]:
    """A room that opens at the end."""
    with Room() as room:
        Held.room = room
        yield room


@pytest.fixture
def loaded(system: SystemRef, room: Room) -> Iterator[SystemRef]:
    """A system in the middle of its work: jobs that run, wait, are dead, are being stored; and a subscriber."""
    Quick.ran.clear()
    guest = Guest.start()
    system.ask(Subscribe(guest, JobEnqueued, JobSucceeded))
    for job in (Held, Failing, Quick):
        system.ask(StartWorker(job))
    system.ask(Enqueue(Failing))
    system.ask(EnqueueMany(Enqueue(Held, {"who": who}) for who in range(10)))
    system.ask(Enqueue(Quick, {"number": 0}, delay=600))
    room.await_entered(3)
    is_over = threading.Event()

    def store() -> None:
        number = 1
        while not is_over.is_set():
            system.ask(Enqueue(Quick, {"number": number}))
            number += 1

    clients = [threading.Thread(target=store) for _ in range(2)]
    for client in clients:
        client.start()
    eventually(lambda: len(Quick.ran) > 20)
    yield system
    is_over.set()
    for client in clients:
        client.join()
    room.open()
    guest.stop()


# -- what an actor can reach
def actors_of(system: SystemRef) -> dict[str, Actor]:
    """The actor objects of a system by name: found through the weak reference in their refs, as pykka's tools do."""
    found = {}
    for name, ref in system._context.names.snapshot():  # noqa: SLF001 - nothing public leads to an actor
        actor = ref._actor_weakref()  # noqa: SLF001
        if actor is not None:
            found[name] = actor
    return found


def reached_from(actor: Actor) -> Iterator[tuple[str, object]]:
    """Every object that an actor's attributes lead to, with the way there; through anything but `CODE`."""
    seen: set[int] = {id(actor)}
    line: deque[tuple[str, Any]] = deque((f".{name}", value) for name, value in vars(actor).copy().items())
    keep = []  # so that no id is given out twice
    while line:
        way, it = line.popleft()
        if id(it) in seen or isinstance(it, CODE):
            continue
        seen.add(id(it))
        keep.append(it)
        yield way, it
        for one in referents(it):
            line.append((f"{way} > {type(one).__name__}", one))


def referents(it: object) -> list[Any]:
    """What an object holds; of a function what it closes over, as its globals are its module."""
    if isinstance(it, types.FunctionType):
        return [*(it.__closure__ or ()), *(it.__defaults__ or ()), *(it.__kwdefaults__ or {}).values()]
    return gc.get_referents(it)


def others_reached(actors: dict[str, Actor]) -> list[str]:
    """Each way from an actor to the object of another."""
    return [
        f"{name}{way} is {one.name!r}"
        for name, actor in actors.items()
        for way, one in reached_from(actor)
        if isinstance(one, Actor)
    ]


def test_no_actor_can_be_reached_from_another(loaded: SystemRef) -> None:
    """Only names, messages and values lead from one to the other."""
    actors = actors_of(loaded)
    assert {type(actor).__name__ for actor in actors.values()} == {
        *("ExqueueRoot", "Reporter", "Producer", "Operator", "Listener", "Leader"),
        *("Queues", "QueueSupervisor", "Fetcher", "Worker"),
    }
    assert others_reached(actors) == []


def test_the_walk_finds_what_it_looks_for(loaded: SystemRef) -> None:
    """Through containers, dataclasses, bound methods, closures and threads."""

    @dataclasses.dataclass(frozen=True)
    class Holder:
        what: object

    actors = actors_of(loaded)
    leader, fetcher = actors["leader"], actors["queues/Held/fetcher"]
    ways: tuple[Callable[[Actor], object], ...] = (
        lambda actor: {"a": [(actor,)]},
        lambda actor: Holder(deque([actor])),
        lambda actor: actor.on_turn_end,
        lambda actor: lambda: actor,
        lambda actor: threading.Thread(target=actor.on_turn_end),
        lambda actor: actor._runs if isinstance(actor, Fetcher) else None,  # noqa: SLF001 - it holds a bound method
    )
    for hide in ways:
        vars(leader)["hidden"] = hide(fetcher)
        try:
            found = others_reached({"leader": leader})
        finally:
            del vars(leader)["hidden"]
        assert found, hide
        assert found[0].startswith("leader.hidden")


# -- what stands on the board
def test_the_board_holds_values_only(loaded: SystemRef) -> None:
    """So that whoever reads it can neither change nor wait for anything."""
    board = loaded._context.board  # noqa: SLF001 - it is the system's own
    for name in board.tables():
        for key, value in board.table(name).copy().items():
            assert what_is_no_value(key) is None, f"table {name!r}: key {key!r}"
            assert what_is_no_value(value) is None, f"table {name!r}, row {key!r}: {what_is_no_value(value)!r}"
    filled = {name for name in board.tables() if board.table(name)}
    assert filled >= {"tree", "vitals", "jobs", "queues", "lead", "seats", "subscribers", "running:Held"}


def what_is_no_value(it: object) -> object:
    """The first part of ``it`` that is no plain value, or ``None``."""
    if isinstance(it, (*PLAIN, Enum)):
        return None
    if isinstance(it, tuple | list | frozenset):
        return first(it)
    if isinstance(it, dict):
        return first((*it, *it.values()))
    if isinstance(it, JobDefinition):
        # The user's code: the class or function itself, and what is read off its signature.
        return None if isinstance(it.target, type | types.FunctionType) else it.target
    if isinstance(it, Vitals):
        # The one row that is written in place, at every message: words and numbers.
        return first(getattr(it, slot) for slot in Vitals.__slots__)
    if dataclasses.is_dataclass(it) and not isinstance(it, type) and it.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        return first(getattr(it, one.name) for one in dataclasses.fields(it))
    return it


def first(parts: Any) -> object:
    """The first part of these that is no plain value."""
    return next((found for found in map(what_is_no_value, parts) if found is not None), None)


@pytest.mark.parametrize("it", [threading.Lock(), [object()], {"a": (1, ValueError())}, inspect.signature(print)])
def test_what_is_no_value_is_found(it: object) -> None:
    """The test above can fail."""
    assert what_is_no_value(it) is not None


def test_subscribers_outlive_the_crash_of_the_reporter(loaded: SystemRef) -> None:
    """Although only their urns stand on the board; one that has ended by then is forgotten."""
    guest, gone = Guest.start(), Guest.start()
    for ref in (guest, gone):
        loaded.ask(Subscribe(ref, JobEnqueued))
    old = loaded.urn_of("reporter")
    gone.stop(timeout=PATIENCE_S)
    crash(loaded, "reporter")
    eventually(lambda: loaded.urn_of("reporter") not in (old, None))
    told = len(told_to(guest))
    eventually(lambda: len(told_to(guest)) > told)
    assert loaded.ask(Unsubscribe(gone)) is False
    assert loaded.ask(Unsubscribe(guest)) is True
    guest.stop(timeout=PATIENCE_S)


# -- who is held up by whom
@pytest.mark.parametrize("blocked", [1, 3], ids=["one worker", "all workers"])
def test_blocked_workers_of_a_queue_delay_no_other_queue(system: SystemRef, room: Room, blocked: int) -> None:
    """The others store, run, retry and settle as ever, and every actor but those workers answers."""
    Quick.ran.clear()
    for job in (Held, Failing, Quick):
        system.ask(StartWorker(job))
    system.ask(EnqueueMany(Enqueue(Held, {"who": who}) for who in range(blocked)))
    room.await_entered(blocked)
    system.ask(EnqueueMany(Enqueue(Quick, {"number": number}) for number in range(100)))
    eventually(lambda: len(Quick.ran) == 100)
    assert sorted(Quick.ran) == list(range(100))
    assert system.ask(PauseQueue("Failing"))
    assert room.left == []


def test_blocked_workers_delay_no_free_worker_of_their_own_queue(system: SystemRef, room: Room) -> None:
    """Two of three slots are taken for good; the third goes on."""
    system.ask(StartWorker(Held))
    system.ask(EnqueueMany(Enqueue(Held, {"who": who}) for who in range(30)))
    room.let_out(*range(2, 30))
    room.await_left(28)
    assert sorted(room.inside, key=str) == [0, 1]
