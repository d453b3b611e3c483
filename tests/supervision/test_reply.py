"""A reply is one answer, and its ticket goes to one side only."""

import threading

import pykka
import pytest

from exqueue.supervision import Reply
from tests.supervision.tree import DEADLINE_S


def test_an_answer_is_read_as_often_as_one_likes() -> None:
    """Reading does not use it up."""
    reply: Reply[int] = Reply()
    assert not reply.is_answered()
    reply.set(7)
    assert reply.is_answered()
    assert [reply.get(timeout=0), reply.get()] == [7, 7]


def test_an_error_is_raised_as_it_is() -> None:
    """The asker gets the very error, also by way of the one being handled."""
    reply: Reply[int] = Reply()
    error = ValueError("no")
    try:
        raise error
    except ValueError:
        reply.set_exception()
    with pytest.raises(ValueError, match="no") as caught:
        reply.get(timeout=0)
    assert caught.value is error


def test_no_answer_in_time_is_a_timeout() -> None:
    """A time-out of zero or less does not wait."""
    reply: Reply[int] = Reply()
    for timeout in (0, -1, 0.01):
        with pytest.raises(pykka.Timeout):
            reply.get(timeout=timeout)


def test_a_second_answer_is_an_error_of_the_answering_side() -> None:
    """It raises where it is given."""
    reply: Reply[int] = Reply()
    reply.set(1)
    with pytest.raises(RuntimeError):
        reply.set(2)


def test_the_ticket_is_taken_by_one_side() -> None:
    """Who began can't be withdrawn from, what was withdrawn can't be begun; giving back opens both again."""
    reply: Reply[int] = Reply()
    assert reply.begin()
    assert not reply.withdraw()
    assert not reply.begin()
    reply.give_back()
    assert reply.withdraw()
    assert not reply.begin()


def test_of_threads_that_reach_for_the_ticket_one_gets_it() -> None:
    """Begin and withdraw are one atomic step."""
    for _ in range(100):
        reply: Reply[int] = Reply()
        go = threading.Barrier(4)
        won: list[bool] = []

        def reach(n: int, reply: Reply[int] = reply, go: threading.Barrier = go, won: list[bool] = won) -> None:
            go.wait(DEADLINE_S)
            won.append(reply.begin() if n % 2 else reply.withdraw())

        threads = [threading.Thread(target=reach, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)
        assert sorted(won) == [False, False, False, True]
