"""Values of the user's own types as arguments: what goes in comes out, and what can't is refused with what to do."""

from __future__ import annotations

import enum
import fractions
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from exqueue import ConfigError, Enqueue, GetJob, PayloadError, StartWorker, register_type

if TYPE_CHECKING:
    from exqueue import SystemRef


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


@dataclass(frozen=True)
class Point:
    x: int
    y: int
    colour: Colour = Colour.RED


class Plain:
    """Neither an enum nor a dataclass."""

    def __init__(self, text: str) -> None:
        self.text = text


class Given:
    """What its jobs were given."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def job(self) -> type:
        """The job class."""
        seen = self.seen

        class Take:
            def perform(self, *, it: Any) -> None:
                seen.append(it)

        return Take


def given(system: SystemRef, value: object) -> Any:
    """What a job gets that was enqueued with this value, and `GetJob` shows before."""
    taken = Given()
    job = taken.job()
    job_id = system.ask(Enqueue(job, {"it": value}))
    stored = system.ask(GetJob(job_id)).kwargs
    assert stored is not None
    shown = stored["it"]
    system.ask(StartWorker(job))
    system.drain()
    assert type(shown) is type(taken.seen[0])
    return taken.seen[0]


@pytest.mark.parametrize(
    "value",
    [Colour.BLUE, Point(1, -2, Colour.BLUE), [Point(0, 0), (Colour.RED, {Colour.BLUE})], {"deep": {"er": Point(3, 4)}}],
    ids=["enum", "dataclass", "containers", "dict"],
)
def test_enums_and_dataclasses_need_nothing(system: SystemRef, value: object) -> None:
    """The process that enqueues one knows it by that."""
    assert given(system, value) == value


def test_any_other_type_is_registered_with_two_functions(system: SystemRef) -> None:
    """One that makes plain data of a value, and one that makes the value again."""
    register_type(
        fractions.Fraction,
        "number.fraction",
        lambda value: [value.numerator, value.denominator],
        lambda plain: fractions.Fraction(*plain),
    )
    assert given(system, fractions.Fraction(2, 6)) == fractions.Fraction(1, 3)


def test_a_type_that_is_not_registered_is_refused(system: SystemRef) -> None:
    """Where it is enqueued, with its path and its type, and without the value."""
    with pytest.raises(PayloadError, match=r'kwargs\["it"\]\[1\].*Plain') as refused:
        system.ask(Enqueue("Take", {"it": [0, Plain("secret")]}))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((Plain,), "give to_plain and from_plain"),
        ((Plain, "plain", str), "needs both to_plain and from_plain"),
        ((Plain("x"),), "a class is registered, not a value"),
        ((int,), "is stored by itself"),
    ],
    ids=["no functions", "one function", "a value", "a builtin"],
)
def test_what_cannot_be_registered_is_refused(arguments: Any, said: str) -> None:
    """At once, with what is missing."""
    with pytest.raises(ConfigError, match=said):
        register_type(*arguments)
