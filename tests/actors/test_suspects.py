"""Who has leave to run a suspect, and when it ends."""

from __future__ import annotations

import pytest

from exqueue.actors.suspects import SuspectLeave
from exqueue.supervision import Board

RUN = ("job", b"1|1|1|1")


@pytest.fixture
def board() -> Board:
    """Of one system."""
    return Board()


def leave_of(board: Board, queue: str) -> SuspectLeave:
    """A Fetcher's, which may be the next of that queue."""
    return SuspectLeave(queue, board, lambda _name, _message: True)


@pytest.mark.parametrize(("listed", "executing"), [((RUN,), ()), ((), (RUN,)), ((RUN,), (RUN,))])
def test_a_claim_keeps_the_leave_of_a_suspect_that_may_still_run(
    board: Board, listed: tuple[tuple[str, bytes], ...], executing: tuple[tuple[str, bytes], ...]
) -> None:
    """In the persistence, or in a thread here: nobody else gets leave beside it."""
    leave_of(board, "one").hold(RUN)
    leave_of(board, "one").keep_if_in(listed, executing)
    assert not leave_of(board, "other").take().suspect


def test_a_claim_forgets_a_suspect_that_is_nowhere(board: Board) -> None:
    """It ended with the Fetcher that held the leave."""
    leave_of(board, "one").hold(RUN)
    leave_of(board, "one").keep_if_in((), ())
    assert leave_of(board, "other").take().suspect


def test_a_claim_forgets_the_mere_intention(board: Board) -> None:
    """Who had it crashed before anything was handed out."""
    assert leave_of(board, "one").take().suspect
    leave_of(board, "one").keep_if_in((), ())
    assert leave_of(board, "other").take().suspect
