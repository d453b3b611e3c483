"""What can't be stored is refused where it is enqueued, with its path and type and never its value."""

import collections
import dataclasses
import enum
import gc
import sys
import tracemalloc
import weakref
from dataclasses import InitVar, dataclass
from datetime import datetime, tzinfo
from typing import Any

import pytest

from exqueue.codec import Codec
from exqueue.errors import ConfigError, PayloadError


class Text(str):
    __slots__ = ()


class Number(int):
    pass


class Point(collections.namedtuple("Point", "x")):  # noqa: PYI024 - the untyped one is a tuple's subclass too
    __slots__ = ()


class Key(enum.StrEnum):
    A = "a"


@dataclass
class Line:
    item: Any


@dataclass
class Scaled:
    size: int
    factor: InitVar[int]

    def __post_init__(self, factor: int) -> None:
        self.size *= factor


@dataclass
class Bag(dict[str, int]):
    label: str


class Money:
    def __init__(self, amount: Any) -> None:
        self.amount = amount


class Nowhere(tzinfo):
    def utcoffset(self, _moment: datetime | None) -> None:
        return None

    def dst(self, _moment: datetime | None) -> None:
        return None

    def tzname(self, _moment: datetime | None) -> None:
        return None


def refusal(value: Any, *, limit: int = 10_000, codec: Codec | None = None) -> str:
    """Return the message with which ``value`` is refused."""
    with pytest.raises(PayloadError) as caught:
        (codec or Codec()).encode(value, "kwargs", limit=limit)
    return str(caught.value)


def nested(levels: int) -> Any:
    """A leaf inside of so many lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "path", "type_"),
    [
        ({"a": object()}, 'kwargs["a"]', "object"),
        ({"order": {"lines": [0, 1, 2, object()]}}, 'kwargs["order"]["lines"][3]', "object"),
        ({"a": Text("secret")}, 'kwargs["a"]', "Text"),
        ({"a": Number(7)}, 'kwargs["a"]', "Number"),
        ({"a": Point(7)}, 'kwargs["a"]', "Point"),
        ({"a": collections.OrderedDict()}, 'kwargs["a"]', "collections.OrderedDict"),
        ({"a": collections.UserList()}, 'kwargs["a"]', "collections.UserList"),
        ({"a": bytearray(b"secret")}, 'kwargs["a"]', "bytearray"),
        ({"a": len}, 'kwargs["a"]', "builtin_function_or_method"),
        ({"a": Line}, 'kwargs["a"]', "type"),
        ({"a": (1, [object()])}, 'kwargs["a"][1][0]', "object"),
        ({"a": {object()}}, 'kwargs["a"]{...}', "object"),
        ({"a": Line([object()])}, 'kwargs["a"].item[0]', "object"),
        ({"a": {1: 2}}, 'kwargs["a"] has a key', "int"),
        ({"a": {b"k": 2}}, 'kwargs["a"] has a key', "bytes"),
        ({"a": {Key.A: 2}}, 'kwargs["a"] has a key', "Key"),
        ({"a": {Text("k"): 2}}, 'kwargs["a"] has a key', "Text"),
        ({"a": ["ok", "secret\ud800"]}, 'kwargs["a"][1]', "surrogate"),
        ({"a": {"\udfff": 2}}, 'kwargs["a"]["\\udfff"]', "surrogate"),
        ({"a": Scaled(1, 2)}, 'kwargs["a"]', "Scaled"),
        ({"a": Bag("x")}, 'kwargs["a"]', "Bag"),
        ({"a": datetime(2026, 1, 1, tzinfo=Nowhere())}, 'kwargs["a"]', "Nowhere"),
        ({'q"\n' + "x" * 100: object()}, 'kwargs["q\\"\\n' + "x" * 57 + '..."]', "object"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_fault_038_041_what_cannot_be_stored_is_named_by_path_and_type(value: Any, path: str, type_: str) -> None:
    """The message leads to the place, and keeps the value to itself."""
    message = refusal(value)
    assert path in message
    assert type_ in message
    assert "secret" not in message


def test_an_error_of_to_plain_is_told_by_its_type_only() -> None:
    """What the user's function says may hold the value; it stays the cause."""
    codec = Codec()
    codec.register(Money, "Money", lambda money: 1 / money.amount, Money)
    with pytest.raises(PayloadError, match="ZeroDivisionError") as caught:
        codec.encode({"a": [Money(0)]}, "kwargs")
    assert 'kwargs["a"][0]' in str(caught.value)
    assert "division by zero" not in str(caught.value)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_what_to_plain_gives_is_checked_too() -> None:
    """A bad value inside of the plain form has its path as well."""
    codec = Codec()
    codec.register(Money, "Money", lambda money: {"amount": money.amount}, Money)
    assert 'kwargs["a"].to_plain()["amount"]' in refusal({"a": Money(object())}, codec=codec)


