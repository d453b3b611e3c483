"""A program whose jobs take types of its own: one process stores them, another one runs them.

Each job has types of its own, so that none is known only because another one named it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from exqueue import Enqueue, EnqueueMany, ExqueueSystem, StartWorker, job
from tests.system.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.job import AnyJob

Size = Enum("Size", "BIG", module=__name__)
Fit = Enum("Fit", "BIG", module=__name__)
Cut = Enum("Cut", "BIG", module=__name__)
Hue = Enum("Hue", "BIG", module=__name__)
Era = Enum("Era", "BIG", module=__name__)
Way = Enum("Way", "BIG", module=__name__)
Ply = Enum("Ply", "BIG", module=__name__)


@dataclass
class Parcel:
    """Names another type, which is known by that."""

    way: Way


class Told:
    """Options that all of these jobs share."""

    max_retries = 0


class ByInstance(Told):
    """The usual form."""

    def perform(self, *, it: Size) -> None:
        say("ByInstance", it)


class ByStatic(Told):
    """Without a self."""

    @staticmethod
    def perform(*, it: list[Fit]) -> None:
        say("ByStatic", it[0])


class ByClass(Told):
    """With its class."""

    @classmethod
    def perform(cls, *, it: Cut) -> None:
        say(cls.__name__, it)


class ByAsync(Told):
    """Awaited."""

    async def perform(self, *, it: Hue | None) -> None:
        say("ByAsync", it)


class ByWrapped(Told):
    """Behind a decorator of another module, where the names of its annotations mean nothing."""

    @wrapped
    def perform(self, *, it: Era) -> None:
        say("ByWrapped", it)


class Performer:
    """Called like a function."""

    def __call__(self, *, it: Ply) -> None:
        say("ByObject", it)


class ByObject(Told):
    """An object in the place of the method."""

    perform = Performer()


@job(max_retries=0)
def by_function(*, it: Parcel) -> None:
    """A function."""
    say("by_function", it.way)


STORED: dict[AnyJob, Callable[[], Any]] = {
    ByInstance: lambda: Size.BIG,
    ByStatic: lambda: [Fit.BIG],
    ByClass: lambda: Cut.BIG,
    ByAsync: lambda: Hue.BIG,
    ByWrapped: lambda: Era.BIG,
    ByObject: lambda: Ply.BIG,
    by_function: lambda: Parcel(Way.BIG),
}


def say(kind: str, it: object) -> None:
    """Tell the test."""
    sys.stdout.write(f"{kind} {it}\n")


def store(address: str) -> None:
    """Enqueue one of each."""
    with ExqueueSystem.start(address) as system:
        system.ask(EnqueueMany(Enqueue(one, {"it": made()}) for one, made in STORED.items()))


def work(address: str) -> None:
    """Run what is stored."""
    with ExqueueSystem.start(address) as system:
        for one in STORED:
            system.ask(StartWorker(one))
        system.drain()
