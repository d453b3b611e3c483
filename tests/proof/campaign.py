"""Many seeds at once, on all processors; what they met, and what they broke."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.proof.plan import KINDS, MOMENTS, draw
from tests.proof.trial import Verdict, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_FAILURES = 5
"""After so many it is enough."""

CHUNK = 8


@dataclass
class Campaign:
    """What came of many seeds.

    Args:
        seeds: how many were tried.
        failed: those that broke a promise, the first few.
        turns: steps taken, of all of them.
        checks: how often the oracle looked.
        faults: how many struck.
        virtual_s: simulated seconds.
        real_s: seconds that it took.
        met: which fault met which moment, how often.
    """

    seeds: int = 0
    failed: list[Verdict] = field(default_factory=list)
    turns: int = 0
    checks: int = 0
    faults: int = 0
    virtual_s: float = 0.0
    real_s: float = 0.0
    met: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Count a verdict."""
        self.seeds += 1
        self.turns += verdict.turns
        self.checks += verdict.checks
        self.faults += verdict.faults
        self.virtual_s += verdict.virtual_s
        self.met.update(verdict.met)
        if verdict.broken:
            self.failed.append(verdict)

    def gaps(self) -> list[tuple[str, str]]:
        """Which fault never met which moment."""
        return [(kind, moment) for kind in KINDS for moment in MOMENTS if not self.met[kind, moment]]

    def __str__(self) -> str:
        return (
            f"{self.seeds:,} runs, {self.faults:,} faults, {self.turns:,} steps, {self.checks:,} looks of the oracle, "
            f"{self.virtual_s / 3600:,.1f} simulated hours in {self.real_s:.0f} s "
            f"({self.turns / max(self.real_s, 0.001):,.0f} steps a second), {len(self.failed)} broken promises"
        )

    def table(self) -> str:
        """What met what, as a table in Markdown."""
        head = ["fault", *MOMENTS]
        rows = [[kind, *(f"{self.met[kind, moment]:,}" for moment in MOMENTS)] for kind in KINDS]
        return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


def try_seeds(seeds: Iterable[int], processes: int | None = None, until: float | None = None) -> Campaign:
    """Try seeds until they are through, ``until`` (of the monotonic clock) or too many have failed.

    Args:
        seeds: in the order in which they are begun.
        processes: how many at once; ``None`` for as many as there are processors.
        until: when to stop at the latest.
    """
    campaign = Campaign()
    began = time.monotonic()
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes or len(os.sched_getaffinity(0))) as pool:
        for verdict in pool.imap(try_seed, seeds, chunksize=CHUNK):
            campaign.add(verdict)
            if len(campaign.failed) >= MOST_FAILURES or (until is not None and time.monotonic() >= until):
                pool.terminate()
                break
    campaign.real_s = time.monotonic() - began
    return campaign


def try_seed(seed: int) -> Verdict:
    """Try one. Its story stays where it happened: who wants it runs the seed again."""
    return replace(run(draw(seed)), story="")


def endless(first: int) -> Iterator[int]:
    """All seeds from one on."""
    while True:
        yield first
        first += 1
