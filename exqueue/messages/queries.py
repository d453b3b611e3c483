"""Queries: what a system can be asked, and who wants to hear of events. Each checks its own arguments when built."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from exqueue.checks import shown
from exqueue.errors import ConfigError
from exqueue.ids import check_stored_id
from exqueue.messages.checks import check_page, check_queue
from exqueue.messages.events import EVENT_TYPES
from exqueue.messages.message import Message
from exqueue.messages.replies import ActorInfo, JobInfo, SystemStatus

if TYPE_CHECKING:
    from exqueue.messages.events import Event
    from exqueue.persistence.values import State


class Subscriber(Protocol):
    """Who is sent events: the ``ActorRef`` of a pykka actor, of which only this is used.

    Anything else of this form is told in a thread of its own, in the order of the events. When it is
    `exqueue.actors.audience.MOST_EVENTS` of them behind it is told no more (one WARNING), and a stop waits for it
    `exqueue.actors.audience.LAST_EVENTS_S` at most.
    """

    @property
    def actor_urn(self) -> str:
        """What names the very actor."""

    def tell(self, message: object) -> None:
        """Put an event into the actor's inbox, and return at once."""


@dataclass(frozen=True, slots=True)
class GetStatus(Message[SystemStatus]):
    """How the whole namespace is. Answers a `SystemStatus`, the same from every node."""


@dataclass(frozen=True, slots=True)
class GetTree(Message[ActorInfo]):
    """The live supervision tree of this node. Answers an `ActorInfo`."""


@dataclass(frozen=True, slots=True)
class GetJob(Message[JobInfo]):
    """One stored job. Answers a `JobInfo`. ``queue`` is only needed where two queues have a job of this id."""

    id: str
    queue: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        check_stored_id(self.id)
        check_queue(self.queue)


@dataclass(frozen=True, slots=True)
class ListJobs(Message[tuple[JobInfo, ...]]):
    """The jobs of one state, in the order in which they will run, fall due, started or died.

    Answers a tuple of `JobInfo`. While jobs come and go, one may stand on two pages or on none.

    Args:
        state: one of `exqueue.messages.checks.STATES`.
        queue: of this one only; ``None``: of all.
        limit: the most that are answered, 1 to `exqueue.persistence.values.MAX_BATCH`.
        offset: how many to leave out at the beginning, 0 to `exqueue.messages.checks.MAX_OFFSET`.
    """

    state: State
    queue: str | None = None
    limit: int = 100
    offset: int = 0

    def __post_init__(self) -> None:
        check_page(self.state, self.limit, self.offset)
        check_queue(self.queue)


@dataclass(frozen=True, slots=True, init=False)
class Subscribe(Message[bool]):
    """Send this actor each event of these types by ``tell``, of all types when none is named.

    Answers ``True``; ``False`` when it is no actor's ref and no thread could be started to tell it in.

    The events are those of this node: what other nodes run or store is told to their own subscribers. Again for the
    same actor: these types instead of those before. Holds until `Unsubscribe`, the actor's end, or an error that its
    ``tell`` raises (one WARNING); also over a crash of the actor of this system that sends the events, if the
    subscriber is known to `pykka.ActorRegistry`, as every actor is that was started by ``start``.

    Args:
        actor_ref: who is told, see `Subscriber`.
        *event_types: classes of events, for instance ``JobDied``.

    Raises:
        ConfigError: one of the types is none of events.
        TypeError: ``actor_ref`` is no actor's ref.
    """

    actor_ref: Subscriber
    event_types: tuple[type[Event], ...]

    def __init__(self, actor_ref: Subscriber, *event_types: type[Event]) -> None:
        _check_actor_ref(actor_ref)
        for one in event_types:
            if one not in EVENT_TYPES:
                raise ConfigError(
                    f"event types are {', '.join(known.__name__ for known in EVENT_TYPES)}, not {shown(one)}"
                )
        object.__setattr__(self, "actor_ref", actor_ref)
        object.__setattr__(self, "event_types", event_types or EVENT_TYPES)


@dataclass(frozen=True, slots=True)
class Unsubscribe(Message[bool]):
    """Send this actor no more events. Answers whether it was subscribed.

    Args:
        actor_ref: as it was given to `Subscribe`.

    Raises:
        TypeError: ``actor_ref`` is no actor's ref.
    """

    actor_ref: Subscriber

    def __post_init__(self) -> None:
        _check_actor_ref(self.actor_ref)


def _check_actor_ref(ref: object) -> None:
    is_ref = callable(getattr(ref, "tell", None)) and isinstance(getattr(ref, "actor_urn", None), str)
    if not is_ref or isinstance(ref, type):
        raise TypeError(f"events are sent to the ActorRef of a started pykka actor, not to {shown(ref)}")
    if not getattr(ref, "takes_events", True):
        raise TypeError(f"events are sent to an actor of your own, not to a system, which takes messages only: {ref}")
