"""The record of a job comes back as it was, is read in part, and damage is told from a newer format."""

import math
import random
from dataclasses import dataclass
from typing import Any

import pytest

from exqueue.codec import Codec
from exqueue.errors import ConfigError, NewerRecordError, PayloadError, RecordError
from exqueue.record import Record, decode_record, encode_record, peek

KWARGS: dict[str, Any] = {"to": "info@example.com", "title": "Hello", "text": "Hello, there!"}
AT = 1_790_000_000.123456


@dataclass
class Address:
    city: str


def encoded(kwargs: Any = KWARGS, codec: Codec | None = None) -> bytes:
    """A record of these arguments."""
    return encode_record("SendEmail", kwargs, AT, codec or Codec())


def test_a_record_comes_back_as_it_was() -> None:
    """Name, arguments and time, to the microsecond."""
    assert decode_record(encoded(), Codec()) == Record("SendEmail", KWARGS, AT)


def test_a_record_is_small() -> None:
    """Memory of the store is the price of each job: ten bytes and the name on top of the arguments."""
    assert len(encoded()) == 10 + len("SendEmail") + len(Codec().encode(KWARGS))


def test_the_bytes_of_this_format_are_read_for_ever() -> None:
    """What this version stored is the contract with all that follow."""
    stored = bytes.fromhex("0141daac4f400000000353656e81a161d5029101")
    assert decode_record(stored, Codec()) == Record("Sen", {"a": (1,)}, 1_790_000_384.0)
    assert encode_record("Sen", {"a": (1,)}, 1_790_000_384.0, Codec()) == stored


def test_the_header_is_read_without_the_arguments() -> None:
    """A list that shows names and times does not pay for the arguments, nor fail at them."""
    header = peek(encoded()[:-10])
    assert header == ("SendEmail", AT)
    assert (header.job, header.enqueued_at) == ("SendEmail", AT)


def test_what_this_node_cannot_build_is_told_with_the_record() -> None:
    """Such a job is listed and moved, and not run."""
    data = encoded({"to": [Address("Ulm")]})
    record = decode_record(data, Codec())
    assert [each.data for each in record.unknown] == [{"city": "Ulm"}]
    assert encoded(record.kwargs) == data
    knows = Codec()
    knows.learn(Address)
    assert decode_record(data, knows).unknown == ()


def test_arguments_that_cannot_be_stored_are_refused_with_their_path() -> None:
    """Where it is enqueued."""
    with pytest.raises(PayloadError, match=r'kwargs\["a"\]\[0\] is of type object'):
        encoded({"a": [object()]})


def test_the_limit_holds_for_the_arguments() -> None:
    """``max_payload`` counts their bytes, not the header's."""
    size = len(Codec().encode(KWARGS))
    encode_record("SendEmail", KWARGS, AT, Codec(), max_payload=size)
    with pytest.raises(PayloadError, match="max_payload"):
        encode_record("SendEmail", KWARGS, AT, Codec(), max_payload=size - 1)


@pytest.mark.parametrize("at", [math.nan, math.inf])
def test_a_time_that_is_none_is_refused(at: float) -> None:
    """It could not be sorted or shown."""
    with pytest.raises(ConfigError, match="no time"):
        encode_record("SendEmail", {}, at, Codec())


@pytest.mark.parametrize("name", ["", "x" * 256, "é" * 128])
def test_fault_048_a_name_that_does_not_fit_is_refused(name: str) -> None:
    """Its length is one byte."""
    with pytest.raises(ConfigError, match="255 bytes"):
        encode_record(name, {}, AT, Codec())


def test_fault_036_a_record_of_a_newer_format_is_told_from_damage() -> None:
    """It waits for a node that reads it; nothing is wrong with it."""
    data = b"\x02" + encoded()[1:]
    with pytest.raises(NewerRecordError, match="format 2"):
        decode_record(data, Codec())
    with pytest.raises(NewerRecordError):
        peek(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\x00" * 40,
        encoded()[:12],
        encoded()[:19],
        encoded()[:-1],
        encoded() + b"\x00",
        encoded()[:10] + b"\xff" + encoded()[11:],
        encoded()[:9] + b"\x00" + encoded()[19:],
        encoded()[:1] + b"\x7f\xf8" + encoded()[3:],
        encoded([1]),
        encoded(1),
        encoded()[:19] + b"\x81\xc4\x01a\x01",
    ],
    ids=[
        "empty",
        "version only",
        "zeros",
        "name cut",
        "no arguments",
        "arguments cut",
        "trailing",
        "name no UTF-8",
        "no name",
        "no time",
        "list",
        "int",
        "key no str",
    ],
)
def test_fault_033_a_damaged_record_is_a_record_error(data: bytes) -> None:
    """And not a newer one, for that would wait for ever."""
    with pytest.raises(RecordError) as caught:
        decode_record(data, Codec())
    assert not isinstance(caught.value, NewerRecordError)


@pytest.mark.parametrize("length", range(19))
def test_fault_033_a_header_cut_short_is_no_header(length: int) -> None:
    """A list shows no half names."""
    with pytest.raises(RecordError):
        peek(encoded()[:length])


def test_fault_033_every_cut_of_a_record_is_a_record_error() -> None:
    """No length at which a part is taken for the whole."""
    whole = encoded({**KWARGS, "n": [(1, 2.5)]})
    for length in range(len(whole)):
        with pytest.raises(RecordError):
            decode_record(whole[:length], Codec())


def test_fault_032_random_damage_ends_in_a_record_or_a_record_error() -> None:
    """No other error comes out of a store gone wrong."""
    chance = random.Random(1)
    whole = encoded({**KWARGS, "at": [Address("Ulm")], "n": 2**70})
    for _ in range(3_000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            assert isinstance(decode_record(bytes(data), Codec()), Record)
        except RecordError:
            continue


@pytest.mark.parametrize("name", ["A", "A" * 255])
def test_the_name_of_a_job_may_be_as_short_and_as_long_as_it_says(name: str) -> None:
    """Both bounds belong to what is allowed."""
    record = encode_record(name, KWARGS, AT, Codec())
    assert decode_record(record, Codec()).job == peek(record).job == name
