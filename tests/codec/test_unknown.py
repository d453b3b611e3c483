"""A node without a type can list, retry and move its values, and they lose nothing by it."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import msgpack
import pytest

from exqueue.codec import Codec, Unknown, default_codec, learn_parameters

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Address:
    city: str


@dataclass(frozen=True)
class Order:
    to: Address
    colour: Colour
    tags: frozenset[Colour]
    at: datetime


@dataclass
class Page(Generic[T]):
    items: "list[T]"


ORDER = Order(Address("Ulm"), Colour.RED, frozenset({Colour.RED}), datetime(2026, 1, 1, tzinfo=UTC))


def stored_elsewhere(value: Any) -> bytes:
    """Encode on a node that knows the types."""
    return Codec().encode(value)


def decoded(codec: Codec, data: bytes) -> Any:
    """Decode, without the checks of types."""
    return codec.decode(data)


@pytest.mark.parametrize(
    "value",
    [ORDER, Colour.RED, {"a": [ORDER, (ORDER, {Colour.RED})], "b": {"c": ORDER}}, {ORDER, Address("x")}],
    ids=["dataclass", "enum", "nested", "in a set"],
)
def test_what_is_not_known_encodes_to_the_bytes_it_came_from(value: Any) -> None:
    """However often a stranger decodes and encodes it, the owner gets back what was stored."""
    data = stored_elsewhere(value)
    stranger = Codec()
    again = stranger.encode(stranger.decode(data))
    assert again == data
    assert stranger.encode(stranger.decode(again)) == data
    owner = Codec()
    owner.encode(ORDER)
    assert owner.decode(again) == value


def test_an_unknown_value_shows_its_name_and_its_plain_form() -> None:
    """Who lists jobs sees what is in them."""
    data = stored_elsewhere({"to": Address("Ulm")})
    _, unknown = Codec().inspect(data)
    assert unknown == (decoded(Codec(), data)["to"],)
    (address,) = unknown
    assert address.name == f"{__name__}:Address"
    assert address.data == {"city": "Ulm"}
    assert "not registered" in address.reason


def test_every_unknown_value_is_told_of() -> None:
    """One inside of another counts too; on a node that knows them there is none."""
    data = stored_elsewhere([ORDER])
    names = sorted(each.name.partition(":")[2] for each in Codec().inspect(data)[1])
    assert names == ["Address", "Colour", "Colour", "Order"]
    owner = Codec()
    owner.encode(ORDER)
    assert owner.inspect(data) == ([ORDER], ())


def test_unknown_values_can_be_compared_and_hashed() -> None:
    """They stand in sets, and two of the same bytes are one."""
    one, other = decoded(Codec(), stored_elsewhere([Address("Ulm"), Address("Ulm")]))
    different = Codec().decode(stored_elsewhere(Address("Bonn")))
    assert one == other
    assert len({one, other, different}) == 2


def test_a_byte_form_that_another_program_chose_is_kept() -> None:
    """The bytes are kept as they are, not made anew from the plain form: here an integer of 9 bytes for 1."""
    payload = b"\x92\xa1x\xcf\x00\x00\x00\x00\x00\x00\x00\x01"
    data = msgpack.packb(msgpack.ExtType(0, payload))
    codec = Codec()
    assert codec.decode(data) == Unknown("x", 1, "", 0, payload)
    assert codec.encode(codec.decode(data)) == data


def test_an_extension_of_a_later_version_is_kept() -> None:
    """What this version has no code for may have any payload."""
    data = msgpack.packb([msgpack.ExtType(99, b"\xc1 no msgpack")])
    codec = Codec()
    (later,) = decoded(codec, data)
    assert (later.name, later.data) == ("extension 99", b"\xc1 no msgpack")
    assert codec.encode([later]) == data


def test_a_known_type_whose_value_cannot_be_built_is_kept_with_the_reason() -> None:
    """A member that was removed from an enum makes one job fail at its run, and no list."""
    data = stored_elsewhere(Colour.RED)

    class Smaller(Enum):
        BLUE = 1

    codec = Codec()
    codec.register(Smaller, f"{__name__}:Colour")
    value, unknown = codec.inspect(data)
    assert unknown == (value,)
    assert unknown[0].reason == "KeyError while it was built"
    assert codec.encode(value) == data


def test_a_dataclass_takes_the_defaults_of_new_fields_and_not_those_it_does_not_know() -> None:
    """A field with a default may be added in a deploy; one that is gone keeps the value whole until it is back."""

    @dataclass
    class Before:
        a: int

    @dataclass
    class After:
        a: int
        b: int = 2

    old, new = Codec(), Codec()
    old.register(Before, "it")
    new.register(After, "it")
    assert new.decode(old.encode(Before(1))) == After(1, 2)
    value, unknown = old.inspect(new.encode(After(1, 5)))
    assert unknown[0].data == {"a": 1, "b": 5}
    assert old.encode(value) == new.encode(After(1, 5))


def test_a_zone_that_this_machine_has_no_data_for_is_kept() -> None:
    """Time zones are data of the machine; the job moves on to one that has it."""
    payload = msgpack.packb(["2026-01-01T00:00:00", 0, "Nowhere/Atall"])
    data = msgpack.packb(msgpack.ExtType(5, payload))
    codec = Codec()
    value, unknown = codec.inspect(data)
    assert unknown[0].name == "datetime"
    assert "ZoneInfoNotFoundError" in unknown[0].reason
    assert codec.encode(value) == data


def test_fault_048_nothing_is_imported_by_a_name_in_the_bytes() -> None:
    """The payload may name any class: without registering it stays a name."""
    data = msgpack.packb(msgpack.ExtType(0, msgpack.packb(["subprocess:Popen", {"args": ["true"]}])))
    assert isinstance(Codec().decode(data), Unknown)


def hint(annotation: Any) -> Callable[..., None]:
    """A function whose one parameter is annotated so."""

    def perform(value: Any) -> None: ...

    perform.__annotations__["value"] = annotation
    return perform


@pytest.mark.parametrize(
    "annotation",
    [Order, list[Order], "Order", "dict[str, Order | None]", Annotated[Order, 1], Page[Order], tuple["Order", ...]],
    ids=str,
)
def test_annotations_teach_the_types_of_the_arguments(annotation: Any) -> None:
    """The node that runs a job knows from ``perform`` which classes may come, with those of their fields."""
    codec = Codec()
    learn_parameters(codec, hint(annotation))
    assert codec.decode(stored_elsewhere(ORDER)) == ORDER


def test_an_annotation_that_cannot_be_evaluated_hides_no_other() -> None:
    """Names that are imported for type checkers only are usual."""

    def perform(*, price: "Decimal", nonsense: Any, to: "Address") -> None: ...

    perform.__annotations__["nonsense"] = "no such thing"

    codec = Codec()
    learn_parameters(codec, perform)
    assert codec.decode(stored_elsewhere(Address("Ulm"))) == Address("Ulm")


def test_a_partial_function_teaches_the_types_of_its_whole() -> None:
    """What is given already changes no annotation."""

    def perform(price: int, *, to: "Address") -> None: ...

    codec = Codec()
    learn_parameters(codec, functools.partial(perform, 1))
    assert codec.decode(stored_elsewhere(Address("Ulm"))) == Address("Ulm")


def test_the_process_has_one_default_codec() -> None:
    """What is registered anywhere in a program is known to all of its systems."""
    assert default_codec() is default_codec()
