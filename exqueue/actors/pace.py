"""When a Fetcher looks again: at once, when the next job is due, or when something wakes its queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exqueue.actors.protocol import Audit, JobDue, Wake

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.clock import Clock
    from exqueue.persistence.values import Exchanged

AUDIT_EVERY_S = 5.0
"""How often the runs are held against the board: for what no message told of."""

LONGEST_NAP_S = 3_600.0
"""A job that is due later is looked for again by then: timers need no more precision than that."""

LEAVE_EVERY_S = 1.0
"""How often leave to run a suspect is asked for again while another suspect runs."""

LAPSED_PAUSE_S = 0.5
"""How long to wait before looking again whether a lease that is over was renewed."""

SAME_MOMENT_S = 0.01
"""A due time that differs by less is no reason to set the timer anew."""

MOST_A_CALL = 500
"""How much one exchange settles, and fetches: together that takes Redis 3 ms; at the persistence's limit, 5 ms."""


class Pace:
    """Whether there is a reason to fetch, and the timers that bring the next one.

    Args:
        clock: tells the monotonic time.
        send_after: sends the Fetcher a message later, and returns the timer's number.
        cancel_timer: takes that back.

    Attributes:
        look: whether there may be something to fetch.
        suspect_waits: whether the persistence holds a suspect back until somebody has leave to run it.
    """

    def __init__(
        self,
        clock: Clock,
        send_after: Callable[[float, object], int],
        cancel_timer: Callable[[int | None], None],
    ) -> None:
        self._clock = clock
        self._send_after = send_after
        self._cancel_timer = cancel_timer
        self._due_at = 0.0
        self._due_timer: int | None = None
        self._audit_timer: int | None = None
        self._leave_timer: int | None = None
        self.look = False
        self.suspect_waits = False

    def woken(self) -> None:
        """Something woke the queue, or leave for a suspect may be had."""
        self._leave_timer = None
        self.look = True

    def job_due(self) -> None:
        """The next waiting job is due."""
        self._due_timer = None
        self.look = True

    def audited(self, *, has_runs: bool) -> None:
        """The audit that was due is done; as long as anything runs there is another."""
        self._audit_timer = self._send_after(AUDIT_EVERY_S, Audit()) if has_runs else None

    def called(self, want: int) -> None:
        """A call that fetches is made: what made it look is spent now, and not by the late answer.

        What wakes the queue while the call is unanswered came after it.
        """
        if want:
            self.look = False

    def answered(self, want: int, answer: Exchanged, *, has_runs: bool) -> None:
        """An exchange that asked for ``want`` jobs was answered."""
        if want and len(answer.jobs) >= want:
            self.look = True
        if answer.suspect_waits and not answer.paused:
            self._wait_for_leave(want)
        self.suspect_waits = answer.suspect_waits
        self._set_due_timer(answer.next_due)
        if has_runs and self._audit_timer is None:
            self._audit_timer = self._send_after(AUDIT_EVERY_S, Audit())

    def _wait_for_leave(self, want: int) -> None:
        if not self.suspect_waits and want:
            self.look = True
        elif self._leave_timer is None:
            self._leave_timer = self._send_after(LEAVE_EVERY_S, Wake())

    def _set_due_timer(self, next_due: float | None) -> None:
        if next_due is None:
            self._cancel_timer(self._due_timer)
            self._due_timer = None
            return
        if next_due <= 0:
            self.look = True
            return
        due_at = self._clock.monotonic() + min(next_due, LONGEST_NAP_S)
        if self._due_timer is not None and abs(due_at - self._due_at) < SAME_MOMENT_S:
            return
        self._cancel_timer(self._due_timer)
        self._due_at = due_at
        self._due_timer = self._send_after(due_at - self._clock.monotonic(), JobDue())
