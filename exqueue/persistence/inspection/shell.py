"""The command: ``python -m exqueue.persistence.fsck [URL] [--repair] [--namespace NAME]``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from exqueue.errors import ExqueueError
from exqueue.persistence.inspection.check import fsck
from exqueue.persistence.urls import address_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exqueue.persistence.inspection.report import Finding, Report

SOUND, FOUND, NOT_CHECKED = 0, 1, 2
"""The exit status: nothing is wrong (any more); something is; it could not be checked or repaired."""

MOST_TEXT: Final = 200
"""So much of an id is shown."""


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status; a wrong argument ends the process with `NOT_CHECKED`."""
    given = _parser().parse_args(arguments)
    try:
        report = fsck(given.url, namespace=given.namespace, repair=given.repair, timeout=given.timeout)
    except ExqueueError as error:
        where = "" if given.url is None else f"{address_of(given.url)}: "
        sys.stderr.write(f"{where}not {'repaired' if given.repair else 'checked'}: {error}\n")
        return NOT_CHECKED
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # Whatever a store holds that nobody thought of is no reason to show people a traceback.
        sys.stderr.write(f"not checked to the end: something there can't even be looked at [{error!r}]; report that\n")
        return NOT_CHECKED
    sys.stdout.writelines(f"{line}\n" for line in lines(report, repair=given.repair))
    return SOUND if report.is_sound or (given.repair and report.is_mended) else FOUND


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m exqueue.persistence.fsck",
        description="Find every entry of a store that should not be there as it is, and mend it with --repair.",
        epilog="Exit status: 0 nothing is wrong (any more), 1 something is, 2 it could not be checked or repaired.",
    )
    parser.add_argument("url", nargs="?", help="of the store; without it $EXQUEUE_URL, else sqlite:///exqueue.db")
    parser.add_argument("--namespace", default="default", help="which to check (default: %(default)s)")
    parser.add_argument("--repair", action="store_true", help="mend what is found; refused while a node leads")
    parser.add_argument(
        "--timeout", type=float, default=30.0, metavar="SECONDS", help="of one step (default: %(default)s)"
    )
    return parser


def lines(report: Report, *, repair: bool) -> list[str]:
    """A report for people, a line a finding, and one that says what it comes to."""
    told = [_line(finding, repair=repair) for finding in report.findings]
    if report.more:
        told.append(f"and {report.more:,} more")
    led = "" if report.leader is None else f"; node {report.leader} leads"
    looked = f"{report.jobs:,} jobs in {report.queues:,} queues of {report.namespace} at {report.address}{led}"
    count = len(report.findings) + report.more
    if report.is_sound:
        return [*told, f"sound: {looked}"]
    if not repair:
        return [*told, f"{count:,} found, nothing changed: {looked}"]
    mended = sum(finding.mended for finding in report.findings)
    return [*told, f"{count:,} found, {mended:,} mended: {looked}"]


def _line(finding: Finding, *, repair: bool) -> str:
    of_queue = "" if finding.queue is None else f" queue {finding.queue!a}"
    of_job = "" if finding.job_id is None else f" job {finding.job_id[:MOST_TEXT]!a}"
    does = "mended" if finding.mended else "not mended" if repair else "repair"
    return f"{finding.kind}:{of_queue}{of_job}: {finding.explanation} [{does}: {finding.repair}]"
