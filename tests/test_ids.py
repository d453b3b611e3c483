"""Ids are short, sort by time as text, and never meet; those of users are checked."""

import multiprocessing
import os
import threading
from functools import partial

import pytest

from exqueue.errors import ConfigError
from exqueue.ids import MAX_ID, IdSource, check_id, check_stored_id


def test_an_id_has_16_characters_that_any_user_could_choose() -> None:
    """Each character costs memory in the store, and needs no quoting in a shell or a URL."""
    source = IdSource()
    for _ in range(1_000):
        text = source.next()
        assert len(text) == 16
        assert text.replace("-", "").replace("_", "").isalnum()
        assert text.isascii()
        assert check_id(text) == text


def test_ids_of_one_thread_sort_in_the_order_in_which_they_were_made() -> None:
    """Also when more of them are made than the clock has ticks, as in a bulk enqueue."""
    source = IdSource()
    made = [source.next() for _ in range(50_000)]
    assert made == sorted(set(made))


def test_ids_sort_by_time_over_sources() -> None:
    """A millisecond or a century later sorts later, whichever process made it."""
    moments = [1_700_000_000.0 + 10.0**exponent for exponent in range(-3, 10)]
    made = [IdSource(partial(float, moment)).next() for moment in moments]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_a_clock_that_goes_back_makes_no_earlier_id() -> None:
    """The counter goes on from where it was."""
    moments = iter([1_800_000_000.0, 1.0])
    source = IdSource(lambda: next(moments))
    before = source.next()
    assert source.next() > before


def test_sources_at_the_same_moment_differ_by_their_random_half() -> None:
    """48 bits of the operating system, drawn for each id."""
    made = [IdSource(lambda: 1_800_000_000.0).next() for _ in range(5_000)]
    assert len({text[:8] for text in made}) == 1
    assert len({text[8:] for text in made}) == 5_000
    for position in range(8, 16):
        assert len({text[position] for text in made}) == 64


def test_threads_that_share_a_source_never_make_the_same_id() -> None:
    """There is no lock, so the random half must do it."""
    source = IdSource()
    made: list[list[str]] = [[] for _ in range(8)]

    def work(into: list[str]) -> None:
        into.extend(source.next() for _ in range(5_000))

    threads = [threading.Thread(target=work, args=(each,)) for each in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({text for each in made for text in each}) == 40_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_and_its_parent_never_make_the_same_id() -> None:
    """Both go on from the same counter at the same moment."""
    source = IdSource()
    source.next()
    context = multiprocessing.get_context("fork")
    reader, writer = context.Pipe(duplex=False)
    child = context.Process(target=lambda: writer.send([source.next() for _ in range(2_000)]))
    child.start()
    mine = [source.next() for _ in range(2_000)]
    assert reader.poll(10)
    theirs = reader.recv()
    child.join(10)
    assert child.exitcode == 0
    reader.close()
    writer.close()
    assert len({*mine, *theirs}) == 4_000


@pytest.mark.parametrize("text", ["a", "A" * MAX_ID, "order:4711/mail@shop.example_2026-01-01+a=b."])
def test_ids_of_users_may_be_speaking(text: str) -> None:
    """What people put into keys is allowed."""
    assert check_id(text) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "1 to 128 characters, not 0"),
        ("a" * 129, "not 129"),
        ("a b", "character 2 is ' '"),
        ("ab\n", "character 3 is '\\\\n'"),
        ("é", "character 1 is '\\\\xe9'"),
        ("a|b", "A-Z a-z 0-9 _ . : @"),
        ("\ud800", "ud800"),
        (7, "not int"),
        (b"a", "not bytes"),
        (None, "not NoneType"),
    ],
)
def test_other_ids_are_refused_with_what_is_allowed(text: object, reason: str) -> None:
    """The message says what is wrong and shows one character of it at most."""
    with pytest.raises(ConfigError, match=reason):
        check_id(text)


@pytest.mark.parametrize("text", ["a", "\udcff", "a b \udc80\n"])
def test_an_id_that_a_store_shows_may_be_asked_for(text: str) -> None:
    """Bytes that are no UTF-8 stand in it as escapes; nothing can be stored under it, but it can be removed."""
    assert check_stored_id(text) == text


@pytest.mark.parametrize("text", ["", "a b", "\ud800", "\udcff\ud800", "a" * 129, 7, None])
def test_an_id_that_no_store_has_is_refused_anyway(text: object) -> None:
    """As when a job is stored."""
    with pytest.raises(ConfigError):
        check_stored_id(text)
