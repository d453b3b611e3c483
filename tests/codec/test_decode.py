"""Bytes from outside end in a value or in `RecordError`, whatever they are."""

import random
import tracemalloc
from typing import Any

import msgpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exqueue.codec import Codec, wire
from exqueue.errors import PayloadError, RecordError
from tests.codec.samples import VALUES


def survives(data: bytes) -> None:
    """Decode; what can be decoded must encode, or be refused as what no codec writes."""
    codec = Codec()
    try:
        value = codec.decode(data)
    except RecordError:
        return
    try:
        codec.encode(value)
    except PayloadError:
        return


@settings(derandomize=True, max_examples=1_000)
@given(st.binary(max_size=200))
@example(b"")
def test_fault_032_random_bytes_end_in_a_value_or_a_record_error(data: bytes) -> None:
    """No other error comes out."""
    survives(data)


def test_fault_032_damaged_values_end_in_a_value_or_a_record_error() -> None:
    """Flipped, cut and doubled bytes of real values: these get further into the decoder than random ones."""
    chance = random.Random(1)
    codec = Codec()
    wholes = [codec.encode({"a": [value], "b": (value,)}) for value in VALUES]
    for whole in wholes:
        for _ in range(60):
            data = bytearray(whole)
            for _ in range(chance.randint(1, 3)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            survives(bytes(data[: chance.randint(1, len(data))] if chance.random() < 0.3 else data))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x01\x02",
        b"\xa5abc",
        b"\xa1\xff",
        b"\x81\x01\x02",
        b"\xc7\x01\x00\xc0",
        b"\xc7\x02\x00\x91\xc0",
        b"\xc7\x03\x00\x92\x01\x02",
        b"\xd4\x02\xc1",
        b"\xd4\x80\x00",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\x91" * 5_000 + b"\xc0",
    ],
    ids=[
        "empty",
        "never used",
        "trailing",
        "cut short",
        "no UTF-8",
        "key no text",
        "name missing",
        "half a pair",
        "name no text",
        "bad inside",
        "reserved code",
        "array bomb",
        "map bomb",
        "bytes bomb",
        "depth bomb",
    ],
)
def test_fault_033_042_043_what_no_codec_wrote_is_a_record_error(data: bytes) -> None:
    """Each with a sentence that says so."""
    with pytest.raises(RecordError, match="stored"):
        Codec().decode(data)


def test_fault_047_an_error_is_not_carried_into_the_next_value() -> None:
    """Whatever was wrong with one value, small or large, the next is decoded as if nothing had been before."""
    codec = Codec()
    for size in (10, 100_000):
        value = {"a": [b"x" * size, (1, {2}), 2**70]}
        data = codec.encode(value)
        for damaged in (data[:-1], data + b"\xc0", b"\xc1" + data, b"\xdd\xff\xff\xff\xff" + data):
            with pytest.raises(RecordError):
                codec.decode(damaged)
            assert codec.decode(data) == value


def test_fault_042_extensions_inside_of_extensions_end_at_the_depth_that_is_written() -> None:
    """Each level copies its payload: thousands of levels would be gigabytes."""
    data = b"\xc0"
    for _ in range(3_000):
        data = msgpack.packb(msgpack.ExtType(2, data))
    with pytest.raises(RecordError, match="too deep"):
        Codec().decode(data)


def test_fault_043_arrays_that_claim_what_is_not_there_reserve_nothing() -> None:
    """A thousand nested arrays of a million items each are 8 GB if they are believed, also inside of an extension."""
    count = 1_000_000
    bomb = (b"\xdd" + count.to_bytes(4, "big")) * 1_000
    bomb += b"\xc0" * (count - len(bomb))
    for data in (bomb, msgpack.packb(msgpack.ExtType(2, bomb))):
        tracemalloc.start()
        with pytest.raises(RecordError):
            Codec().decode(data)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 20 * count


def test_fault_043_more_bytes_than_any_store_keeps_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cap is checked before decoding."""
    monkeypatch.setattr(wire, "MAX_STORED", 10)
    assert Codec().decode(Codec().encode("x" * 8)) == "x" * 8
    with pytest.raises(RecordError, match="at most 10"):
        Codec().decode(Codec().encode("x" * 11))


def test_a_large_value_comes_back() -> None:
    """The check of large payloads lets through what is whole."""
    codec = Codec()
    value: Any = {"rows": [[number, f"name {number}", (number, {number})] for number in range(5_000)]}
    assert codec.decode(codec.encode(value)) == value


def test_an_interrupt_while_a_value_is_built_is_not_swallowed() -> None:
    """Only errors make a value unknown; a stop of the program is none."""

    class Stopper:
        pass

    def stop(_plain: Any) -> Any:
        raise KeyboardInterrupt

    codec = Codec()
    codec.register(Stopper, "Stopper", lambda _value: 1, stop)
    data = codec.encode(Stopper())
    with pytest.raises(KeyboardInterrupt):
        codec.decode(data)
