"""Types of one's own as arguments of jobs."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from exqueue import ExqueueSystem, StartWorker, register_type

paid: list["Money | Color | Point"] = []


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents


class Color(Enum):
    RED = 1


@dataclass(frozen=True)
class Point:
    x: Decimal
    y: Decimal


def cents_of(money: Money) -> int:
    """Return what is stored."""
    return money.cents


class Pay:
    def perform(self, *, money: Money, color: Color | None = None, point: Point | None = None) -> None:
        paid.extend(one for one in (money, color, point) if one is not None)


def main() -> None:
    """Register each kind, and let a job have one of each."""
    register_type(Money, "money", cents_of, Money)
    register_type(Color)
    register_type(Point, name="point")
    with ExqueueSystem.start("memory://") as system:
        system.ask(StartWorker(Pay))
        system.enqueue(Pay, money=Money(3), color=Color.RED, point=Point(Decimal(1), Decimal(2)))
        system.drain()
    money, *others = paid
    assert isinstance(money, Money)
    assert money.cents == 3
    assert others == [Color.RED, Point(Decimal(1), Decimal(2))]


if __name__ == "__main__":
    main()