def test_fault_042_64_levels_are_stored_and_65_refused() -> None:
    """The outermost container is the first level."""
    codec = Codec()
    for levels in (63, 64):
        assert codec.decode(codec.encode(nested(levels))) == nested(levels)
    for levels in (65, 1_000, 1_000_000):
        assert "more than 64 levels" in refusal(nested(levels))
        assert "more than 64 levels" in refusal({"a": (nested(levels),)})


def test_fault_042_types_beyond_plain_data_count_as_levels() -> None:
    """Tuples, dataclasses and what ``to_plain`` gives can't hide a level."""
    tuples: Any = 1
    lines: Any = 1
    for _ in range(65):
        tuples, lines = (tuples,), Line(lines)
    assert "more than 64 levels" in refusal(tuples)
    assert "more than 64 levels" in refusal(lines)
    codec = Codec()
    codec.register(Money, "Money", lambda money: money, lambda plain: plain)
    assert "more than 64 levels" in refusal(Money(1), codec=codec)


def test_fault_042_a_value_that_contains_itself_is_too_deep() -> None:
    """A cycle ends in a refusal with a path that stays short."""
    ring: list[Any] = []
    ring.append({"ring": ring})
    message = refusal({"a": ring})
    assert "contains itself" in message
    assert len(message) < 400


def test_fault_042_a_full_stack_is_a_refusal_too() -> None:
    """Enqueued at the end of a deep recursion, a value of few levels does not raise RecursionError."""
    codec = Codec()

    def descend(levels: int) -> None:
        if levels:
            descend(levels - 1)
        else:
            codec.encode(nested(60), "kwargs")

    depth = len(_frames())
    outcomes = set()
    for room in range(20, 200, 5):
        try:
            descend(sys.getrecursionlimit() - depth - room)
            outcomes.add("stored")
        except PayloadError as error:
            outcomes.add("stack" if "stack" in str(error) else str(error))
    assert outcomes == {"stored", "stack"}


def _frames() -> list[Any]:
    frames, frame = [], sys._getframe()  # noqa: SLF001 - the depth of the stack stands nowhere else
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back  # type: ignore[assignment]
    return frames


def test_the_largest_argument_of_too_many_bytes_is_named() -> None:
    """Who sees "too large" wants to know what to keep elsewhere."""
    message = refusal({"small": "x" * 10, "body": "x" * 7_000, "rest": ["x" * 1_000] * 4})
    assert "more than 10,000 bytes" in message
    assert 'kwargs["body"] with 7,003 bytes, of type str' in message


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ({"body": "x" * 11_000}, 'kwargs["body"] with more than 10,000 bytes, of type str'),
        ({"order": {"lines": ["x", "x" * 11_000]}}, 'kwargs["order"]["lines"][1] with more than 10,000 bytes, of'),
        ({"order": {"lines": [b"x" * 6_000, "x" * 5_000]}}, 'kwargs["order"]["lines"][0] with 6,003 bytes, of type by'),
        ({"order": {"lines": list(range(20_000))}}, 'kwargs["order"]["lines"] with more than 10,000 bytes, of type li'),
        ({"order": (1,) * 11_000}, 'kwargs["order"] with more than 10,000 bytes, of type tuple'),
    ],
    ids=["one argument", "deep inside", "half of it", "many small ones", "no plain container"],
)
def test_the_place_of_the_largest_part_is_told(value: Any, part: str) -> None:
    """As deep inside as one part is most of it, with its type; what is made of many small ones is named as a whole."""
    assert part in refusal(value)


