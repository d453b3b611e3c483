"""The types of a job's arguments are found wherever its annotations lead."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

import pytest

from exqueue.codec import Codec, learn_parameters

T = TypeVar("T")


class Colour(Enum):
    RED = "red"


@dataclass
class Box(Generic[T]):
    held: T


@dataclass
class Person:
    name: str
    colour: Colour
    boss: Person | None = None


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Box[int], Box(1)),
        (Person, Person("Ann", Colour.RED, Person("Bob", Colour.RED))),
        ("Person", Colour.RED),
    ],
    ids=["a generic class", "a class that names itself", "what a field names"],
)
def test_a_node_builds_what_its_annotations_name(annotation: object, value: object) -> None:
    """It has seen no value of the class before."""

    def perform(held: object) -> None:
        """Nothing."""

    perform.__annotations__["held"] = annotation
    codec = Codec()
    learn_parameters(codec, perform)
    assert codec.decode(Codec().encode(value)) == value


@pytest.mark.parametrize("length", [1, 200])
def test_the_name_of_a_type_may_be_as_short_and_as_long_as_it_says(length: int) -> None:
    """Both bounds belong to what is allowed."""
    codec = Codec()
    codec.register(Person, name="p" * length)
    person = Person("Ann", Colour.RED)
    assert codec.decode(codec.encode(person)) == person


def test_a_class_that_can_not_be_stored_hides_no_other() -> None:
    """It is refused when a value of it comes, and not before."""

    @dataclass
    class Open:
        handle: int

        def __init__(self, path: str) -> None:
            self.handle = len(path)

    def perform(opened: Open, held: Box[int]) -> None:
        """Nothing."""

    perform.__annotations__ = {"opened": Open, "held": Box[int]}
    codec = Codec()
    learn_parameters(codec, perform)
    assert codec.decode(Codec().encode(Box(1))) == Box(1)
