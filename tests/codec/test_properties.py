"""What holds for any value: a node that does not know its types loses nothing, and equal sets are equal bytes."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exqueue.codec import Codec
from tests.codec.samples import Box, Colour
from tests.codec.test_round_trip import hashables, values


@settings(derandomize=True, max_examples=200)
@given(values)
def test_a_node_that_does_not_know_the_types_keeps_the_bytes(value: Any) -> None:
    """What it decodes as `Unknown`, however deep inside, it encodes to the bytes it came from; the owner reads it."""
    owner, stranger = Codec(), Codec()
    data = owner.encode([value, Box(Colour.RED)])
    seen, unknown = stranger.inspect(data)
    assert unknown
    assert stranger.encode(seen) == data
    assert owner.decode(stranger.encode(seen)) == [value, Box(Colour.RED)]


@settings(derandomize=True, max_examples=200)
@given(st.lists(hashables, max_size=8), st.randoms(use_true_random=False))
def test_equal_sets_are_equal_bytes(members: list[Any], random: Any) -> None:
    """In whatever order they were filled."""
    shuffled = list(members)
    random.shuffle(shuffled)
    one, other = set(members), set(shuffled)
    codec = Codec()
    if sorted(map(codec.encode, one)) == sorted(map(codec.encode, other)):
        # 1 and 1.0 are equal, and the first of them stays in the set.
        assert codec.encode(one) == codec.encode(other)
        assert codec.encode(frozenset(one)) == codec.encode(frozenset(other))


@settings(derandomize=True, max_examples=200)
@given(st.lists(values, max_size=4))
def test_the_bytes_of_a_list_are_those_of_its_members(members: list[Any]) -> None:
    """What stands beside a value changes none of its bytes, so that equal arguments are equal bytes in every job."""
    codec = Codec()
    assert codec.encode(members) == bytes([0x90 | len(members)]) + b"".join(map(codec.encode, members))
