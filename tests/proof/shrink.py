"""The smallest part of a plan that still breaks a promise: what is worth reading."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.proof.trial import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.proof.plan import Plan
    from tests.proof.trial import Verdict

MOST_TRIES = 200


def shrink(verdict: Verdict) -> Verdict:
    """Leave out of a failing plan whatever can be, as long as the same promise is broken.

    Faults first, by halves and one by one; then orders, kinds of jobs, jobs and nodes.
    """
    promise = verdict.broken.partition(":")[0]
    tries = 0
    has_shrunk = True
    while has_shrunk:
        has_shrunk = False
        for smaller in _smaller(verdict.plan):
            tries += 1
            if tries > MOST_TRIES:
                return verdict
            tried = run(smaller)
            if tried.broken.partition(":")[0] == promise:
                verdict, has_shrunk = tried, True
                break
    return verdict


def _smaller(plan: Plan) -> Iterator[Plan]:
    faults = plan.faults
    if len(faults) > 2:
        half = len(faults) // 2
        yield replace(plan, faults=faults[half:])
        yield replace(plan, faults=faults[:half])
    for at in range(len(faults)):
        yield replace(plan, faults=faults[:at] + faults[at + 1 :])
    if plan.orders:
        yield replace(plan, orders=0)
    for trait in sorted(plan.traits):
        yield replace(plan, traits=plan.traits - {trait})
    if plan.jobs > 3:
        yield replace(plan, jobs=plan.jobs // 2)
        yield replace(plan, jobs=plan.jobs - 1)
    if plan.nodes > 1:
        yield replace(plan, nodes=plan.nodes - 1)