def test_the_largest_part_is_looked_for_with_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many names of one thing that is too large, on many levels: not each is weighed."""
    weight, weighed = Codec._weight, []  # noqa: SLF001 - what costs the time

    def counted(codec: Codec, part: object, path: str, limit: int) -> int:
        weighed.append(part)
        return weight(codec, part, path, limit)

    monkeypatch.setattr(Codec, "_weight", counted)
    shared: Any = ["x"] * 9_000
    for _ in range(30):
        shared = [shared, shared]
    assert "more than 10,000 bytes" in refusal({f"name-{n}": shared for n in range(900)})
    assert 0 < len(weighed) < 10
    weighed.clear()
    assert "more than 10,000 bytes" in refusal({"many": ["x"] * 20_000})
    assert len(weighed) == 1


@pytest.mark.parametrize(
    "value",
    ["x" * 9_998, b"x" * 9_998, ["é" * 4_999], {"k" * 9_997: 1}, (0,) * 9_998, 2**80_000, {"a": [Line("x" * 9_999)]}],
    ids=lambda each: type(each).__name__,
)
def test_a_byte_too_much_is_refused(value: Any) -> None:
    """The limit holds for the bytes as stored, keys and marks included."""
    assert "more than 10,000 bytes" in refusal(value)


def test_as_many_bytes_as_allowed_are_stored() -> None:
    """The limit itself is allowed."""
    assert len(Codec().encode("x" * 9_997, limit=10_000)) == 10_000


def test_fault_045_one_thing_many_times_is_refused_before_it_is_written_out() -> None:
    """30 levels of a list that holds the next one twice are a billion leaves: that must end at the limit."""
    plain: Any = "x"
    special: Any = "x"
    for _ in range(40):
        plain, special = [plain, plain], (special, special)
    assert "more than 10,000 bytes" in refusal(plain)
    assert "more than 10,000 bytes" in refusal(special)


@pytest.mark.parametrize(
    "part", ["x" * 9_000, b"x" * 9_000, 2**72_000, ("x" * 9_000,)], ids=["str", "bytes", "int", "tuple"]
)
def test_fault_045_a_large_part_many_times_fills_no_memory(part: Any) -> None:
    """45 MB are not packed first and weighed then."""
    value = [part] * 5_000
    tracemalloc.start()
    message = refusal(value)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "more than 10,000 bytes" in message
    assert peak < 1_000_000


def test_a_dict_that_changes_while_it_is_walked_is_a_refusal() -> None:
    """Another thread that writes into the arguments is told, not answered with a RuntimeError."""
    victim: dict[str, Any] = {}

    class Meddler:
        pass

    codec = Codec()

    def meddle(_value: Meddler) -> int:
        victim[f"new {len(victim)}"] = 1
        return 1

    codec.register(Meddler, "Meddler", meddle, lambda _plain: Meddler())
    victim["a"] = Meddler()
    assert "changed by another thread" in refusal(victim, codec=codec)


def test_a_refusal_does_not_drag_the_walk_along() -> None:
    """A traceback of two frames a level would bury the line that matters."""
    with pytest.raises(PayloadError) as caught:
        Codec().encode(nested(80), "kwargs")
    assert len(caught.traceback) < 6


class Reloaded(enum.Enum):
    A = 1


def _load_again() -> Any:
    make: Any = enum.Enum
    return make("Reloaded", {"A": 1}, module=Reloaded.__module__, qualname=Reloaded.__qualname__)


def test_a_name_belongs_to_one_class() -> None:
    """Two classes under one name would be built as each other."""
    codec = Codec()
    codec.register(Line, "shop:Thing")
    codec.register(Line, "shop:Thing")
    with pytest.raises(ConfigError, match=r"'shop:Thing' is taken by .*Line"):
        codec.register(Key, "shop:Thing")
    assert codec.decode(codec.encode(Line(1))) == Line(1)


def test_the_newest_class_of_a_reloaded_module_is_meant() -> None:
    """After a reload the same name means the new class, and both can still be enqueued."""
    codec = Codec()
    again = _load_again()
    data = codec.encode(Reloaded.A)
    assert codec.encode(again.A) == data
    assert codec.decode(data) is again.A


def test_a_class_that_was_replaced_is_let_go() -> None:
    """A class inside of a function is a new one at each call; keeping them all would fill the memory."""

    def store_one() -> "weakref.ref[type]":
        class Local(enum.Enum):
            A = 1

        codec.encode(Local.A)
        return weakref.ref(Local)

    codec = Codec()
    first = store_one()
    store_one()
    gc.collect()
    assert first() is None


def test_a_second_name_is_written_and_the_first_still_read() -> None:
    """A class that moves to another module keeps what was stored under its old name."""
    codec = Codec()
    old = codec.encode(Line(1))
    codec.register(Line, "shop:Line")
    assert b"shop:Line" in codec.encode(Line(1))
    assert codec.decode(old) == Line(1)


@pytest.mark.parametrize("type_", [str, int, type(None), dict, tuple, set, datetime])
def test_a_type_that_is_stored_by_itself_cannot_be_registered(type_: type) -> None:
    """Another meaning of ``tuple`` on one node would be another meaning of every stored tuple."""
    with pytest.raises(ConfigError, match="by itself"):
        Codec().register(type_, "mine", str, str)


def test_registrations_that_are_not_complete_are_refused() -> None:
    """What is missing is said when registering, not when the first job comes."""
    codec = Codec()
    with pytest.raises(ConfigError, match="give to_plain and from_plain"):
        codec.register(Money)
    with pytest.raises(ConfigError, match="needs both"):
        codec.register(Money, "Money", lambda money: money.amount)
    with pytest.raises(ConfigError, match="1 to 200 printable"):
        codec.register(Line, "a\nb")
    with pytest.raises(ConfigError, match="1 to 200 printable"):
        codec.register(Line, "")
    with pytest.raises(ConfigError, match="'factor', which is no field"):
        codec.register(Scaled)
    with pytest.raises(ConfigError, match="a class is registered"):
        codec.register(Money(1), "x")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="is a str, not a value of type int"):
        codec.register(Money, 5, str, str)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="from_plain is a function, not a value of type str"):
        codec.register(Money, "Money", str, "Money")  # type: ignore[arg-type]


def test_a_dataclass_made_at_run_time_is_stored_by_its_own_name() -> None:
    """A class needs no module that could be imported; only its name and fields count."""
    codec = Codec()
    made = dataclasses.make_dataclass("Made", ["a", ("b", int, 2)])
    assert codec.decode(codec.encode(made(1))) == made(1, 2)
