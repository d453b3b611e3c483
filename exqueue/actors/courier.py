"""The Courier: hands deaths to the callable that the host program gave with ``report=``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from exqueue.actors.protocol import ReportsNoted
from exqueue.actors.tables import reports_table
from exqueue.record import describe_error
from exqueue.supervision import Actor, ActorContext, safe_logger

if TYPE_CHECKING:
    from exqueue.actors.settings import NodeSettings
    from exqueue.actors.tables import DeathKey
    from exqueue.messages import JobDied
    from exqueue.supervision import Board

logger = safe_logger("exqueue")

MOST_REPORTS: Final = 1_000
"""How many deaths wait for the callable at most; what comes then is in the log only."""

LAST_REPORTS_S: Final = 5.0
"""How long a stop lets the callable have what still waits."""


class Reports:
    """What waits for the callable, as the Reporter sees it: a line with a bound, on the board."""

    def __init__(self, board: Board) -> None:
        self._waiting = reports_table(board)
        self._is_full = False

    def add(self, key: DeathKey, died: JobDied) -> str:
        """Let a death wait. Returns what there is to say in the log when it can't, the first time; else nothing."""
        if len(self._waiting) < MOST_REPORTS:
            self._waiting[key] = died
            self._is_full = False
            return ""
        if self._is_full:
            return ""
        self._is_full = True
        return (
            f"report= is {MOST_REPORTS:,} deaths behind: until it has caught up others are not given to it, and stand "
            "in the log only; let it hand them on without waiting"
        )


class Courier(Actor):
    """Calls ``report`` in a thread of its own, so that what it does costs neither a line of the log nor an event.

    One death a message, so that a stop gets in between; each is taken off the board before the call, so that none is
    reported twice. A call that hangs is waited for, like a job.
    """

    def __init__(self, context: ActorContext, *, settings: NodeSettings) -> None:
        super().__init__(context)
        self._report = settings.report
        self._waiting = reports_table(self.board)
        self._has_failed = False

    def on_start(self) -> None:
        """Deliver what a Courier that crashed has left."""
        self.tell_self(ReportsNoted())

    def on_stop(self) -> None:
        """Deliver what still waits, as far as there is time."""
        until = self.clock.monotonic() + LAST_REPORTS_S
        while self._waiting and self.clock.monotonic() < until:
            self._deliver()
        if self._waiting:
            logger.warning("%d deaths were not given to report= before the stop", len(self._waiting))

    def on_receive(self, message: ReportsNoted) -> None:
        """Handle a message; see `exqueue.actors.protocol`."""
        self._deliver()
        if self._waiting:
            self.tell_self(ReportsNoted())

    def _deliver(self) -> None:
        key = next(iter(self._waiting.copy()), None)
        died: JobDied | None = None if key is None else self._waiting.pop(key, None)
        if died is None or self._report is None:
            return
        self.doing(f"report job {died.id}")
        try:
            self.run_user(self._report, died)
        except BaseException as error:  # noqa: BLE001 - the host program's own code: its SystemExit must not end the tree
            self._say_failure(died, error)
        else:
            self._has_failed = False
        self.doing("")

    def _say_failure(self, died: JobDied, raised: BaseException) -> None:
        """Say the first failure in a row."""
        if not self._has_failed:
            error = describe_error(raised, 0.0, "")
            logger.warning(
                "report= raised for job %s, which stands in the log and is not given to it again: %s: %s",
                died.id,
                error.type,
                error.message,
            )
        self._has_failed = True
