"""A single fault, and what has to catch it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.proof.plan import draw
from tests.proof.strikes import CALLERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mutants.edit import Edit
    from tests.proof.plan import Fault, Plan


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault.

    Args:
        name: a few words.
        says: what is changed, in a sentence.
        edits: the change; more than one when it takes several places to be one fault.
        model: its name in the model of the protocol, if it is there.
        tests: of which one has to fail; when there are none, the seeded proof has to break a promise.
        needs: kinds of faults and of jobs: only seeds are tried whose plans have each of them. (That others do not
            catch it costs time, and says nothing.)
        faults: what goes wrong in every seed instead of what that draws: for what would be met too rarely.
    """

    name: str
    says: str
    edits: tuple[Edit, ...]
    model: str = ""
    tests: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()

    def plans(self) -> Iterator[Plan]:
        """The plans to try, those of all seeds that have what it needs."""
        return (plan for seed in itertools.count() if _words(plan := self.plan(seed)).issuperset(self.needs))

    def plan(self, seed: int) -> Plan:
        """What a seed does to it."""
        plan = draw(seed)
        return replace(plan, faults=self.faults) if self.faults else plan


def _words(plan: Plan) -> set[str]:
    """The kinds of faults and jobs of a plan, and who is made to raise in a call, as "raise in call: leader"."""
    raising = (fault for fault in plan.faults if fault.kind == "raise in call")
    targets = (CALLERS[int(fault.aim * len(CALLERS))].rpartition("/")[2] for fault in raising)
    return {*(fault.kind for fault in plan.faults), *plan.traits, *(f"raise in call: {target}" for target in targets)}
