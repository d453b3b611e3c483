"""What a supervisor reports."""

from __future__ import annotations

import pytest

from exqueue.errors import NotStarted
from exqueue.supervision import Exit, Intensity, Occasion, Offender, Report, Restart, StartChild
from exqueue.supervision.exits import MAX_LINE, MAX_TEXT
from tests.supervision.tree import Overseer, child, crash, running

SECRET = "tell nobody" * 1_000


def test_otp_077_each_event_is_a_report_of_who_what_why_and_whom() -> None:
    """With nothing of what the child was given."""
    fails = child("c", starting=crash(ValueError("no start")))
    with running(child("f", Overseer, children=(child("a"),), intensity=Intensity(0, 5.0))) as tree:
        with pytest.raises(NotStarted):
            tree.order(StartChild(child("g", Overseer, children=(fails,))))
        report = tree.until_reported(Occasion.START_ERROR)
        assert (report.supervisor, report.reason.error) == ("g", "ValueError: no start")
        urn = tree.urn("f/a")
        tree.tell("f/a", crash(ValueError("broke")))
        report = tree.until_reported(Occasion.CHILD_TERMINATED)
        offender = Offender("f/a", "Player", urn, Restart.PERMANENT, 5.0)
        assert (report.supervisor, report.reason.kind, report.offender) == ("f", "crashed", offender)
        report = tree.until_reported(Occasion.SHUTDOWN)
        assert (report.supervisor, report.offender.path) == ("f", "f/a")
        tree.until_lived("restarted", "f")
        tree.ask("", lambda root: root.start_child(child("bad", stopping=crash(ValueError("late")))))
        tree.ask("", lambda root: root.terminate_child("bad"))
        report = tree.until_reported(Occasion.SHUTDOWN_ERROR)
        assert (report.supervisor, report.reason.error) == ("", "ValueError: late")


@pytest.mark.parametrize("occasion", list(Occasion))
@pytest.mark.parametrize("kind", ["crashed", "lost", "normal"])
def test_otp_077_a_report_is_one_line_of_bounded_length(occasion: Occasion, kind: str) -> None:
    """Its two ends are kept: whom it is about, and what came last."""
    offender = Offender("f/a", "Player", "", Restart.PERMANENT, 5.0)
    reason = Exit(kind, f"{SECRET}\nat last")  # type: ignore[arg-type] # each is a kind
    line = Report("f", occasion, reason, offender).line(100)
    assert len(line) == 100
    assert (line[:1], line[-7:], "\n" in line) == ("f", "at last", False)


def test_otp_077_the_texts_of_a_reason_are_bounded() -> None:
    """However much an error says of itself."""
    with running(child("a")) as tree:
        tree.probe.waiting()
        tree.tell("a", crash(ValueError(SECRET * 10)))
        report = tree.until_reported(Occasion.CHILD_TERMINATED)
        assert (len(report.reason.error), len(report.reason.traceback)) == (MAX_LINE, MAX_TEXT)
        tree.until_lived("restarted", "a")
        tree.tell("a", lambda actor: actor.stop())
        assert tree.until_reported(Occasion.CHILD_TERMINATED).line() == "a ended (normal)"
