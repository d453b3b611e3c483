"""Looking what catches a mutant: in a process of its own, which it spoils."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.mutants.edit import in_force
from tests.proof.trial import run

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable

    from tests.mutants.mutant import Mutant
    from tests.proof.plan import Plan

LONGEST_TRIAL_S = 10.0
"""Seconds of the processor: a trial takes less than one, and some of those of a mutant never end."""


@dataclass
class Catch:
    """What came of a mutant.

    Args:
        by: the name of the promise, or the test; empty when nothing caught it.
        why: what was said of it.
        seed: the one that caught it.
        tried: how many plans were, or tests.
        took_s: how long.
        called: how often the changed functions were called.
        clean: whether all is well without the change: the seed that caught it keeps every promise.
    """

    by: str = ""
    why: str = ""
    seed: int | None = None
    tried: int = 0
    took_s: float = 0.0
    called: int = 0
    clean: bool = True


def catch(mutant: Mutant, known: int | None, most: int) -> Catch:
    """Try a mutant out by its tests, or else by at most so many seeds until one catches it, the ``known`` one first."""
    found = Catch()
    began = time.monotonic()
    with in_force(mutant.edits) as called:
        if mutant.tests:
            _by_tests(mutant, found)
        else:
            first = () if known is None else (mutant.plan(known),)
            _by_plans(itertools.chain(first, itertools.islice(mutant.plans(), most)), found, called)
        found.called = called.total()
    if found.seed is not None:
        found.clean = not run(mutant.plan(found.seed)).broken
    found.took_s = time.monotonic() - began
    return found


def _by_plans(plans: Iterable[Plan], found: Catch, called: Counter[str]) -> None:
    began = time.monotonic()

    def never_ends(*_: object) -> None:
        # Whoever has its turn would catch an error; and of what goes on no process is left to speak of.
        found.by, found.why, found.called = (
            "alive",
            f"the trial takes more than {LONGEST_TRIAL_S:g} s of the processor",
            called.total(),
        )
        found.took_s = time.monotonic() - began
        tell(found)
        os._exit(0)

    signal.signal(signal.SIGPROF, never_ends)
    for plan in plans:
        found.tried += 1
        found.seed = plan.seed
        signal.setitimer(signal.ITIMER_PROF, LONGEST_TRIAL_S)
        broken = run(plan).broken
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        if broken:
            found.by, _, found.why = broken.partition(": ")
            return
    found.seed = None


class _Failures:
    """A plugin of pytest that notes what failed."""

    def __init__(self) -> None:
        self.failed: list[pytest.TestReport] = []
        self.ran = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.ran += report.when == "call"
        # What fails before or after a test says nothing of what it tests.
        if report.failed and report.when == "call":
            self.failed.append(report)


def _by_tests(mutant: Mutant, found: Catch) -> None:
    failures = _Failures()
    options = ["-q", "-x", "-p", "no:cacheprovider", "-o", "timeout=30"]
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        pytest.main([*options, *mutant.tests], plugins=[failures])
    found.tried = failures.ran
    for report in failures.failed[:1]:
        found.by = report.nodeid.rpartition("::")[2]
        found.why = str(report.longrepr).strip().rpartition("\n")[2]


def tell(found: Catch) -> None:
    """Write it out for whoever began this process."""
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
    sys.stdout.flush()


def told(line: str) -> Catch:
    """What `tell` wrote."""
    fields: dict[str, Any] = json.loads(line)
    return Catch(**fields)
