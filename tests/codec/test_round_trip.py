"""What goes in comes out: every type, its details, and the same bytes for the same value."""

import math
import sys
import threading
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import PurePath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exqueue.codec import Codec
from tests.codec.samples import PARIS, VALUES, Box, Colour, Line, Money, Order, Rights, Size
from tests.naming import plain_repr


def there_and_back(value: Any, codec: Codec | None = None) -> Any:
    """Encode and decode."""
    codec = Codec() if codec is None else codec
    return codec.decode(codec.encode(value))


@pytest.mark.parametrize("value", VALUES, ids=plain_repr)
def test_fault_037_039_041_a_value_comes_back_equal_and_of_its_own_type(value: Any) -> None:
    """Every type of the promise survives, alone, in a list, in a dict and in a tuple."""
    alone, nested = there_and_back(value), there_and_back({"a": [value], "b": (value,)})
    assert alone == value
    assert type(alone) is type(value)
    assert nested == {"a": [value], "b": (value,)}
    assert type(nested["b"][0]) is type(value)


def test_fault_037_numbers_that_are_equal_to_nothing_come_back() -> None:
    """NaN survives as float and Decimal, and zero keeps its sign."""
    assert math.isnan(there_and_back(math.nan))
    assert there_and_back(Decimal("sNaN123")).compare_total(Decimal("sNaN123")) == 0
    assert math.copysign(1, there_and_back(-0.0)) == -1


def test_a_zone_keeps_its_name_and_the_second_hour_its_fold() -> None:
    """In the hour that the clock repeats, zone and fold say which one is meant."""
    second = datetime(2026, 10, 25, 2, 30, tzinfo=PARIS, fold=1)
    back = there_and_back(second)
    assert (back.tzinfo.key, back.fold, back.utcoffset()) == ("Europe/Paris", 1, timedelta(hours=1))
    assert there_and_back(time(2, 30, fold=1)).fold == 1
    assert there_and_back(datetime(2026, 10, 25, 2, 30, fold=1)).fold == 1  # noqa: DTZ001 - naive has a fold too


def test_a_fixed_offset_keeps_the_name_it_was_given() -> None:
    """`timezone` compares by offset alone, so equality would not show that the name was lost."""
    named = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-5), "EST"))
    assert there_and_back(named).tzname() == "EST"
    assert there_and_back(named.replace(tzinfo=timezone(timedelta(hours=-5)))).tzname() == "UTC-05:00"


def test_a_zone_of_another_library_is_kept_as_its_offset() -> None:
    """The moment is what counts; a class of tzinfo that nobody registered can't be built again."""

    class Foreign(tzinfo):
        def utcoffset(self, _moment: datetime | None) -> timedelta:
            return timedelta(hours=2)

        def dst(self, _moment: datetime | None) -> None:
            return None

        def tzname(self, _moment: datetime | None) -> None:
            return None

    moment = datetime(2026, 1, 1, tzinfo=Foreign())
    back = there_and_back(moment)
    assert back == moment
    assert type(back.tzinfo) is timezone


def test_fields_that_post_init_changes_are_not_changed_twice() -> None:
    """A dataclass comes back with the values it had, those of ``init=False`` included."""
    order = Order([Line("tea", Decimal(2))], set())
    order.total = Decimal(99)
    assert there_and_back(order).total == Decimal(99)


def test_a_registered_type_is_built_by_its_own_function() -> None:
    """What the user registers goes through the two functions, inside of sets too."""
    codec = Codec()
    codec.register(Money, "shop:Money", lambda money: {"amount": money.amount}, lambda plain: Money(plain["amount"]))
    value = {"price": Money(3), "all": {Money(1), Money(2)}}
    assert there_and_back(value, codec) == value


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.complex_numbers(allow_nan=False)
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones(), allow_imaginary=False)
    | st.times()
    | st.timedeltas()
    | st.sampled_from([Colour.RED, Size.SMALL, Rights.READ, PurePath("a")])
)
hashables = st.recursive(
    scalars, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=4), max_leaves=8
)
values = st.recursive(
    hashables | st.sets(hashables, max_size=4),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5) | st.tuples(inner) | inner.map(Box)
    ),
    max_leaves=20,
)


@settings(derandomize=True, max_examples=300)
@given(values)
def test_fault_039_041_any_value_comes_back_equal_and_gives_the_same_bytes_again(value: Any) -> None:
    """Encoding is a function of the value: what was decoded encodes to the bytes it came from."""
    codec = Codec()
    data = codec.encode(value)
    back = codec.decode(data)
    assert back == value
    assert codec.encode(back) == data


def test_the_order_in_which_a_set_was_filled_does_not_show() -> None:
    """Sets are sorted by their packed bytes."""
    codec = Codec()
    # 0 and 8 collide in a small table, so that the order of iteration is that of insertion.
    one, other = {0, 8}, {8, 0}
    assert list(one) != list(other)
    assert codec.encode(one) == codec.encode(other)


@pytest.mark.parametrize("value", VALUES, ids=plain_repr)
def test_the_bytes_do_not_depend_on_what_stands_beside(value: Any) -> None:
    """A special type or a big integer elsewhere in the arguments changes nothing."""
    codec = Codec()
    for other in ((), 2**70):
        assert codec.encode([value, other]) == b"\x92" + codec.encode([value])[1:] + codec.encode(other)


def test_plain_data_is_plain_msgpack() -> None:
    """A program without Exqueue can read what has no special types."""
    assert Codec().encode({"to": "a", "n": [1, None]}) == b"\x82\xa2to\xa1a\xa1n\x92\x01\xc0"


def test_the_codes_of_the_types_never_change() -> None:
    """What was stored by this version is read by all that follow: the bytes themselves are the contract."""
    stored = {
        (1,): "d5029101",
        2**64: "c70901010000000000000000",
        Decimal("1.5"): "d609a3312e35",
        timedelta(1): "d60893010000",
        date(2026, 1, 2): "c70b06aa323032362d30312d3032",
    }
    codec = Codec()
    for value, text in stored.items():
        assert codec.encode(value).hex() == text
        assert codec.decode(bytes.fromhex(text)) == value


def test_fault_042_a_value_nested_as_deep_as_allowed_comes_back() -> None:
    """64 levels, of whatever containers."""
    value: Any = "leaf"
    for level in range(64):
        value = [[value], (value,), {"k": value}, Box(value)][level % 4]
    assert there_and_back(value) == value


def test_threads_share_a_codec() -> None:
    """Encoding, decoding and registering from many threads at once give what one thread gives."""
    codec = Codec()
    value = {"order": Order([Line("tea", Decimal(2))], {"a", "b"}), "n": 2**70}
    wanted = Codec().encode(value)
    wrong: list[object] = []

    def work() -> None:
        for _ in range(200):
            data = codec.encode(value)
            if data != wanted or codec.decode(data) != value:
                wrong.append(data)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []
