"""The trail counts failures, keeps the newest errors, and never makes its job unreadable."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exqueue.errors import NewerRecordError
from exqueue.record import MAX_ERRORS, JobError, Trail, decode_trail, encode_trail, is_damaged_trail


def error(number: int) -> JobError:
    """An error that can be told from the others."""
    return JobError("app.Oops", f"error {number}", "Traceback ...", float(number), "node-1")


def failed(times: int) -> Trail:
    """The trail of a job that failed so often."""
    trail = Trail()
    for number in range(times):
        trail = trail.after_failure(error(number))
    return trail


def test_a_job_without_a_stored_trail_has_the_empty_one() -> None:
    """Only a first failure stores a trail."""
    assert decode_trail(None) == Trail(failures=0, errors=(), buried=False, reason=None)


def test_a_failure_counts_and_keeps_its_error() -> None:
    """The trail before it is left as it was."""
    before = failed(1)
    after = before.after_failure(error(7))
    assert after == Trail(failures=2, errors=(error(0), error(7)))
    assert before == failed(1)


def test_the_newest_errors_are_kept_and_all_failures_counted() -> None:
    """25 retries of 16 KB each would be too much for every dead job."""
    trail = failed(25)
    assert trail.failures == 25
    assert trail.errors == tuple(error(number) for number in range(15, 25))
    assert len(trail.errors) == MAX_ERRORS


def test_a_trail_that_says_buried_on_a_living_job_means_revived() -> None:
    """Failures count from 0 again, the errors are still there; a second death is told anew."""
    dead = failed(3).buried_with("retries exhausted")
    assert (dead.buried, dead.reason, dead.failures) == (True, "retries exhausted", 3)
    alive = dead.alive()
    assert alive == Trail(failures=0, errors=dead.errors)
    assert alive.after_failure(error(9)).failures == 1
    assert alive.alive() == alive


def test_a_trail_that_says_nothing_of_a_burial_is_alive_as_it_is() -> None:
    """A waiting job's failures go on counting."""
    assert failed(3).alive() == failed(3)


@settings(derandomize=True, max_examples=100)
@given(
    st.builds(
        Trail,
        failures=st.integers(0, 2**32 - 1),
        errors=st.lists(
            st.builds(JobError, st.text(), st.text(), st.text(), st.floats(allow_nan=False), st.text()), max_size=10
        ).map(tuple),
        buried=st.booleans(),
        reason=st.none() | st.text(),
    ),
)
def test_a_trail_comes_back_as_it_was(trail: Trail) -> None:
    """All of it, and the same bytes for the same trail."""
    data = encode_trail(trail)
    assert decode_trail(data) == trail
    assert encode_trail(decode_trail(data)) == data


def test_a_reason_of_any_text_can_be_stored() -> None:
    """A reason quotes what went wrong, and that may be long or no UTF-8."""
    trail = failed(1).buried_with("x\udcff" * 5_000)
    assert decode_trail(encode_trail(trail)) == trail


def test_counts_that_do_not_fit_stay_at_the_most() -> None:
    """4 billion failures are as good as more."""
    assert decode_trail(encode_trail(Trail(failures=2**40))).failures == 2**32 - 1


def test_a_trail_cut_short_keeps_its_count_and_burial_and_says_so() -> None:
    """What stands in the head survives the loss of the rest."""
    trail = decode_trail(encode_trail(failed(3).buried_with("why"))[:-5])
    assert (trail.failures, trail.buried) == (3, True)
    assert [each.type for each in trail.errors] == ["DamagedTrail"]
    assert "is damaged" in trail.errors[0].message


def test_one_damaged_error_leaves_the_others() -> None:
    """The good ones are kept, and the newest says that there were more."""
    data = encode_trail(replace(failed(3), reason="r")).replace(b"\xa7error 1", b"\xc4\x06error1")
    trail = decode_trail(data)
    assert (trail.failures, trail.reason) == (3, "r")
    assert [each.type for each in trail.errors] == ["app.Oops", "app.Oops", "DamagedTrail"]


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x00" * 50, b"\x01\x00\x00\x00\x00\x02\xc1"], ids=repr)
def test_a_ruined_trail_is_a_trail_that_says_so(data: bytes) -> None:
    """The job can still be listed, run and buried."""
    trail = decode_trail(data)
    assert [each.type for each in trail.errors] == ["DamagedTrail"]
    assert decode_trail(encode_trail(trail)) == trail
    assert is_damaged_trail(data)


def test_a_trail_that_tells_of_damage_is_damaged_no_more() -> None:
    """What could be read of it was written anew; a newer format is none of it, and neither is a sound trail."""
    note = encode_trail(decode_trail(b"\x01"))
    assert [is_damaged_trail(data) for data in (note, encode_trail(failed(3)), b"\x02?")] == [False, False, False]


def test_random_damage_never_raises_anything_but_newer() -> None:
    """Flipped bytes give a trail, or one of a newer format when the first byte says that."""
    chance = random.Random(1)
    whole = encode_trail(failed(3).buried_with("why"))
    for _ in range(3_000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if data[0] > 1:
            with pytest.raises(NewerRecordError):
                decode_trail(bytes(data))
        else:
            assert isinstance(decode_trail(bytes(data)), Trail)


def test_a_trail_of_a_newer_format_is_not_taken_for_damage() -> None:
    """Writing it anew would lose what the newer version keeps there."""
    with pytest.raises(NewerRecordError, match="format 2"):
        decode_trail(b"\x02" + encode_trail(failed(1))[1:])
