"""A small tree on real threads whose actors do what a test tells them and say what they live through."""

from __future__ import annotations

import contextlib
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exqueue.supervision import (
    Actor,
    ActorContext,
    Board,
    ChildSpec,
    Down,
    Envelope,
    Names,
    Occasion,
    Reply,
    Report,
    Stop,
    Supervisor,
    ThreadRuntime,
    WhichChildren,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exqueue.supervision import Runtime

DEADLINE_S = 5.0
"""How long a test waits for what must happen."""


class SetClock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def boottime(self) -> float:
        return self.now


class Probe:
    """Stands in a tree like the ref of an actor; what is sent to it waits for the test."""

    def __init__(self) -> None:
        self.seen: queue.Queue[Any] = queue.Queue()
        self.actor_inbox = self
        self.actor_urn = "probe"
        self.actor_stopped = threading.Event()

    def offer(self, envelope: Envelope) -> bool:
        self.seen.put(envelope.message)
        return True

    def next(self) -> Any:
        """The next message; raises ``queue.Empty`` when none comes."""
        return self.seen.get(timeout=DEADLINE_S)

    def waiting(self) -> list[Any]:
        """What has come by now."""
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self.seen.get_nowait())
        return found


@dataclass(frozen=True, slots=True)
class Do:
    """Do this in the actor's own thread and answer what it returns."""

    what: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Lived:
    """What an actor went through: ``started``, ``stopped`` or ``restarted``."""

    what: str
    name: str
    urn: str = ""


class Player(Actor):
    """Does what it is told; ``starting`` and ``stopping`` run in its hooks, before and after it says so."""

    def __init__(
        self,
        context: ActorContext | None = None,
        *,
        starting: Callable[[Player], Any] = lambda _: None,
        stopping: Callable[[Player], None] = lambda _: None,
    ) -> None:
        super().__init__(context)
        self._starting = starting
        self._stopping = stopping

    def on_start(self) -> Any:
        said = self._starting(self)
        self.tell("probe", Lived("started", self.name, self.actor_urn))
        return said

    def on_stop(self) -> None:
        self.tell("probe", Lived("stopped", self.name, self.actor_urn))
        self._stopping(self)

    def on_receive(self, message: Any) -> Any:
        return message.what(self)


class Overseer(Supervisor):
    """A supervisor that does what it is told beside its work and passes each `Down` on to the probe."""

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, Do):
            return message.what(self)
        if isinstance(message, Down):
            self.tell("probe", message)
        return super().on_receive(message)

    def on_child_restarted(self, path: str, reason: str) -> None:
        super().on_child_restarted(path, reason)
        self.tell("probe", Lived("restarted", path))

    def on_report(self, report: Report) -> None:
        super().on_report(report)
        self.tell("probe", report)


class Tree:
    """A started root supervisor named ``""`` with a probe beside it."""

    def __init__(self, runtime: Runtime, children: tuple[ChildSpec, ...], kind: type[Overseer], **kwargs: Any) -> None:
        self.runtime = runtime
        self.names = Names()
        self.board = Board()
        self.probe = Probe()
        self.names.register("probe", self.probe)  # type: ignore[arg-type] # as much of a ref as names need
        self.names.expect("")
        started = runtime.reply()
        context = ActorContext("", runtime, self.names, self.board, supervisor="probe", started=started)
        self.ref, self.task = kind.launch(context, children=children, **kwargs)
        self.failed_start: Any = started.get(timeout=DEADLINE_S)

    def send(self, name: str, what: Callable[[Any], Any]) -> Reply[Any]:
        """Ask an actor, which may be restarting, to do something."""
        reply = self.runtime.reply()
        assert self.names.deliver(name, Envelope(Do(what), reply, kept=True))
        return reply

    def ask(self, name: str, what: Callable[[Any], Any]) -> Any:
        """As `send`, and wait for the answer."""
        return self.send(name, what).get(timeout=DEADLINE_S)

    def order(self, message: object, name: str = "") -> Any:
        """Ask a supervisor, as people do, and wait for the answer."""
        reply = self.runtime.reply()
        assert self.names.deliver(name, Envelope(message, reply))
        return reply.get(timeout=DEADLINE_S)

    def statuses(self, name: str = "") -> dict[str, str]:
        """Of each child of a supervisor, in start order."""
        return {info.id: info.status for info in reversed(self.order(WhichChildren(), name))}

    def tell(self, name: str, what: Callable[[Any], Any]) -> None:
        """Have an actor that is there do something."""
        assert self.names.tell(name, Do(what))

    def urn(self, name: str) -> str:
        """The urn of the actor of this name."""
        return str(self.ask(name, lambda actor: actor.actor_urn))

    def supervise(self, message: object) -> None:
        """Have the root handle a message of supervision now, and all `Down`s that came before."""
        self.ask("", lambda root: root.on_supervision(message))

    def settle(self) -> None:
        """Wait until the root has handled what it was sent so far."""
        self.ask("", lambda _: None)

    def until(self, wanted: Callable[[Any], bool]) -> Any:
        """The first message to the probe that fits; those before it are dropped."""
        while True:
            message = self.probe.next()
            if wanted(message):
                return message

    def until_lived(self, what: str, name: str) -> Lived:
        """Wait until an actor says this."""
        found = self.until(lambda m: isinstance(m, Lived) and (m.what, m.name) == (what, name))
        assert isinstance(found, Lived)
        return found

    def until_down(self, name: str) -> Down:
        """Wait until the end of an actor of this name is reported."""
        found = self.until(lambda m: isinstance(m, Down) and m.name == name)
        assert isinstance(found, Down)
        return found

    def until_reported(self, occasion: Occasion) -> Report:
        """Wait until a supervisor reports this."""
        found = self.until(lambda m: isinstance(m, Report) and m.occasion is occasion)
        assert isinstance(found, Report)
        return found

    def lived(self) -> list[tuple[str, str]]:
        """What was lived through and not yet looked at, as (what, name)."""
        return [(m.what, m.name) for m in self.probe.waiting() if isinstance(m, Lived)]

    def stop(self) -> None:
        """Stop everything and wait until it is gone."""
        self.names.control("", Stop())
        self.task.join(DEADLINE_S)
        self.runtime.close()
        assert not self.task.is_alive()


@contextlib.contextmanager
def running(
    *children: ChildSpec, runtime: Runtime | None = None, kind: type[Overseer] = Overseer, **kwargs: Any
) -> Iterator[Tree]:
    """A tree for the length of a ``with``."""
    tree = Tree(ThreadRuntime() if runtime is None else runtime, children, kind, **kwargs)
    try:
        yield tree
    finally:
        tree.stop()


def child(id: str, actor: type[Actor] = Player, **how: Any) -> ChildSpec:
    """The spec of a child; what is no field of a spec goes to the actor."""
    fields = {k: how.pop(k) for k in ("restart", "shutdown_s", "backoff") if k in how}
    return ChildSpec(id, actor, how, **fields)


def crash(error: BaseException) -> Callable[[Any], Any]:
    """What raises ``error`` in the actor that does it."""

    def do(_: Any) -> None:
        raise error

    return do
