"""Types of one's own that are registered with the wrong functions."""

from exqueue import register_type


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents


def cents_of(money: Money) -> int:
    """Return what is stored."""
    return money.cents


def length_of(text: str) -> int:
    """Take something else."""
    return len(text)


def euros_of(cents: int) -> float:
    """Return something else."""
    return cents / 100


def program() -> None:
    """One mistake a line."""
    register_type(Money(3))  # error: wrong type
    register_type(Money, 3)  # error: wrong type
    register_type(Money, "money", length_of, Money)  # error: wrong type
    register_type(Money, "money", cents_of, euros_of)  # error: wrong type
    register_type(Money, "money", plain=cents_of)  # error: unknown keyword
