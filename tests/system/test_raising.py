"""Exceptions that are hard to keep: what is stored of them is text within bounds, whatever they are."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from exqueue import Enqueue, ExqueueSystem, GetJob, GetTree, StartWorker
from exqueue.record import MAX_MESSAGE, MAX_TRACEBACK
from tests.system.helpers import eventually, queue_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue import ActorInfo, JobInfo, SystemRef


class Unpicklable(Exception):
    """Carries what can be neither pickled nor copied."""

    def __init__(self) -> None:
        super().__init__("unpicklable")
        self.compute = lambda: self
        self.lock = threading.Lock()


class Bare(BaseException):
    """No `Exception`, whose text is a subclass of str that lies about itself."""

    def __str__(self) -> str:
        return Text("bare")


class Text(str):
    __slots__ = ()

    def __len__(self) -> int:
        return 1 << 40

    def encode(self, *_: object) -> bytes:
        raise SystemExit


class Mute(Exception):
    """Can't be shown, and raises what would end the thread."""

    def __str__(self) -> str:
        raise KeyboardInterrupt

    __repr__ = __str__


def huge() -> None:
    """50 MB of message."""
    raise ValueError("x" * 50_000_000)


def chained() -> None:
    """A cause with a cause, each of them large, and a note."""
    try:
        huge()
    except ValueError as error:
        error.add_note("y" * 1_000_000)
        raise RuntimeError(error) from error


def recurse() -> int:
    """Until the stack is full."""
    return recurse() + 1


def raising(error: Callable[[], BaseException]) -> Callable[[], object]:
    """What raises it."""

    def act() -> None:
        raise error()

    return act


HARD: dict[str, tuple[Callable[[], object], str, str]] = {
    "huge": (huge, "ValueError", "xxx"),
    "chained": (chained, "RuntimeError", "xxx"),
    "group": (raising(lambda: BaseExceptionGroup("many", [Bare()] * 5_000)), "BaseExceptionGroup", "many"),
    "unpicklable": (raising(Unpicklable), "test_raising.Unpicklable", "unpicklable"),
    "bare": (raising(Bare), "test_raising.Bare", "bare"),
    "mute": (raising(Mute), "test_raising.Mute", "__str__ raised"),
    "recursion": (recurse, "RecursionError", "maximum recursion depth"),
    "memory": (raising(MemoryError), "MemoryError", ""),
}


def restarts(actor: ActorInfo) -> int:
    """Of an actor and all below it."""
    return sum(map(restarts, actor.children), actor.restarts)


@pytest.mark.parametrize("kind", HARD)
def test_fault_020_021_what_is_raised_is_kept_as_text_within_bounds(system: SystemRef, kind: str) -> None:
    """It is a failure like any: told from another node too, and the worker takes the next job without a restart."""
    act, type_, message = HARD[kind]

    class Raising:
        def perform(self, *, fails: bool) -> None:
            if fails:
                act()

    system.ask(StartWorker(Raising, max_retries=0))
    job_id = system.ask(Enqueue(Raising, {"fails": True}))
    system.ask(Enqueue(Raising, {"fails": False}))
    eventually(lambda: queue_status(system, "Raising").processed == 1)

    info: JobInfo = system.ask(GetJob(job_id))
    assert (info.state, info.failures, info.recoveries) == ("dead", 1, 0)
    (error,) = info.errors
    assert error.type.endswith(type_)
    assert message in error.message
    assert len(error.message.encode()) <= MAX_MESSAGE
    assert 0 < len(error.traceback.encode()) <= MAX_TRACEBACK
    assert {type(error.type), type(error.message), type(error.traceback)} == {str}
    assert restarts(system.ask(GetTree())) == 0


def test_fault_020_a_secret_beside_the_error_is_not_kept(system: SystemRef, url: str, namespace: str) -> None:
    """Neither variables of the frames nor attributes of the exception nor arguments of the job."""

    class Login:
        def perform(self, *, password: str) -> None:
            copied = password + "!"
            error = ValueError("wrong password")
            error.given = copied  # type: ignore[attr-defined] # as libraries do
            raise error

    system.ask(StartWorker(Login, max_retries=0))
    job_id = system.ask(Enqueue(Login, {"password": "hunter2"}))
    eventually(lambda: queue_status(system, "Login").dead == 1)

    with ExqueueSystem.start(url, namespace=namespace) as other:
        (error,) = other.ask(GetJob(job_id)).errors
    assert error.message == "wrong password"
    assert "hunter2" not in repr(error)
