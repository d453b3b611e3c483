"""What a backend offers to whoever checks its store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from exqueue.persistence.inspection.facts import Count, JobFacts, LockFacts, QueueFacts
    from exqueue.persistence.inspection.remedies import Fault, Remedy

T = TypeVar("T")


class View(Protocol):
    """A look at a store, all of it: in its order `oddities`, `queues`, `lock`, and then each queue."""

    def oddities(self) -> Iterator[Fault]:
        """What is wrong in a way that only this backend knows: types, call numbers, signs of life."""
        ...

    def queues(self) -> Sequence[QueueFacts]:
        """Every queue that has anything in the store, but those that `oddities` found not fit to be looked into."""
        ...

    def lock(self) -> LockFacts | None:
        """The lock, seen after all `queues`; ``None`` when it is not fit to be looked into."""
        ...

    def jobs(self, queue: QueueFacts) -> Iterator[JobFacts]:
        """Each id of which anything is stored in the queue, once or more.

        Where others move them meanwhile, what is told of the ready line may be out of date.
        """
        ...

    def confirm(self, queue: QueueFacts, job_id: str) -> tuple[QueueFacts, JobFacts]:
        """The queue and one id of it, seen in one moment."""
        ...

    def counts(self, queue: QueueFacts) -> Sequence[Count]:
        """The counts that the store keeps of the queue; those only that nobody changed while they were looked at."""
        ...


class Inspector(Protocol):
    """Looks at a store and mends it."""

    can_repair: bool
    """Whether there is anything that `apply` could do."""

    def look(self, act: Callable[[View], T]) -> T:
        """Let ``act`` look, where that is possible at one moment of the store.

        Raises:
            Outage: that was not possible.
        """
        ...

    def apply(self, remedy: Remedy, stamp: bytes = b"") -> bool:
        """Carry out one remedy, in one step; whether what it is about was still so.

        Args:
            remedy: of a fault.
            stamp: of the job that it is about: one that has another by now is left alone. Empty where it is about
                none, or the job as it stands there.

        Raises:
            StoreInUse: a node leads; nothing was changed.
            Outage: that was not possible.
        """
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


@runtime_checkable
class Inspectable(Protocol):
    """A persistence that can be checked."""

    @property
    def address(self) -> str:
        """See `Persistence.address`."""
        ...

    @property
    def namespace(self) -> str:
        """See `Persistence.namespace`."""
        ...

    def inspector(self, *, timeout: float) -> Inspector:
        """Open an inspector whose single steps take at most ``timeout`` seconds each."""
        ...
