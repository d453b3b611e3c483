"""Code of the user that builds arguments: what it raises fails the job, and what it takes long keeps nobody else."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from exqueue import (
    ActorInfo,
    CancelJob,
    Enqueue,
    ExqueueSystem,
    GetJob,
    GetStatus,
    GetTree,
    ListJobs,
    StartWorker,
    Unknown,
    register_type,
)
from tests.system.helpers import PATIENCE_S, Room, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue import SystemRef

MORE_THAN_IS_FORGIVEN = 10
"""So many crashes of one actor in a minute end a system."""


class Rude(BaseException):
    """Neither an `Exception` nor known to anybody."""


@dataclass
class Touchy:
    """Raises when it is built, once it is told to."""

    x: int

    def __post_init__(self) -> None:
        if raised is not None:
            raise raised


raised: BaseException | None = None


@pytest.fixture(params=[SystemExit("not configured"), KeyboardInterrupt(), GeneratorExit(), Rude()], ids=repr)
def error(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on it is raised by whoever builds a `Touchy`."""

    def begin() -> None:
        monkeypatch.setattr(f"{__name__}.raised", request.param)

    return begin


class Take:
    """Takes one of them."""

    max_retries = 1
    backoff = 0.0

    def perform(self, *, it: Any) -> None:
        raise AssertionError("it was run with what could not be built")


def restarts(info: ActorInfo) -> dict[str, int]:
    """Which actors were started again, and how often."""
    found = {info.name: info.restarts} if info.restarts else {}
    for child in info.children:
        found.update(restarts(child))
    return found


def in_thread(look: Callable[[], object]) -> Any:
    """What a thread other than the main one gets."""
    got: list[Any] = []
    thread = threading.Thread(target=lambda: got.append(look()), daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    assert got
    return got[0]


def test_whatever_building_raises_harms_no_question(system: SystemRef, error: Callable[[], None]) -> None:
    """Who asks is shown the plain data with the reason, as often as he asks; no actor crashes."""
    system.ask(Enqueue(Take, {"it": Touchy(1)}, id="touchy"))
    error()
    for _ in range(MORE_THAN_IS_FORGIVEN):
        info = in_thread(lambda: system.ask(GetJob("touchy")))
        assert isinstance(info.kwargs["it"], Unknown)
        assert info.kwargs["it"].data == {"x": 1}
        assert "while it was built" in info.kwargs["it"].reason
        assert in_thread(lambda: system.ask(ListJobs("ready"), block=False).get()) == (info,)
    assert restarts(system.ask(GetTree())) == {}


def test_whatever_building_raises_is_a_failure_of_the_job(system: SystemRef, error: Callable[[], None]) -> None:
    """Counted, retried, and told with what was raised; its worker works on."""
    system.ask(Enqueue(Take, {"it": Touchy(1)}, id="touchy"))
    error()
    system.ask(StartWorker(Take))
    dead = eventually(lambda: in_thread(lambda: system.ask(ListJobs("dead"))))
    assert [(job.id, job.failures, job.recoveries) for job in dead] == [("touchy", 2, 0)]
    said = dead[0].errors[-1]
    assert said.type == "exqueue.errors.UnknownValue"
    assert f"{__name__}:Touchy ({type(raised).__name__} while it was built)" in said.message
    assert restarts(system.ask(GetTree())) == {}


def test_an_interrupt_of_the_main_thread_is_not_kept(system: SystemRef, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who presses Ctrl-C while an answer is built wants to have his program back."""
    system.ask(Enqueue(Take, {"it": Touchy(1)}, id="touchy"))
    monkeypatch.setattr(f"{__name__}.raised", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        system.ask(GetJob("touchy"))


def test_building_that_takes_long_keeps_nobody_but_who_asked(url: str, namespace: str) -> None:
    """Other questions and orders are answered meanwhile; then he gets his answer."""

    class Slow:
        """Takes its time to be built."""

    with Room() as room, ExqueueSystem.start(url, namespace=namespace, ask_timeout=PATIENCE_S) as system:

        def build(_: object) -> Slow:
            room.visit()
            return Slow()

        register_type(Slow, f"{namespace}.Slow", lambda _: 1, build)
        system.ask(Enqueue(Take, {"it": Slow()}, id="slow"))
        got: list[Any] = []
        asker = threading.Thread(target=lambda: got.append(system.ask(GetJob("slow"))), daemon=True)
        asker.start()
        room.await_entered(1)
        assert [queue.ready for queue in system.ask(GetStatus()).queues] == [1]
        assert system.ask(GetTree()).alive
        assert system.ask(CancelJob("slow")).state == "ready"
        assert not got
        room.open()
        asker.join(PATIENCE_S)
        assert isinstance(got[0].kwargs["it"], Slow)
