"""What a supervisor reports of its children: values for whoever collects them, lines for whoever reads a log."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from exqueue.supervision.exits import MAX_LINE, Exit, shortened

if TYPE_CHECKING:
    from exqueue.supervision.child_spec import Restart
    from exqueue.supervision.log import SafeLogger


class Occasion(Enum):
    """What a report is about: OTP's words for it."""

    START_ERROR = "start_error"
    """A child could not be started: with its supervisor, or again."""
    CHILD_TERMINATED = "child_terminated"
    """A child ended that nobody had asked to."""
    SHUTDOWN_ERROR = "shutdown_error"
    """A child that was asked to end did not, or failed over it."""
    SHUTDOWN = "shutdown"
    """The supervisor gives up: too many restarts, the last of this child."""


@dataclass(frozen=True, slots=True)
class Offender:
    """The child that a report is about. Nothing of what it was given: that may be large, or a secret.

    Args:
        path: its name in the tree.
        role: the name of its class.
        urn: of the very actor; empty where there is none.
        restart: as in its `ChildSpec`.
        shutdown_s: as in its `ChildSpec`; seconds.
    """

    path: str
    role: str
    urn: str
    restart: Restart
    shutdown_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """One event in the life of a supervisor. Its texts are bounded, see `Exit`.

    Args:
        supervisor: its path; empty is the root.
        occasion: what the report is about.
        reason: how the child ended, or why it did not start.
        offender: the child.
    """

    supervisor: str
    occasion: Occasion
    reason: Exit
    offender: Offender

    def line(self, limit: int = MAX_LINE) -> str:
        """The report in one line of at most ``limit`` characters."""
        path, reason = self.offender.path, self.reason
        why = f": {reason.error}" if reason.error else ""
        match self.occasion:
            case Occasion.START_ERROR:
                line = f"{path} could not be started{why}"
            case Occasion.CHILD_TERMINATED:
                line = f"{path} {reason.kind}{why}" if why else f"{path} ended ({reason.kind})"
            case Occasion.SHUTDOWN_ERROR if reason.kind == "lost":
                line = f"{path} {reason.error}"
            case Occasion.SHUTDOWN_ERROR:
                line = f"{path} was asked to stop and ended otherwise ({reason.kind}){why}"
            case _:
                line = f"{self.supervisor or 'the supervisor'} gives up{why}"
        return shortened(" ".join(line.splitlines()), limit)


def log_report(logger: SafeLogger, report: Report) -> None:
    """Log a report: with what went wrong as a warning, a thread that is abandoned as an error with its stack."""
    reason = report.reason
    if reason.kind == "lost":
        logger.error("%s", f"{report.line()}\n{reason.traceback}".rstrip())
        return
    logger.log(logging.WARNING if reason.error else logging.INFO, "%s", report.line())
    if reason.traceback:
        logger.debug("%s %s:\n%s", report.offender.path, reason.kind, reason.traceback)
