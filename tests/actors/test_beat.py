"""What a node says of itself: read again as it was said, or not at all."""

from __future__ import annotations

import json

import pytest

from exqueue.actors.beat import FORMAT, NOTHING_SAID, Beat, BeatQueue, decode_beat, encode_beat

SAID = Beat(
    queues={"mail": BeatQueue(3, serial=False, abandoned=1)},
    workers={("mail", "job-1"): "queues/mail/worker-1"},
    failures=("two job classes are named Old",),
    damaged={"post": "a list where a hash belongs"},
)


def test_what_was_said_is_read() -> None:
    """All of it."""
    assert decode_beat(encode_beat(SAID)) == SAID


def test_an_older_beat_says_less() -> None:
    """A key that is not there stands for nothing to say."""
    told = json.loads(encode_beat(SAID))
    del told["damaged"]
    assert decode_beat(json.dumps(told).encode()).queues == SAID.queues


@pytest.mark.parametrize("form", [FORMAT + 1, FORMAT - 1, "1", None])
def test_of_another_format_nothing_is_read(form: object) -> None:
    """Its keys may mean something else, even where they look alike."""
    told = {**json.loads(encode_beat(SAID)), "format": form}
    assert decode_beat(json.dumps(told).encode()) == NOTHING_SAID


@pytest.mark.parametrize("data", [b"", b"queues and workers", b"[]", b"null", b"\xff", b'{"format":1}'])
def test_of_what_is_no_beat_nothing_is_read(data: bytes) -> None:
    """The node lives, and no more is known."""
    assert decode_beat(data) == NOTHING_SAID
