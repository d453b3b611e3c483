"""What goes wrong in a trial, and when: drawn from the seed beforehand, so that it can be shrunk and replayed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Kind = Literal[
    "kill",
    "kill leader",
    "freeze",
    "freeze leader",
    "stop",
    "raise in message",
    "raise in call",
    "raise in callback",
    "lost requests",
    "late requests",
    "requests twice",
    "lost answers",
    "slow answers",
    "lost signals",
    "slow ways",
    "outage",
    "loading",
    "read-only",
    "full",
    "server restart",
    "go back",
    "flush",
    "clock jump",
]
"""See `tests.proof.strikes` for what each of them does."""

KINDS: tuple[Kind, ...] = get_args(Kind)

DESTRUCTIVE: tuple[Kind, ...] = ("go back", "flush")
"""What makes a store lose what it had acknowledged. Rarer than the rest: much is excused after it."""

Moment = Literal[
    "nobody leads",
    "taking over",
    "ready",
    "waiting",
    "running",
    "dead",
    "suspects",
    "in a push",
    "in an exchange",
    "in a claim",
    "in an acquire",
    "a node starting",
    "a node frozen",
    "a node stopping",
    "no answers",
    "idle",
]
"""What is under way, see `tests.proof.moments`."""

MOMENTS: tuple[Moment, ...] = get_args(Moment)

AIMED = 0.5
"""The share of faults that wait for a moment: those that are over at once would else hardly be met."""

BROUGHT_ABOUT: Mapping[Moment, Kind] = {
    "nobody leads": "kill leader",
    "a node starting": "kill",
    "a node frozen": "freeze",
    "a node stopping": "stop",
    "no answers": "outage",
}
"""Moments that a fault brings about: half of those who wait for one have it done."""

PATIENCE_S = 8.0

FAULTS_UNTIL_S = 40.0
"""No fault is due later; those that last are over `LONGEST_S` later at the latest."""

LONGEST_S = 25.0
"""Longer than two leases."""

LENGTHS_S = (0.5, 3.0, 12.0, LONGEST_S)
"""What a fault lasts at most: from a hiccup to more than a lease."""

MOST_FAULTS = 10


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Args:
        at_s: when, in virtual seconds from the beginning.
        kind: what.
        lasts_s: how long, for what lasts: until it thaws, is started again, answers again ..
        pick: from 0 to below 1: which of those there are then, and how bad.
        moment: what it waits for, `PATIENCE_S` at most; see `tests.proof.moments`.
        aim: from 0 to below 1: at what of it: which of its actors, in which of their callbacks, which way.
    """

    at_s: float
    kind: Kind
    lasts_s: float
    pick: float
    moment: Moment | None = None
    aim: float = 0.0

    def __str__(self) -> str:
        when = f" ({self.moment})" if self.moment else ""
        return f"at {self.at_s:.3f} s{when}: {self.kind}, for {self.lasts_s:.3f} s ({self.pick:.3f}, {self.aim:.3f})"


@dataclass(frozen=True, slots=True)
class Plan:
    """A trial, whole: the seed decides all that is not said here.

    Args:
        seed: of the world.
        nodes: how many there are.
        jobs: how many are enqueued.
        traits: which kinds of jobs there are besides those that just succeed, see `tests.proof.load`.
        orders: how many orders people give.
        faults: in the order of their times.
    """

    seed: int
    nodes: int
    jobs: int
    traits: frozenset[str]
    orders: int
    faults: tuple[Fault, ...]


TRAITS = ("fails", "dies", "raises BaseException", "lasts long", "waits", "kills its node")


def _draw_fault(chance: random.Random, kinds: list[Kind]) -> Iterator[Fault]:
    """One fault, perhaps after another that brings its moment about."""
    fault = Fault(
        at_s=round(chance.random() * FAULTS_UNTIL_S * chance.random(), 3),
        kind=chance.choice(kinds),
        lasts_s=_draw_length(chance),
        pick=_draw_pick(chance),
        moment=chance.choice(MOMENTS) if chance.random() < AIMED else None,
        aim=_draw_pick(chance),
    )
    before = BROUGHT_ABOUT.get(fault.moment) if fault.moment is not None else None
    if before is not None and chance.random() < AIMED:
        yield Fault(fault.at_s, before, _draw_length(chance), _draw_pick(chance), aim=_draw_pick(chance))
    yield fault


def _draw_length(chance: random.Random) -> float:
    return round(chance.random() * chance.choice(LENGTHS_S), 3)


def _draw_pick(chance: random.Random) -> float:
    return int(chance.random() * 1000) / 1000


def draw(seed: int) -> Plan:
    """The plan of a seed.

    Swarm testing: each seed has its own few kinds of faults and jobs, so that they meet alone and in every combination
    instead of always drowning each other.
    """
    chance = random.Random(f"plan {seed}")
    kinds = [kind for kind in KINDS if chance.random() < (0.1 if kind in DESTRUCTIVE else 0.35)]
    traits = frozenset(trait for trait in TRAITS if chance.random() < 0.5)
    count = chance.randrange(MOST_FAULTS + 1) if kinds else 0
    faults = [fault for _ in range(count) for fault in _draw_fault(chance, kinds)]
    faults.sort(key=lambda fault: fault.at_s)
    return Plan(
        seed=seed,
        nodes=chance.choice((1, 2, 2, 3)),
        jobs=chance.randrange(10, 40),
        traits=traits,
        orders=chance.choice((0, 0, 5, 15)),
        faults=tuple(faults),
    )
