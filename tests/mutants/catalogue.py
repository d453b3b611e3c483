"""All mutants, and the names of those of the model that have no counterpart in the code."""

from __future__ import annotations

from typing import Final

from tests.mutants import asking, lock, queue, supervising, working

EVERY: Final = (*lock.MUTANTS, *queue.MUTANTS, *working.MUTANTS, *asking.MUTANTS, *supervising.MUTANTS)
MUTANTS: Final = {mutant.name: mutant for mutant in EVERY}

WITHOUT_COUNTERPART: Final = {
    "runlist": "an exchange has no list of what runs: a successor asks the store and the board",
    "text:reask": "it changes what is promised, not what is done",
}
"""Mutations of the model that can't be put into the code, and why."""
