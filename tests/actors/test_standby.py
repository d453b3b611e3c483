"""What a node says of whom it waits for: once for each holder, and no more when that one comes and goes."""

from __future__ import annotations

from dataclasses import replace

from exqueue.actors.standby import UNSEEN_FOR_S, StandbyNotice
from exqueue.persistence.values import UNKNOWN, Holder, Presence

LEADER = Holder(7, "token", "a", renewal=1, seen_by="run 1")
HIDDEN = replace(LEADER, seen_by=None)
PRESENT, ABSENT = Presence("present", "run 1"), Presence("absent", "run 1")
HELD = "b stands by: node a holds the lock with epoch 7, and "


def test_who_leads_is_said_once() -> None:
    """Node and epoch; neither a renewal nor a short absence is worth another line."""
    notice = StandbyNotice("b")
    assert notice.line(LEADER, PRESENT, 0.0) == HELD + "it leads"
    assert notice.line(replace(LEADER, renewal=2), PRESENT, 1.0) is None
    assert notice.line(LEADER, ABSENT, 2.0) is None
    assert notice.line(LEADER, PRESENT, 3.0) is None


def test_the_next_holder_is_another_line() -> None:
    """Also when it is the same node with a new epoch."""
    notice = StandbyNotice("b")
    assert notice.line(LEADER, PRESENT, 0.0) is not None
    line = notice.line(replace(LEADER, epoch=8), PRESENT, 1.0)
    assert line == "b stands by: node a holds the lock with epoch 8, and it leads"


def test_a_holder_that_is_gone_from_the_first_look_on_is_said_to_be() -> None:
    """So that who starts a node again after a crash knows why it does not work yet."""
    notice = StandbyNotice("b")
    line = notice.line(LEADER, ABSENT, 0.0)
    assert line is not None
    assert line.startswith(HELD + "it is not there, and when that lasts 1.5 s its lease is ended")
    assert notice.line(LEADER, ABSENT, 1.0) is None


def test_that_a_lease_is_waited_for_is_said_when_it_lasts() -> None:
    """A holder that may just be subscribing is not said to be unseen."""
    for presence, holder in ((ABSENT, HIDDEN), (UNKNOWN, LEADER), (Presence("absent", "run 2"), LEADER)):
        notice = StandbyNotice("b")
        assert notice.line(holder, presence, 0.0) is None
        assert notice.line(holder, presence, UNSEEN_FOR_S - 0.1) is None
        line = notice.line(holder, presence, UNSEEN_FOR_S)
        assert line is not None
        assert line.startswith(HELD + "it can't be seen, so its lease is waited for")
        assert notice.line(holder, presence, 60.0) is None


def test_a_holder_that_is_lost_from_sight_is_said_once_more() -> None:
    """Counted from when it was not seen any more; then never again."""
    notice = StandbyNotice("b")
    assert notice.line(HIDDEN, ABSENT, 0.0) is None
    assert notice.line(LEADER, PRESENT, 1.0) == HELD + "it leads"
    assert notice.line(HIDDEN, ABSENT, 10.0) is None
    line = notice.line(HIDDEN, ABSENT, 10.0 + UNSEEN_FOR_S)
    assert line is not None
    assert "can't be seen" in line
    assert notice.line(LEADER, PRESENT, 20.0) is None
    assert notice.line(HIDDEN, ABSENT, 30.0) is None
    assert notice.line(HIDDEN, ABSENT, 60.0) is None
