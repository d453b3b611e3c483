"""The audience: who subscribed to events, and how each is told without keeping anybody else waiting."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import pykka

from exqueue.actors.protocol import ToldNoMore
from exqueue.actors.tables import subscribers_table
from exqueue.record import describe_error
from exqueue.supervision import Envelope

if TYPE_CHECKING:
    from exqueue.messages import Event, Subscribe, Subscriber
    from exqueue.supervision import Actor
    from exqueue.supervision.inbox import Line
    from exqueue.supervision.runtime import Task

MOST_EVENTS: Final = 10_000
"""How many events wait at most for a subscriber whose ``tell`` takes its time; then it is forgotten.

More than a burst brings before the other thread gets its turn.
"""

LAST_EVENTS_S: Final = 1.0
"""How long a stop lets such subscribers have what still waits, all together."""


class Teller(Protocol):
    """How one subscriber is told."""

    ref: Subscriber

    def tell(self, event: Event) -> str:
        """Tell it. Returns nothing when it is told or will be, else why it is to be forgotten, or raises that."""

    def close(self) -> None:
        """Tell it nothing more but what waits."""

    def forget(self) -> None:
        """Tell it nothing more."""


class AtOnce:
    """For the ref of a pykka actor, whose ``tell`` puts a message into an inbox without bounds."""

    def __init__(self, ref: Subscriber) -> None:
        self.ref = ref

    def tell(self, event: Event) -> str:
        """See `Teller`."""
        self.ref.tell(event)
        return ""

    def close(self) -> None:
        """See `Teller`."""

    forget = close


@dataclass(slots=True)
class _Line:
    """What the thread of `InItsThread` and whoever feeds it share. ``is_wanted``: written by the latter."""

    ref: Subscriber
    events: Line
    is_wanted: bool = True


class InItsThread:
    """For any other, of whose ``tell`` nobody knows how long it takes: in a thread of its own.

    Args:
        ref: of the subscriber.
        actor: whom a `ToldNoMore` is sent when ``tell`` raises.
        number: of this subscription.

    Raises:
        RuntimeError: no thread could be started.
    """

    def __init__(self, ref: Subscriber, actor: Actor, number: int) -> None:
        self.ref = ref
        self._line = _Line(ref, actor.context.runtime.line())
        self._task: Task = actor.run_beside(
            functools.partial(_tell_all, self._line, actor.tell_self, number), f"subscriber-{number}"
        )

    def tell(self, event: Event) -> str:
        """See `Teller`."""
        if self._line.events.qsize() >= MOST_EVENTS:
            return f"its tell is {MOST_EVENTS:,} events behind; let it hand them on without waiting"
        self._line.events.put(Envelope(event))
        return ""

    def close(self) -> None:
        """See `Teller`."""
        self._line.events.put(None)

    def forget(self) -> None:
        """See `Teller`."""
        self._line.is_wanted = False
        self.close()

    def has_ended_within(self, seconds: float) -> bool:
        """Whether all is told, after waiting for that."""
        self._task.join(seconds)
        return not self._task.is_alive()


def _tell_all(line: _Line, complain: Any, number: int) -> None:
    """Run in the thread of one subscriber."""
    while (envelope := line.events.get()) is not None and line.is_wanted:
        try:
            line.ref.tell(envelope.message)
        except BaseException as error:  # noqa: BLE001 - the host program's own code, which may raise anything
            complain(ToldNoMore(line.ref.actor_urn, number, _what_raised(error)))
            return
        del envelope


class Audience:
    """Who has subscribed. On the board stand urns and types of events; the refs, which are no values, only here.

    Args:
        actor: that tells the events, the Reporter.
    """

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._types = subscribers_table(actor.board)
        self._tellers: dict[str, tuple[int, Teller]] = {}
        self._numbers = itertools.count(1)

    def find_again(self) -> None:
        """Take over from a Reporter before: who is found among pykka's living actors; the others are forgotten."""
        for urn in list(self._types):
            ref = pykka.ActorRegistry.get_by_urn(urn)
            if ref is None or not self._admit(ref):
                self._types.pop(urn, None)

    def subscribe(self, subscribe: Subscribe) -> bool:
        """Tell it these types from now on; ``False`` where no thread can be started for it."""
        ref = subscribe.actor_ref
        known = self._tellers.get(ref.actor_urn)
        if known is None or known[1].ref is not ref:
            self.forget(ref.actor_urn)
            if not self._admit(ref):
                return False
        self._types[ref.actor_urn] = frozenset(kind.__name__ for kind in subscribe.event_types)
        return True

    def _admit(self, ref: Subscriber) -> bool:
        number = next(self._numbers)
        try:
            teller = AtOnce(ref) if _never_blocks(ref) else InItsThread(ref, self._actor, number)
        except RuntimeError:
            return False
        self._tellers[ref.actor_urn] = (number, teller)
        return True

    def forget(self, urn: str) -> bool:
        """Tell it nothing more. Returns whether it was subscribed."""
        known = self._tellers.pop(urn, None)
        if known is not None:
            known[1].forget()
        return self._types.pop(urn, None) is not None

    def told_no_more(self, failed: ToldNoMore) -> str:
        """Forget a subscriber whose ``tell`` raised; returns what is to be said of it, nothing when it is gone."""
        known = self._tellers.get(failed.urn)
        if known is None or known[0] != failed.number:
            return ""
        return self._dismiss(failed.urn, failed.why)

    def publish(self, event: Event) -> list[str]:
        """Tell all who want to know. Returns what is to be said of those who are forgotten for it."""
        complaints: list[str] = []
        for urn, (_, teller) in tuple(self._tellers.items()):
            if type(event).__name__ not in self._types[urn]:
                continue
            try:
                why = teller.tell(event)
            except pykka.ActorDeadError:
                self.forget(urn)
                continue
            except BaseException as error:  # noqa: BLE001 - the host program's own code, which may raise anything
                why = _what_raised(error)
            if why:
                complaints.append(self._dismiss(urn, why))
        return complaints

    def _dismiss(self, urn: str, why: str) -> str:
        self.forget(urn)
        return f"{urn} is told no more events: {why}"

    def close(self, patience_s: float) -> list[str]:
        """Let all have what waits, as far as there is time. Returns what is to be said of those who had not."""
        clock = self._actor.clock
        until = clock.monotonic() + patience_s
        for _, teller in self._tellers.values():
            teller.close()
        return [
            f"{urn} was not told its last events before the stop: its tell takes too long"
            for urn, (_, teller) in self._tellers.items()
            if isinstance(teller, InItsThread) and not teller.has_ended_within(max(0.0, until - clock.monotonic()))
        ]


def _never_blocks(ref: Subscriber) -> bool:
    is_pykkas = getattr(type(ref), "tell", None) is pykka.ActorRef.tell
    return is_pykkas and not getattr(getattr(ref, "actor_inbox", None), "maxsize", 0)


def _what_raised(raised: BaseException) -> str:
    error = describe_error(raised, 0.0, "")
    return f"it raised {error.type}: {error.message}"
