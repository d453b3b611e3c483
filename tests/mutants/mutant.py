"""A single fault, and what has to catch it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.proof.plan import draw

if TYPE_CHECKING:
    from tests.mutants.edit import Edit
    from tests.proof.plan import Kind


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault.

    Args:
        name: a few words.
        says: what is changed, in a sentence.
        edits: the change; more than one when it takes several places to be one fault.
        model: its name in the model of the protocol, if it is there.
        tests: of which one has to fail; when there are none, the seeded proof has to break a promise.
        needs: kinds of faults: only seeds are tried whose plans have each of them.
    """

    name: str
    says: str
    edits: tuple[Edit, ...]
    model: str = ""
    tests: tuple[str, ...] = ()
    needs: tuple[Kind, ...] = ()

    def is_for(self, seed: int) -> bool:
        """Whether the plan of a seed has the faults that it needs."""
        return {fault.kind for fault in draw(seed).faults}.issuperset(self.needs)
