"""Values of every type that can be stored."""

import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


class Colour(Enum):
    RED = "red"
    DARK = object()


class Size(IntEnum):
    SMALL = 1


class Mood(StrEnum):
    GOOD = "good"


class Rights(Flag):
    READ = 1
    WRITE = 2


@dataclass(frozen=True, slots=True)
class Line:
    article: str
    price: Decimal
    colour: Colour = Colour.RED


@dataclass
class Order:
    lines: list[Line]
    tags: set[str]
    total: Decimal = field(init=False, default=Decimal(0))

    def __post_init__(self) -> None:
        self.total += sum((line.price for line in self.lines), Decimal(0))


class Money:
    def __init__(self, amount: int) -> None:
        self.amount = amount

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and other.amount == self.amount

    def __hash__(self) -> int:
        return hash(self.amount)


@dataclass(frozen=True)
class Box:
    content: Any


VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**63,
    2**64 - 1,
    2**64,
    -(2**63),
    -(2**63) - 1,
    2**1000,
    -(2**1000),
    1.5,
    math.inf,
    -math.inf,
    "",
    "Grüße 🎉 \x00",
    b"",
    b"\xff\x00",
    [],
    [1, [2, [3]]],
    {},
    {"": {"a": [{}]}},
    (),
    (1, ("a", [2])),
    set(),
    {1, "a", (2, 3)},
    frozenset({frozenset(), frozenset({1})}),
    datetime(2026, 11, 1, 12, 30, 15, 123456),  # noqa: DTZ001 - a naive one is what is stored
    datetime(1, 1, 1, tzinfo=UTC),
    datetime.max,  # noqa: DTZ901 - as above
    datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-3, minutes=-30, microseconds=1))),
    datetime(2026, 7, 1, 8, tzinfo=PARIS),
    date(2026, 2, 28),
    time(23, 59, 59, 999999),
    time(1, tzinfo=UTC),
    time(1, tzinfo=PARIS),
    timedelta(days=-1, microseconds=1),
    timedelta.max,
    Decimal("1.10"),
    Decimal("-Infinity"),
    Decimal("1E-999"),
    uuid5(UUID(int=0), "a"),
    complex(1, -2),
    Path("/tmp/a b"),
    PurePosixPath("a/../b"),
    PureWindowsPath("C:\\a"),
    Colour.RED,
    Colour.DARK,
    Size.SMALL,
    Mood.GOOD,
    Rights.READ | Rights.WRITE,
    Rights(0),
    Line("tea", Decimal("2.50")),
    Order([Line("tea", Decimal(2)), Line("cup", Decimal(3), Colour.DARK)], {"new"}),
]
