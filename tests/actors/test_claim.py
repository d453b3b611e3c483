"""What a Fetcher holds of its queue, and what stands of it on the board."""

from __future__ import annotations

from exqueue.actors.claim import Claim
from exqueue.actors.tables import owned_table, seats_table, unswept_table
from exqueue.clock import SystemClock
from exqueue.persistence.values import Fence, Owned
from exqueue.supervision import Board

FENCE = Fence(1, "token")


def claimed(board: Board) -> Claim:
    """A claim that was granted after call 4."""
    claim = Claim("mail", board, SystemClock())
    claim.begin()
    claim.granted(FENCE, 4)
    return claim


def test_a_claim_that_is_not_answered_is_made_again_with_its_seat() -> None:
    """It may have been granted; a new seat would make what was handed out under it somebody else's."""
    claim = Claim("mail", Board(), SystemClock())
    assert claim.begin() == claim.begin() > 0


def test_the_next_claim_has_a_higher_seat() -> None:
    """Whoever calls under the old one is refused."""
    claim = claimed(Board())
    seat = claim.seat
    claim.give_up()
    assert not claim.is_held
    assert claim.begin() > seat


def test_while_it_is_asked_for_the_sweep_passes_the_queue_over() -> None:
    """What would be compared is about to change; Workers go by the new seat already."""
    board = Board()
    claim = claimed(board)
    assert owned_table(board)["mail"] == Owned("mail", FENCE, claim.seat, 4)
    claim.give_up()
    claim.begin()
    assert "mail" not in owned_table(board)
    assert seats_table(board)["mail"] == claim.seat


def test_each_answer_is_noted() -> None:
    """With its number, and only a claim has the queue looked through for deaths."""
    board = Board()
    claim = claimed(board)
    unswept_table(board).pop("mail")
    claim.answered(FENCE, 5)
    assert (claim.number, owned_table(board)["mail"].call) == (5, 5)
    assert "mail" not in unswept_table(board)


def test_nothing_is_begun_under_a_claim_that_is_withdrawn() -> None:
    """Its seat is gone from the board."""
    board = Board()
    claim = claimed(board)
    claim.withdraw()
    assert (claim.is_held, dict(seats_table(board).copy()), dict(owned_table(board).copy())) == (False, {}, {})
